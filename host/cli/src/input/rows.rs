//! From cells to rows: numbers read, formulas evaluated, every row checked.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use flops_fit_scaling::CurvePoint;

use super::curve;
use super::error::{Culprit, InputError};
use super::mapping::{COUNT, Mapping, NEEDED, Sources};
use super::records::{Cell, Form, Record, Records};
use crate::report::runs::{Row, Status};

/// What becomes of a run with a number that no law can be fitted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Checks {
    /// It keeps its row: the analysis leaves it out with the reason.
    #[default]
    On,
    /// It is an error: every row is to be fitted as given.
    Off,
}

const POSITIVE: &str = "a finite number above 0";

/// The runs of a table, in its order.
///
/// Where no column gives `status`, a run with a loss is completed and one without
/// has failed. A completed run has to have N, D, C and a loss, all finite and above
/// 0, see [`Checks`].
///
/// # Errors
/// [`InputError`]; mistakes in rows are gathered and listed together.
pub fn read(
    path: &Path,
    form: Form,
    mapping: &Mapping,
    checks: Checks,
) -> Result<Vec<Row>, InputError> {
    rows(path, &Records::read(path, form)?, mapping, checks)
}

/// The runs in `bytes`, which are those of a file at `path`.
///
/// # Errors
/// As [`read`].
pub fn parse(
    path: &Path,
    form: Form,
    bytes: &[u8],
    mapping: &Mapping,
    checks: Checks,
) -> Result<Vec<Row>, InputError> {
    rows(path, &Records::parse(path, form, bytes)?, mapping, checks)
}

fn rows(
    path: &Path,
    records: &Records,
    mapping: &Mapping,
    checks: Checks,
) -> Result<Vec<Row>, InputError> {
    if records.records.is_empty() && records.columns.is_empty() {
        return Err(InputError::Empty {
            path: path.to_owned(),
            has_columns: false,
        });
    }
    if let [header] = records.columns.as_slice()
        && let Some(by) = [';', '\t', ',', '|']
            .into_iter()
            .find(|c| header.contains(*c))
    {
        return Err(InputError::Delimiter {
            path: path.to_owned(),
            header: header.clone(),
            by,
        });
    }
    let sources = mapping.resolve(path, &records.columns)?;
    if records.records.is_empty() {
        return Err(InputError::Empty {
            path: path.to_owned(),
            has_columns: true,
        });
    }
    let mut rows = Vec::with_capacity(records.records.len());
    let mut culprits = Vec::new();
    for record in &records.records {
        let mut reader = Reader::new(record, &sources, &records.columns);
        let row = reader.row(checks);
        culprits.append(&mut reader.culprits);
        rows.push(row);
    }
    InputError::of_rows(path, culprits)?;
    Ok(rows)
}

/// Reads one record; what is wrong with it is gathered.
struct Reader<'a> {
    line: u64,
    sources: &'a Sources<'a>,
    columns: &'a [String],
    /// The cell of each source.
    cells: Vec<Option<&'a Cell>>,
    /// Values of formulas.
    derived: Vec<(&'a str, Option<f64>)>,
    culprits: Vec<Culprit>,
}

impl<'a> Reader<'a> {
    fn new(record: &'a Record, sources: &'a Sources<'a>, columns: &'a [String]) -> Self {
        let mut cells: Vec<Option<&Cell>> = vec![None; sources.columns.len()];
        let mut culprits = Vec::new();
        for cell in &record.cells {
            for (slot, (_, column)) in sources.columns.iter().enumerate() {
                if *column != cell.column {
                    continue;
                }
                if cells[slot].replace(cell).is_some() {
                    culprits.push(Culprit {
                        line: cell.line,
                        column: Some(columns[*column].clone()),
                        found: cell.text.clone(),
                        expected: "one value, not two".to_owned(),
                    });
                }
            }
        }
        Self {
            line: record.line,
            sources,
            columns,
            cells,
            derived: Vec::new(),
            culprits,
        }
    }

