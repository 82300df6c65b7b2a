//! A table as it stands in a file: named columns, records with their lines, and
//! cells that are still text.
//!
//! What it keeps true: any bytes give records or an error that names the file,
//! never a panic, and memory stays in proportion to the file, whose size is
//! limited.

mod delimited;
mod json;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::{Culprit, InputError};

/// Largest file, in bytes: a million runs with a dozen columns are half of it.
pub const LARGEST: u64 = 256 << 20;

/// Most records.
pub const MOST_RECORDS: usize = 1_000_000;

/// Most columns: of a table with more, something else than a table was read.
pub const MOST_COLUMNS: usize = 10_000;

/// How a table is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// RFC 4180 with a header.
    Csv,
    /// The same with tabs.
    Tsv,
    /// An array of objects, or an object whose `runs` is one.
    Json,
    /// One object a line.
    #[value(name = "jsonl")]
    JsonLines,
}

impl Form {
    /// What the file's name says; `None` for anything but `.csv`, `.tsv`, `.json`,
    /// `.jsonl` and `.ndjson`.
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "csv" => Some(Self::Csv),
            "tsv" => Some(Self::Tsv),
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            _ => None,
        }
    }
}

/// The table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Records {
    /// Names of the columns, in the order in which they are met.
    pub(super) columns: Vec<String>,
    pub(super) records: Vec<Record>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Line on which it begins, from 1.
    pub(super) line: u64,
    /// What is known of it.
    pub(super) cells: Vec<Cell>,
}

/// What stands in one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    /// Position of the column.
    pub(super) column: usize,
    /// Line, from 1.
    pub(super) line: u64,
    /// The text, trimmed; never empty.
    pub(super) text: String,
}

impl Records {
    /// The records of the file at `path`.
    pub(super) fn read(path: &Path, form: Form) -> Result<Self, InputError> {
        Self::parse(path, form, &bytes(path)?)
    }

    /// The records in `bytes`, which are those of `path`.
    pub(super) fn parse(path: &Path, form: Form, bytes: &[u8]) -> Result<Self, InputError> {
        let text = std::str::from_utf8(bytes).map_err(|error| InputError::NotText {
            path: path.to_owned(),
            line: line_of(bytes, error.valid_up_to()),
        })?;
        if let Some(offset) = text.find('\0') {
            return Err(InputError::NotText {
                path: path.to_owned(),
                line: line_of(bytes, offset),
            });
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        match form {
            Form::Csv => delimited::parse(path, text, b','),
            Form::Tsv => delimited::parse(path, text, b'\t'),
            Form::Json => json::array(path, text),
            Form::JsonLines => json::lines(path, text),
        }
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, InputError> {
    let failed = |source| InputError::Io {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    // One byte more than is allowed tells whether there is more.
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(InputError::TooLarge {
            path: path.to_owned(),
            what: "bytes",
            limit: LARGEST,
        });
    }
    Ok(bytes)
}

/// The line of the byte at `offset`, from 1.
fn line_of(bytes: &[u8], offset: usize) -> u64 {
    1 + line_breaks(&bytes[..offset.min(bytes.len())])
}

fn line_breaks(bytes: &[u8]) -> u64 {
    (bytes.split(|byte| *byte == b'\n').count() as u64).saturating_sub(1)
}

fn too_many(path: &Path, what: &'static str, limit: usize) -> InputError {
    InputError::TooLarge {
        path: path.to_owned(),
        what,
        limit: limit as u64,
    }
}

/// Names of columns, each with a fixed position.
#[derive(Default)]
struct Names {
    names: Vec<String>,
    positions: std::collections::HashMap<String, usize>,
}

impl Names {
    fn position(&mut self, name: &str) -> usize {
        if let Some(position) = self.positions.get(name) {
            return *position;
        }
        let position = self.names.len();
        self.names.push(name.to_owned());
        self.positions.insert(name.to_owned(), position);
        position
    }
}

/// A line that is no record.
fn bad_line(line: u64, found: impl Into<String>, expected: &'static str) -> Culprit {
    Culprit {
        line,
        column: None,
        found: found.into(),
        expected: expected.into(),
    }
}
