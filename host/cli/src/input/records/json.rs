//! Objects in an array, in an array called `runs`, or one a line.
//!
//! Objects within an object are columns with dotted names, `config.n_layer`; a list is
//! one value, its own text.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{
    Cell, MOST_COLUMNS, MOST_RECORDS, Names, Record, Records, bad_line, line_breaks, too_many,
};
use crate::input::error::shortened;
use crate::input::{Culprit, InputError};

/// Deepest nesting of objects that become columns.
const DEEPEST: usize = 8;

/// What a file of JSON has to hold.
const EXPECTED: &str = "an array of objects, one a run (pandas: orient=\"records\"), or an object with such an array as `runs`";

/// An object's members in their order, repeated keys included.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    members.push((key, map.next_value()?));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Counts lines as offsets grow.
struct Lines<'a> {
    text: &'a str,
    offset: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str, line: u64) -> Self {
        Self {
            text,
            offset: 0,
            line,
        }
    }

    /// The line on which `part`, a piece of the text, begins.
    fn of(&mut self, part: &str) -> u64 {
        let offset = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let passed = self.text.as_bytes().get(self.offset..offset);
        self.line += passed.map_or(0, line_breaks);
        self.offset = self.offset.max(offset);
        self.line
    }
}

/// A file that is one JSON document.
pub(super) fn array(path: &Path, text: &str) -> Result<Records, InputError> {
    let failed = |source| InputError::Json {
        path: path.to_owned(),
        source,
    };
    let shape = || InputError::Shape {
        path: path.to_owned(),
        expected: EXPECTED,
    };
    let document: &RawValue = serde_json::from_str(text).map_err(failed)?;
    let runs = match document.get().as_bytes().first() {
        Some(b'[') => document,
        Some(b'{') => {
            let Members(members) = serde_json::from_str(document.get()).map_err(failed)?;
            let runs = members.into_iter().find(|(key, _)| key == "runs");
            runs.map(|(_, runs)| runs).ok_or_else(shape)?
        }
        _ => return Err(shape()),
    };
    if !runs.get().starts_with('[') {
        return Err(shape());
    }
    let items: Vec<&RawValue> = serde_json::from_str(runs.get()).map_err(failed)?;
    let mut lines = Lines::new(text, 1);
    collect(path, items.into_iter().map(RawValue::get), &mut lines)
}

/// A file of one object a line; empty lines are passed over.
pub(super) fn lines(path: &Path, text: &str) -> Result<Records, InputError> {
    let mut lines = Lines::new(text, 1);
    let objects = text.lines().map(str::trim).filter(|line| !line.is_empty());
    collect(path, objects, &mut lines)
}

fn collect<'a>(
    path: &Path,
    objects: impl Iterator<Item = &'a str>,
    lines: &mut Lines<'a>,
) -> Result<Records, InputError> {
    let mut names = Names::default();
    let mut records = Vec::new();
    let mut bad: Vec<Culprit> = Vec::new();
    for object in objects {
        let line = lines.of(object);
        if records.len() == MOST_RECORDS {
            return Err(too_many(path, "rows", MOST_RECORDS));
        }
        let members = match serde_json::from_str::<Members<'_>>(object) {
            Ok(members) => members,
            Err(error) => {
                bad.push(bad_line(line, found(object, &error), "a JSON object"));
                continue;
            }
        };
        let mut cells = Vec::new();
        flatten(members, "", 0, lines, &mut names, &mut cells);
        if names.names.len() > MOST_COLUMNS {
            return Err(too_many(path, "columns", MOST_COLUMNS));
        }
        records.push(Record { line, cells });
    }
    InputError::of_rows(path, bad)?;
    Ok(Records {
        columns: names.names,
        records,
    })
}

/// What stands where an object should, in a few words.
fn found(text: &str, error: &serde_json::Error) -> String {
    if !text.starts_with('{') {
        return shortened(text);
    }
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let place = format!("no valid JSON: {message} at character {}", error.column());
    let before = error.column().saturating_sub(1);
    let rest = text.get(before..).unwrap_or_default();
    let is_python = ["NaN", "Infinity", "-Infinity"];
    if is_python.iter().any(|word| rest.starts_with(word)) {
        return format!("{place} (for NaN and Infinity write null)");
    }
    place
}

fn flatten<'a>(
    Members(members): Members<'a>,
    prefix: &str,
    depth: usize,
    lines: &mut Lines<'a>,
    names: &mut Names,
    cells: &mut Vec<Cell>,
) {
    for (key, value) in members {
        let name = format!("{prefix}{key}");
        let raw = value.get();
        let text = match raw.as_bytes().first() {
            Some(b'{') if depth < DEEPEST => {
                if let Ok(inner) = serde_json::from_str(raw) {
                    let prefix = format!("{name}.");
                    flatten(inner, &prefix, depth + 1, lines, names, cells);
                }
                continue;
            }
            Some(b'"') => serde_json::from_str::<String>(raw).unwrap_or_default(),
            Some(b'n') => String::new(),
            _ => raw.to_owned(),
        };
        let column = names.position(&name);
        let text = text.trim();
        if !text.is_empty() {
            cells.push(Cell {
                column,
                line: lines.of(raw),
                text: text.to_owned(),
            });
        }
    }
}