    fn row(&mut self, checks: Checks) -> Row {
        self.derive();
        let status = self.status();
        let mut row = Row {
            trial: self.text("trial"),
            budget: self.positive("budget"),
            size: self.whole("size", "a whole number"),
            seed: self.whole("seed", "a whole number from 0"),
            n: self.number("n"),
            d: self.number("d"),
            c: self.number("c"),
            spent: self.number("spent"),
            unique: self.positive("unique"),
            loss: self.number("loss"),
            loss_se: self.number("loss_se"),
            lr: self.number("lr"),
            weight: self.positive("weight"),
            group: self.text("group"),
            curve: self.curve(),
            tuning: self.truth("tuning"),
            retry_of: self.text("retry_of").filter(|text| !is_gap(text)),
            attempt: self.whole("attempt", "a whole number from 0"),
            steps: self.whole("steps", "a whole number from 0"),
            seconds: self.number("seconds"),
            reason: self.text("reason"),
            counts: self.counts(),
            ..Row::new(Status::Completed)
        };
        row.status = status.unwrap_or(match row.loss {
            Some(_) => Status::Completed,
            None => Status::Failed,
        });
        if status.is_none() && row.loss.is_none() {
            row.reason.get_or_insert_with(|| "no loss".to_owned());
        }
        if row.trial.is_none() && row.status != Status::Skipped {
            row.trial = Some(format!("line {}", self.line));
        }
        if row.status == Status::Completed {
            self.check(&mut row, checks);
        }
        row
    }

    /// Whether a completed run has what a fit needs.
    fn check(&mut self, row: &mut Row, checks: Checks) {
        let needed = [("n", row.n), ("c", row.c), ("d", row.d), ("loss", row.loss)];
        if checks == Checks::Off {
            for (field, value) in needed {
                self.check_positive(field, value);
            }
            return;
        }
        let missing: Vec<&str> = needed
            .iter()
            .filter(|(_, value)| value.is_none())
            .map(|(field, _)| *field)
            .collect();
        if !missing.is_empty() {
            row.status = Status::Failed;
            row.reason = Some(format!("no {}", missing.join(", no ")));
        }
    }

    fn check_positive(&mut self, field: &str, value: Option<f64>) {
        let is_positive = |value: f64| value.is_finite() && value > 0.0;
        // What could not be read, or computed from what could not be, was told.
        let told = value.is_none() && !self.culprits.is_empty();
        if !value.is_some_and(is_positive) && !told {
            self.wrong(field, value.map(|value| value.to_string()), POSITIVE);
        }
    }

    fn derive(&mut self) {
        for formula in self.sources.formulas {
            let names = formula.names();
            let values: Vec<Option<f64>> =
                names.iter().map(|(name, _)| self.number(name)).collect();
            let value = formula.evaluate(|name| {
                let at = names.iter().position(|(known, _)| *known == name)?;
                values[at]
            });
            self.derived.push((&formula.name, value));
        }
    }

    fn status(&mut self) -> Option<Status> {
        let word = self.text("status")?;
        let status = Status::named(&word);
        if status.is_none() {
            self.wrong("status", Some(word), Status::WORDS);
        }
        status
    }

    fn counts(&mut self) -> BTreeMap<String, f64> {
        let columns = self.sources.columns.iter().map(|(name, _)| *name);
        let formulas = self.sources.formulas.iter().map(|f| f.name.as_str());
        let names: Vec<&str> = columns
            .chain(formulas)
            .filter(|name| name.starts_with(COUNT))
            .collect();
        names
            .into_iter()
            .filter_map(|name| Some((name[COUNT.len()..].to_owned(), self.positive(name)?)))
            .collect()
    }

    /// Earlier losses of the run, in JSON whatever the file's own form.
    fn curve(&mut self) -> Vec<CurvePoint> {
        let Some(text) = self.text("curve").filter(|text| !is_gap(text)) else {
            return Vec::new();
        };
        let points = curve::points(&text);
        if points.is_none() {
            self.wrong("curve", Some(text), curve::EXPECTED);
        }
        points.unwrap_or_default()
    }

