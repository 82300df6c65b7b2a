//! Typed reading of the tree: a section knows its accepted keys, a field knows
//! its dotted name, and each wrong one becomes a [`Mistake`].

use crate::amount::Amount;

use super::{
    mistake::{Mistake, Problem, nearest},
    origin::Origin,
    value::{Entry, Node, Table, Value},
};

/// One table of the manifest, its keys already checked for existence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section<'a> {
    /// Dotted name; empty for the whole manifest.
    name: &'a str,
    origin: &'a Origin,
    table: &'a Table,
}

/// One value of the manifest.
#[derive(Debug, Clone)]
pub(super) struct Field<'a> {
    /// Dotted name.
    pub(super) key: String,
    pub(super) node: &'a Node,
}

static EMPTY: Table = Table {
    entries: std::collections::BTreeMap::new(),
    inline: false,
};

impl<'a> Section<'a> {
    /// The whole manifest.
    pub(super) fn root(node: &'a Node, accepted: &[&str]) -> Result<Self, Box<Mistake>> {
        let Value::Table(table) = &node.value else {
            unreachable!("a TOML document is a table");
        };
        Self {
            name: "",
            origin: &node.origin,
            table,
        }
        .accepting(accepted)
    }

    /// The table `name` of the manifest; an absent one has no keys.
    pub(super) fn open(&self, name: &'a str, accepted: &[&str]) -> Result<Self, Box<Mistake>> {
        match self.get(name) {
            Some(field) => {
                let Value::Table(table) = &field.node.value else {
                    return Err(field.unacceptable(format!("a table [{name}]")));
                };
                Self {
                    name,
                    origin: &field.node.origin,
                    table,
                }
                .accepting(accepted)
            }
            None => Ok(Self {
                name,
                origin: self.origin,
                table: &EMPTY,
            }),
        }
    }

    fn accepting(self, accepted: &[&str]) -> Result<Self, Box<Mistake>> {
        self.table
            .entries
            .iter()
            .filter(|(key, _)| !accepted.contains(&key.as_str()))
            .min_by_key(|(_, entry)| position(&entry.key))
            .map_or(Ok(self), |(key, entry)| {
                Err(Box::new(Mistake {
                    origin: entry.key.clone(),
                    key: self.dotted(key),
                    problem: Problem::UnknownKey {
                        accepted: accepted.iter().map(|&key| key.to_owned()).collect(),
                        nearest: nearest(key, accepted.iter().copied()),
                    },
                }))
            })
    }

