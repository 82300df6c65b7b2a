//! Why a table of runs could not be read, with file, line and column.

use std::fmt::{self, Write as _};
use std::io;
use std::path::{Path, PathBuf};

use super::formula::FormulaError;

/// Lines that are listed together.
const LISTED: usize = 10;

/// Columns that are listed.
const LISTED_COLUMNS: usize = 24;

/// A table that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The operating system said no.
    #[error("reading {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// More than is read.
    #[error("{} has more than {limit} {what}; is it a table of runs? select the rows that matter", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Of what there is too much.
        what: &'static str,
        /// Most that is read.
        limit: u64,
    },
    /// Bytes that are no text.
    #[error("{}:{line}: not UTF-8 text; save the table as UTF-8", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
    },
    /// Not RFC 4180.
    #[error("{}: {source}", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// What the parser met.
        source: csv::Error,
    },
    /// Not JSON.
    #[error("{}:{}: not valid JSON: {source}{}", path.display(), source.line(), json_advice(path))]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser met.
        source: serde_json::Error,
    },
    /// JSON of another shape.
    #[error("{}: expected {expected}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// What is accepted.
        expected: &'static str,
    },
    /// A table without rows.
    #[error("{} holds no runs: {}", path.display(), if *has_columns { "it has a header and nothing below" } else { "it is empty" })]
    Empty {
        /// The file.
        path: PathBuf,
        /// Whether there is a header.
        has_columns: bool,
    },
    /// A table whose columns are divided by something else.
    #[error("{}: its header is one column, `{header}`: {}", path.display(), divided(*by))]
    Delimiter {
        /// The file.
        path: PathBuf,
        /// The header.
        header: String,
        /// What seems to divide it.
        by: char,
    },
    /// Two columns of one name.
    #[error("{}: two columns are called `{column}`; rename one", path.display())]
    RepeatedColumn {
        /// The file.
        path: PathBuf,
        /// Their name.
        column: String,
    },
    /// A flag that names a column which is not there.
    #[error(
        "{}: no column `{column}` for --column {field}={column}; {}the columns are {}",
        path.display(), guess(nearest.as_deref()), listed(columns)
    )]
    UnknownColumn {
        /// The file.
        path: PathBuf,
        /// The quantity.
        field: String,
        /// The column that was asked for.
        column: String,
        /// What may have been meant.
        nearest: Option<String>,
        /// The columns that there are.
        columns: Vec<String>,
    },
    /// A quantity that every run needs and nothing gives.
    #[error(
        "{}: nothing gives `{field}`: {}; the columns are {}",
        path.display(), remedy(field, nearest.as_deref()), listed(columns)
    )]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The quantity.
        field: &'static str,
        /// A column that may be meant.
        nearest: Option<String>,
        /// The columns that there are.
        columns: Vec<String>,
    },
    /// A name that is no quantity and that no formula uses.
    #[error(
        "`{name}` in {flag} is no quantity of a run and no --derive uses it; {}expected one of {}",
        guess(nearest.as_deref()), super::FIELDS.join(", ")
    )]
    UnknownField {
        /// `--column` or `--derive`.
        flag: &'static str,
        /// The name.
        name: String,
        /// What may have been meant.
        nearest: Option<String>,
    },
    /// A formula for a quantity that is no number.
    #[error(
        "--derive {formula}: `{name}` is no number; take it from a column with --column {name}=NAME"
    )]
    NoNumber {
        /// The formula.
        formula: String,
        /// The quantity.
        name: String,
    },
    /// A quantity that is mapped twice.
    #[error("--column {field}=… is given twice; keep one")]
    RepeatedField {
        /// The quantity.
        field: String,
    },
    /// A formula with a name that stands for nothing.
    #[error("--derive {formula}: character {position}: nothing is called `{name}`; {}", named(name, *is_column, known))]
    UnknownName {
        /// The formula.
        formula: String,
        /// Where, in characters from 1.
        position: usize,
        /// The name.
        name: String,
        /// Whether the file has a column of that name.
        is_column: bool,
        /// The names that stand for something.
        known: Vec<String>,
    },
    /// A text that is no formula.
    #[error(transparent)]
    Formula(#[from] FormulaError),
    /// Rows that can't be read.
    #[error("{}", rows(path, first, *total))]
    Rows {
        /// The file.
        path: PathBuf,
        /// The first of them.
        first: Vec<Culprit>,
        /// How many there are.
        total: usize,
    },
}