    fn cell(&self, field: &str) -> Option<&'a Cell> {
        let slot = self
            .sources
            .columns
            .iter()
            .position(|(name, _)| *name == field)?;
        self.cells[slot]
    }

    fn text(&self, field: &str) -> Option<String> {
        self.cell(field).map(|cell| cell.text.clone())
    }

    /// `true` or `false`; false where nothing is known.
    fn truth(&mut self, field: &str) -> bool {
        let Some(text) = self.text(field).filter(|text| !is_gap(text)) else {
            return false;
        };
        let value = text.to_ascii_lowercase().parse();
        if value.is_err() {
            self.wrong(field, Some(text), "true or false");
        }
        value.unwrap_or(false)
    }

    fn is_derived(&self, field: &str) -> bool {
        self.derived.iter().any(|(name, _)| *name == field)
    }

    /// The value of the last formula for a quantity.
    fn derived(&self, field: &str) -> Option<f64> {
        let mut derived = self.derived.iter().rev();
        derived.find(|(name, _)| *name == field)?.1
    }

    fn number(&mut self, field: &str) -> Option<f64> {
        if self.is_derived(field) {
            return self.derived(field);
        }
        let text = self.text(field).filter(|text| !is_gap(text))?;
        let value = text.parse().ok();
        if value.is_none() {
            let expected = number_for(&text);
            self.wrong(field, Some(text), &expected);
        }
        value
    }

    fn positive(&mut self, field: &str) -> Option<f64> {
        let value = self.number(field)?;
        self.check_positive(field, Some(value));
        Some(value)
    }

    /// A whole number; `3.0`, as tables with gaps write it, counts as one.
    fn whole<T: FromStr>(&mut self, field: &str, expected: &'static str) -> Option<T> {
        let text = if self.is_derived(field) {
            self.derived(field)?.to_string()
        } else {
            self.text(field).filter(|text| !is_gap(text))?
        };
        let stem = text.strip_suffix(".0").unwrap_or(&text);
        let value = stem.parse().ok();
        if value.is_none() {
            self.wrong(field, Some(text), expected);
        }
        value
    }

    /// Gathers a mistake, once.
    fn wrong(&mut self, field: &str, found: Option<String>, expected: &str) {
        let formula = self.sources.formulas.iter().rev().find(|f| f.name == field);
        let culprit = match formula {
            Some(formula) => Culprit {
                line: self.line,
                column: None,
                found: match found {
                    Some(found) => format!("`{formula}` = {found}"),
                    None => format!("nothing to compute `{formula}` from"),
                },
                expected: expected.to_owned(),
            },
            _ if !NEEDED.contains(&field) => Culprit {
                line: self.line_of(field),
                column: self.column(field).map(str::to_owned),
                found: self.text(field).or(found).unwrap_or_default(),
                expected: format!("{expected} (--column {field}= passes the column over)"),
            },
            _ => Culprit {
                line: self.line_of(field),
                column: self.column(field).map(str::to_owned),
                found: self.text(field).or(found).unwrap_or_default(),
                expected: expected.to_owned(),
            },
        };
        if !self.culprits.contains(&culprit) {
            self.culprits.push(culprit);
        }
    }

    fn line_of(&self, field: &str) -> u64 {
        self.cell(field).map_or(self.line, |cell| cell.line)
    }

    /// Name of the column that gives a quantity.
    fn column(&self, field: &str) -> Option<&'a str> {
        let mut columns = self.sources.columns.iter();
        let (_, column) = columns.find(|(name, _)| *name == field)?;
        Some(&self.columns[*column])
    }
}

/// What tables write into a cell of which nothing is known.
const GAPS: [&str; 6] = ["NA", "N/A", "null", "None", "-", "–"];

fn is_gap(text: &str) -> bool {
    GAPS.iter().any(|gap| gap.eq_ignore_ascii_case(text))
}

/// What should stand where `text` does.
fn number_for(text: &str) -> String {
    let parses = |text: &str| text.parse::<f64>().is_ok();
    let joined: String = text
        .chars()
        .filter(|c| !matches!(c, ',' | '_' | '\'' | ' ' | '\u{a0}' | '\u{202f}'))
        .collect();
    if joined != text && parses(&joined) {
        return "a number without separators, with a point before its decimals".to_owned();
    }
    let last = text.chars().next_back();
    let power = match last.map(|unit| unit.to_ascii_uppercase()) {
        Some('K') => 3,
        Some('M') => 6,
        Some('B' | 'G') => 9,
        Some('T') => 12,
        _ => return "a number".to_owned(),
    };
    let stem = text[..text.len() - 1].trim_end();
    if parses(stem) {
        format!("a number written out, such as {stem}e{power}")
    } else {
        "a number".to_owned()
    }
}