    fn dotted(&self, key: &str) -> String {
        if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        }
    }

    /// The value of `key`, if it is there.
    pub(super) fn get(&self, key: &str) -> Option<Field<'a>> {
        self.table.entries.get(key).map(|Entry { node, .. }| Field {
            key: self.dotted(key),
            node,
        })
    }

    /// The value of `key`; `expected` is the end of "missing; expected …".
    pub(super) fn required(&self, key: &str, expected: &str) -> Result<Field<'a>, Box<Mistake>> {
        self.get(key).ok_or_else(|| self.missing(key, expected))
    }

    pub(super) fn missing(&self, key: &str, expected: &str) -> Box<Mistake> {
        Box::new(Mistake {
            origin: self.origin.clone(),
            key: self.dotted(key),
            problem: Problem::Missing {
                expected: expected.to_owned(),
            },
        })
    }

    /// `read` of the value of `key`, or `default` where it is absent.
    pub(super) fn or<T>(
        &self,
        key: &str,
        default: T,
        read: impl FnOnce(&Field<'a>) -> Result<T, Box<Mistake>>,
    ) -> Result<T, Box<Mistake>> {
        self.get(key).map_or(Ok(default), |field| read(&field))
    }

    /// `read` of the value of `key` where it is there.
    pub(super) fn maybe<T>(
        &self,
        key: &str,
        read: impl FnOnce(&Field<'a>) -> Result<T, Box<Mistake>>,
    ) -> Result<Option<T>, Box<Mistake>> {
        self.get(key).map(|field| read(&field)).transpose()
    }
}

fn position(origin: &Origin) -> (usize, usize) {
    match origin {
        Origin::File { line, column, .. } => (*line, *column),
        Origin::Set { .. } => (0, 0),
    }
}

impl<'a> Field<'a> {
    pub(super) fn mistake(&self, problem: Problem) -> Box<Mistake> {
        Box::new(Mistake {
            origin: self.node.origin.clone(),
            key: self.key.clone(),
            problem,
        })
    }

    pub(super) fn unacceptable(&self, expected: impl Into<String>) -> Box<Mistake> {
        self.mistake(Problem::Unacceptable {
            found: self.node.value.to_string(),
            expected: expected.into(),
        })
    }

    /// A string that isn't empty.
    pub(super) fn text(&self, expected: &str) -> Result<String, Box<Mistake>> {
        match &self.node.value {
            Value::Text(text) if !text.trim().is_empty() => Ok(text.clone()),
            _ => Err(self.unacceptable(expected)),
        }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, Box<Mistake>> {
        let accepted = || words.iter().map(|(word, _)| (*word).to_owned()).collect();
        let Value::Text(found) = &self.node.value else {
            let accepted: Vec<String> = accepted();
            return Err(self.unacceptable(format!("one of \"{}\"", accepted.join("\", \""))));
        };
        words
            .iter()
            .find(|(word, _)| word == found)
            .map(|(_, meaning)| *meaning)
            .ok_or_else(|| {
                self.mistake(Problem::UnknownWord {
                    found: found.clone(),
                    accepted: accepted(),
                    nearest: nearest(found, words.iter().map(|(word, _)| *word)),
                })
            })
    }

    /// A finite number that `accepts` likes.
    pub(super) fn number(
        &self,
        expected: &str,
        accepts: impl Fn(f64) -> bool,
    ) -> Result<f64, Box<Mistake>> {
        let number = match self.node.value {
            Value::Integer(integer) => integer as f64,
            Value::Float(float) => float,
            _ => return Err(self.unacceptable(expected)),
        };
        if number.is_finite() && accepts(number) {
            Ok(number)
        } else {
            Err(self.unacceptable(expected))
        }
    }

    /// FLOPs above 0 that `accepts` likes: a number, or a text such as
    /// `"10 PFLOP-days"`.
    pub(super) fn flops(
        &self,
        expected: &str,
        accepts: impl Fn(f64) -> bool,
    ) -> Result<f64, Box<Mistake>> {
        match self.amount(expected)? {
            Amount::Flops(flops) if accepts(flops) => Ok(flops),
            Amount::Flops(_) => Err(self.unacceptable(expected)),
            Amount::Seconds(_) => Err(self.unacceptable(format!(
                "{expected}; a time may stand in the list sweep.budgets alone"
            ))),
        }
    }

    /// The same, or a time such as `"2 h"`.
    pub(super) fn amount(&self, expected: &str) -> Result<Amount, Box<Mistake>> {
        match &self.node.value {
            Value::Text(text) => text
                .parse()
                .map_err(|_| self.unacceptable(format!("{expected} or \"10 PFLOP-days\""))),
            _ => self.number(expected, |x| x > 0.0).map(Amount::Flops),
        }
    }

    /// A whole number of at least `least`; `1e4` counts as one.
    pub(super) fn whole(&self, least: i64) -> Result<i64, Box<Mistake>> {
        let expected = || self.unacceptable(format!("a whole number of at least {least}"));
        let integer = match self.node.value {
            Value::Integer(integer) => integer,
            Value::Float(float) if float.fract() == 0.0 && float.abs() < 9e15 => float as i64,
            _ => return Err(expected()),
        };
        if integer >= least {
            Ok(integer)
        } else {
            Err(expected())
        }
    }

    /// `true` or `false`.
    pub(super) fn truth(&self) -> Result<bool, Box<Mistake>> {
        match self.node.value {
            Value::Boolean(truth) => Ok(truth),
            _ => Err(self.unacceptable("true or false")),
        }
    }

    /// A whole number from `least` to `most`.
    pub(super) fn within(&self, least: i64, most: i64) -> Result<i64, Box<Mistake>> {
        let integer = self.whole(least)?;
        if integer <= most {
            Ok(integer)
        } else {
            Err(self.unacceptable(format!("a whole number from {least} to {most}")))
        }
    }

    /// The elements of a list of at most `most`.
    pub(super) fn short_list(
        &self,
        expected: &str,
        most: usize,
    ) -> Result<Vec<Field<'a>>, Box<Mistake>> {
        let list = self.list(expected)?;
        if list.len() <= most {
            return Ok(list);
        }
        Err(self.unacceptable(format!("{expected}, of at most {most} elements")))
    }

    /// The elements of a list that isn't empty.
    pub(super) fn list(&self, expected: &str) -> Result<Vec<Field<'a>>, Box<Mistake>> {
        match &self.node.value {
            Value::Array(items) if !items.is_empty() => Ok(items
                .iter()
                .enumerate()
                .map(|(i, node)| Field {
                    key: format!("{}[{i}]", self.key),
                    node,
                })
                .collect()),
            _ => Err(self.unacceptable(expected)),
        }
    }

    /// A table with these keys at most.
    pub(super) fn table<'f>(
        &'f self,
        expected: &str,
        accepted: &[&str],
    ) -> Result<Section<'f>, Box<Mistake>> {
        match &self.node.value {
            Value::Table(table) => Section {
                name: &self.key,
                origin: &self.node.origin,
                table,
            }
            .accepting(accepted),
            _ => Err(self.unacceptable(expected)),
        }
    }

    /// The value as JSON.
    pub(super) fn json(&self) -> Result<serde_json::Value, Box<Mistake>> {
        self.node.to_json().map_err(|node| {
            Box::new(Mistake {
                origin: node.origin.clone(),
                key: self.key.clone(),
                problem: Problem::Unacceptable {
                    found: node.value.to_string(),
                    expected: "a finite number".to_owned(),
                },
            })
        })
    }
}