/// One place in a table with something wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Culprit {
    /// Line, from 1.
    pub line: u64,
    /// The column, if it is about one.
    pub column: Option<String>,
    /// What stands there.
    pub found: String,
    /// What is accepted.
    pub expected: String,
}

impl fmt::Display for Culprit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            column,
            found,
            expected,
            ..
        } = self;
        match column {
            Some(column) if found.is_empty() => {
                write!(f, "column `{column}` is empty, expected {expected}")
            }
            Some(column) => write!(
                f,
                "column `{column}` holds `{}`, expected {expected}",
                shortened(found)
            ),
            None => write!(f, "found {found}, expected {expected}"),
        }
    }
}

/// The beginning of a text that is only shown.
pub(super) fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    let mut short: String = text.chars().take(MOST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

impl InputError {
    /// An error if there are culprits.
    pub(super) fn of_rows(path: &Path, mut culprits: Vec<Culprit>) -> Result<(), Self> {
        if culprits.is_empty() {
            return Ok(());
        }
        let total = culprits.len();
        culprits.truncate(LISTED);
        Err(Self::Rows {
            path: path.to_owned(),
            first: culprits,
            total,
        })
    }
}

fn rows(path: &Path, first: &[Culprit], total: usize) -> String {
    let place = |culprit: &Culprit| format!("{}:{}: {culprit}", path.display(), culprit.line);
    if let ([only], 1) = (first, total) {
        return place(only);
    }
    let mut text = format!("{}: {total} mistakes", path.display());
    for culprit in first {
        let _ = write!(text, "\n  {}", place(culprit));
    }
    if total > first.len() {
        let _ = write!(text, "\n  and {} more", total - first.len());
    }
    text
}

fn divided(by: char) -> &'static str {
    match by {
        '\t' => "a table divided by tabs is read with --from tsv",
        ',' => "a table divided by commas is read with --from csv",
        _ => "save the table with commas or tabs between its columns, and points before decimals",
    }
}

fn guess(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("did you mean `{nearest}`? "))
}

fn listed(columns: &[String]) -> String {
    if columns.is_empty() {
        return "none".to_owned();
    }
    let shown: Vec<String> = columns
        .iter()
        .take(LISTED_COLUMNS)
        .map(|column| format!("`{column}`"))
        .collect();
    let more = columns.len() - shown.len();
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    shown.join(", ") + &more
}

fn remedy(field: &str, nearest: Option<&str>) -> String {
    let column = nearest.unwrap_or("NAME");
    let take = format!("take it from a column with --column {field}='{column}'");
    match field {
        "d" => format!("{take}, or say how it follows, for example --derive 'd = c / (6 * n)'"),
        "c" => format!("{take}, or say how it follows, for example --derive 'c = 6 * n * d'"),
        "n" => format!("{take}, or say how it follows, for example --derive 'n = c / (6 * d)'"),
        _ => take,
    }
}

fn named(name: &str, is_column: bool, known: &[String]) -> String {
    let known = if known.is_empty() {
        "nothing is mapped yet".to_owned()
    } else {
        format!("known are {}", known.join(", "))
    };
    if is_column {
        format!("it is a column of the file: map it with --column {name}={name} ({known})")
    } else {
        known
    }
}

/// What else the file may be.
fn json_advice(path: &Path) -> &'static str {
    let is_json = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("json"));
    if is_json {
        " (of one object a line? call it .jsonl)"
    } else {
        ""
    }
}
