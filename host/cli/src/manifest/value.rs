//! The manifest as a tree in which every key and value knows its origin.

use std::{collections::BTreeMap, fmt};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::origin::{Origin, Text};

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// Where.
    pub(super) origin: Origin,
    /// What.
    pub(super) value: Value,
}

/// What TOML can hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// A string.
    Text(String),
    /// An integer.
    Integer(i64),
    /// A float.
    Float(f64),
    /// A boolean.
    Boolean(bool),
    /// A date or time, as written.
    Datetime(String),
    /// An array.
    Array(Vec<Node>),
    /// A table.
    Table(Table),
}

/// A table: its entries, and whether it was written as one value.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Table {
    /// Entries by key.
    pub(super) entries: BTreeMap<String, Entry>,
    /// Written as `{ … }`: it replaces another table where layers meet, while
    /// tables under a `[header]` are merged key by key.
    pub(super) inline: bool,
}

/// One `key = value`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// Where the key stands.
    pub(super) key: Origin,
    /// The value.
    pub(super) node: Node,
}

/// A number that TOML allows and no setting can hold.
#[derive(Debug)]
pub(super) struct OutOfRange {
    pub(super) origin: Origin,
    pub(super) literal: String,
}

impl Node {
    pub(super) fn from_toml(
        value: &Spanned<DeValue<'_>>,
        text: &Text<'_>,
        inline: impl Fn(usize) -> bool + Copy,
    ) -> Result<Self, OutOfRange> {
        let start = value.span().start;
        let origin = text.at(start);
        let out_of_range = |literal: String| OutOfRange {
            origin: origin.clone(),
            literal,
        };
        let value = match value.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(integer) => {
                match i64::from_str_radix(integer.as_str(), integer.radix()) {
                    Ok(integer) => Value::Integer(integer),
                    Err(_) => return Err(out_of_range(integer.to_string())),
                }
            }
            DeValue::Float(float) => match float.as_str().parse() {
                Ok(float) => Value::Float(float),
                Err(_) => return Err(out_of_range(float.to_string())),
            },
            DeValue::Boolean(boolean) => Value::Boolean(*boolean),
            DeValue::Datetime(datetime) => Value::Datetime(datetime.to_string()),
            DeValue::Array(items) => Value::Array(
                items
                    .iter()
                    .map(|item| Self::from_toml(item, text, inline))
                    .collect::<Result<_, _>>()?,
            ),
            DeValue::Table(table) => {
                let mut table = Table::from_toml(table, text, inline)?;
                table.inline = inline(start);
                Value::Table(table)
            }
        };
        Ok(Self { origin, value })
    }

    /// The value at a dotted path below this one, or its nearest ancestor.
    pub(super) fn nearest<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> &Self {
        let mut node = self;
        for key in path {
            let next = match &node.value {
                Value::Table(table) => table.entries.get(key).map(|entry| &entry.node),
                Value::Array(items) => key.parse::<usize>().ok().and_then(|i| items.get(i)),
                _ => None,
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node
    }

    /// The value as JSON, which is how a plugin is given its configuration.
    /// `None` for what JSON can't say: infinities and NaN.
    pub(super) fn to_json(&self) -> Result<serde_json::Value, &Self> {
        Ok(match &self.value {
            Value::Text(text) | Value::Datetime(text) => text.as_str().into(),
            Value::Integer(integer) => (*integer).into(),
            Value::Float(float) => match serde_json::Number::from_f64(*float) {
                Some(number) => number.into(),
                None => return Err(self),
            },
            Value::Boolean(boolean) => (*boolean).into(),
            Value::Array(items) => items
                .iter()
                .map(Self::to_json)
                .collect::<Result<Vec<_>, _>>()?
                .into(),
            Value::Table(table) => serde_json::Value::Object(
                table
                    .entries
                    .iter()
                    .map(|(key, entry)| Ok((key.clone(), entry.node.to_json()?)))
                    .collect::<Result<_, _>>()?,
            ),
        })
    }
}

impl Table {
    pub(super) fn from_toml(
        table: &DeTable<'_>,
        text: &Text<'_>,
        inline: impl Fn(usize) -> bool + Copy,
    ) -> Result<Self, OutOfRange> {
        let mut entries = BTreeMap::new();
        for (key, value) in table {
            let entry = Entry {
                key: text.at(key.span().start),
                node: Node::from_toml(value, text, inline)?,
            };
            entries.insert(key.get_ref().to_string(), entry);
        }
        Ok(Self {
            entries,
            inline: false,
        })
    }

    /// Lays `over` on top of this table.
    pub(super) fn merge(&mut self, over: Self) {
        for (key, entry) in over.entries {
            match (self.entries.get_mut(&key), entry) {
                (
                    Some(Entry {
                        key: old_key,
                        node:
                            Node {
                                value: Value::Table(below),
                                origin,
                            },
                    }),
                    Entry {
                        key: new_key,
                        node:
                            Node {
                                value: Value::Table(above),
                                origin: new_origin,
                            },
                    },
                ) if !above.inline => {
                    *old_key = new_key;
                    *origin = new_origin;
                    below.merge(above);
                }
                (_, entry) => {
                    self.entries.insert(key, entry);
                }
            }
        }
    }
}

/// The value as a message shows it: its type and, if it is short, itself.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) if text.chars().count() > 60 => {
                let start: String = text.chars().take(57).collect();
                write!(f, "the string {:?}", format!("{start}..."))
            }
            Self::Text(text) => write!(f, "the string {text:?}"),
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::Float(float) if float.abs() >= 1e6 => write!(f, "{float:e}"),
            Self::Float(float) => write!(f, "{float:?}"),
            Self::Boolean(boolean) => write!(f, "{boolean}"),
            Self::Datetime(datetime) => write!(f, "the date {datetime}"),
            Self::Array(items) if items.is_empty() => f.write_str("an empty list"),
            Self::Array(items) => write!(f, "a list of {}", items.len()),
            Self::Table(_) => f.write_str("a table"),
        }
    }
}
