//! Values between commas or tabs (RFC 4180), under a header.

use std::path::Path;

use super::{Cell, MOST_COLUMNS, MOST_RECORDS, Names, Record, Records, bad_line, too_many};
use crate::input::{Culprit, InputError};

pub(super) fn parse(path: &Path, text: &str, delimiter: u8) -> Result<Records, InputError> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let failed = |source: csv::Error| InputError::Csv {
        path: path.to_owned(),
        source,
    };
    let header = reader.headers().map_err(failed)?.clone();
    if header.len() > MOST_COLUMNS {
        return Err(too_many(path, "columns", MOST_COLUMNS));
    }
    let mut names = Names::default();
    for (index, name) in header.iter().enumerate() {
        if !name.is_empty() && names.position(name) < index {
            let first = header.iter().position(|other| other == name);
            // A name that was met before; an empty one is never asked for.
            if first.is_some_and(|first| first < index) {
                return Err(InputError::RepeatedColumn {
                    path: path.to_owned(),
                    column: name.to_owned(),
                });
            }
        }
    }
    let mut records = Vec::new();
    let mut bad: Vec<Culprit> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(failed)?;
        let line = record.position().map_or(0, |begin| line_at(text, begin));
        if record.len() != header.len() {
            bad.push(bad_line(
                line,
                format!("{} fields", record.len()),
                "as many as the header has",
            ));
            continue;
        }
        if records.len() == MOST_RECORDS {
            return Err(too_many(path, "rows", MOST_RECORDS));
        }
        let filled = header.iter().zip(record.iter());
        let cells = filled
            .filter(|(name, text)| !name.is_empty() && !text.is_empty())
            .map(|(name, text)| Cell {
                column: names.position(name),
                line,
                text: text.to_owned(),
            })
            .collect();
        records.push(Record { line, cells });
    }
    InputError::of_rows(path, bad)?;
    Ok(Records {
        columns: names.names,
        records,
    })
}

/// The line on which the record at `begin` really begins: the reader's position
/// is before the empty lines that it passes over.
fn line_at(text: &str, begin: &csv::Position) -> u64 {
    let rest = text.as_bytes().get(begin.byte() as usize..);
    let empty = rest.unwrap_or_default().iter();
    let empty = empty.take_while(|byte| matches!(byte, b'\n' | b'\r'));
    begin.line() + empty.filter(|byte| **byte == b'\n').count() as u64
}
