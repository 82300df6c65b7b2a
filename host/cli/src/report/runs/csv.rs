//! `runs.csv`: RFC 4180, a header, an empty field where nothing is known.
//!
//! Numbers are written in their shortest form that reads back to the same bits.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::{Row, Status};
use crate::report::file::{self, WriteError};

/// Columns in the order of the file, before the further counts of N.
const COLUMNS: [&str; 18] = [
    "trial", "status", "budget", "size", "seed", "n", "d", "c", "spent", "unique", "loss",
    "loss_se", "lr", "group", "attempt", "steps", "seconds", "reason",
];

/// Columns that a table of runs from elsewhere has to have.
const NEEDED: [&str; 4] = ["n", "d", "c", "loss"];

/// What the column `status` may hold.
const STATUSES: &str = "completed, failed, diverged, skipped or pending";

/// Start of the name of a column that holds a further count of N.
const COUNT: &str = "n_";

/// Why a `runs.csv` could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RunsError {
    /// Not readable, or not RFC 4180.
    #[error("reading {}: {source}", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// What the parser met.
        source: csv::Error,
    },
    /// A column that every table needs is missing.
    #[error("{} has no column `{column}`; a table of runs needs {}", path.display(), NEEDED.join(", "))]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// Name of the column.
        column: &'static str,
    },
    /// A field that does not hold what its column is for.
    #[error("{}:{line}: column `{column}` holds `{found}`, expected {expected}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Name of the column.
        column: String,
        /// What stands there.
        found: String,
        /// What is accepted.
        expected: &'static str,
    },
}

/// Writes the rows to `path`, whole or not at all.
///
/// # Errors
/// When the operating system refuses.
pub fn write(path: &Path, rows: &[Row]) -> Result<(), WriteError> {
    file::replace(path, render(rows).as_bytes())
}

fn render(rows: &[Row]) -> String {
    let counts: BTreeSet<&String> = rows.iter().flat_map(|row| row.counts.keys()).collect();
    let mut header: Vec<String> = COLUMNS.map(str::to_owned).to_vec();
    header.extend(counts.iter().map(|name| format!("{COUNT}{name}")));
    let mut writer = csv::Writer::from_writer(Vec::new());
    let records = std::iter::once(header).chain(rows.iter().map(|row| {
        let mut record = fields(row);
        record.extend(
            counts
                .iter()
                .map(|name| number(row.counts.get(*name).copied())),
        );
        record
    }));
    for record in records {
        writer
            .write_record(&record)
            .expect("every record has the header's length, and memory takes any text");
    }
    let bytes = writer.into_inner().expect("memory takes any text");
    String::from_utf8(bytes).expect("made of strings")
}

fn fields(row: &Row) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    vec![
        text(&row.trial),
        row.status.word().to_owned(),
        number(row.budget),
        number(row.size),
        number(row.seed),
        number(row.n),
        number(row.d),
        number(row.c),
        number(row.spent),
        number(row.unique),
        number(row.loss),
        number(row.loss_se),
        number(row.lr),
        text(&row.group),
        number(row.attempt),
        number(row.steps),
        number(row.seconds),
        text(&row.reason),
    ]
}

fn number<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// Reads the rows of a file that [`write()`] wrote, or of any table of runs with
/// the columns `n`, `d`, `c` and `loss`. Columns may stand in any order, columns
/// of other names are passed over, and without a column `status` every row that
/// has a loss is completed.
///
/// # Errors
/// [`RunsError`] with the line and the column.
pub fn read(path: &Path) -> Result<Vec<Row>, RunsError> {
    let failed = |source| RunsError::Csv {
        path: path.to_owned(),
        source,
    };
    let mut reader = csv::Reader::from_path(path).map_err(failed)?;
    let header = reader.headers().map_err(failed)?.clone();
    let missing = NEEDED.iter().find(|c| !header.iter().any(|h| h == **c));
    if let Some(column) = missing {
        return Err(RunsError::MissingColumn {
            path: path.to_owned(),
            column,
        });
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(failed)?;
        let record = Record {
            path,
            line: record.position().map_or(0, csv::Position::line),
            fields: header.iter().zip(record.iter()).collect(),
        };
        rows.push(record.row()?);
    }
    Ok(rows)
}

/// One line with the names of its fields.
struct Record<'a> {
    path: &'a Path,
    line: u64,
    fields: Vec<(&'a str, &'a str)>,
}

impl Record<'_> {
    fn row(&self) -> Result<Row, RunsError> {
        let status = match self.text("status") {
            Some(word) => Status::ALL
                .into_iter()
                .find(|status| status.word() == word)
                .ok_or_else(|| self.wrong("status", STATUSES))?,
            None if self.text("loss").is_some() => Status::Completed,
            None => Status::Failed,
        };
        let mut counts = BTreeMap::new();
        for (column, _) in &self.fields {
            if let Some(name) = column.strip_prefix(COUNT)
                && let Some(value) = self.parse(column, "a number")?
            {
                counts.insert(name.to_owned(), value);
            }
        }
        Ok(Row {
            trial: self.text("trial"),
            status,
            budget: self.parse("budget", "FLOPs")?,
            size: self.parse("size", "a whole number")?,
            seed: self.parse("seed", "a whole number from 0")?,
            n: self.parse("n", "a number")?,
            d: self.parse("d", "a number")?,
            c: self.parse("c", "FLOPs")?,
            spent: self.parse("spent", "FLOPs")?,
            unique: self.parse("unique", "a number")?,
            loss: self.parse("loss", "a number")?,
            loss_se: self.parse("loss_se", "a number")?,
            lr: self.parse("lr", "a number")?,
            group: self.text("group"),
            attempt: self.parse("attempt", "a whole number from 0")?,
            steps: self.parse("steps", "a whole number from 0")?,
            seconds: self.parse("seconds", "seconds")?,
            reason: self.text("reason"),
            counts,
        })
    }

    fn text(&self, column: &str) -> Option<String> {
        self.fields
            .iter()
            .find(|(name, value)| *name == column && !value.is_empty())
            .map(|(_, value)| (*value).to_owned())
    }

    fn parse<T: FromStr>(
        &self,
        column: &str,
        expected: &'static str,
    ) -> Result<Option<T>, RunsError> {
        self.text(column)
            .map(|text| {
                text.trim()
                    .parse()
                    .map_err(|_| self.wrong(column, expected))
            })
            .transpose()
    }

    fn wrong(&self, column: &str, expected: &'static str) -> RunsError {
        RunsError::Field {
            path: self.path.to_owned(),
            line: self.line,
            column: column.to_owned(),
            found: self.text(column).unwrap_or_default(),
            expected,
        }
    }
}
