//! Which column gives which quantity.

use std::str::FromStr;

use super::error::InputError;
use super::formula::Formula;
use crate::manifest::nearest;

/// Quantities that are no numbers: words, and a list.
pub(super) const NOT_NUMBERS: [&str; 7] = [
    "trial", "status", "group", "reason", "curve", "retry_of", "tuning",
];

/// Quantities that a table's columns can give. Besides them there are further
/// counts of N, called `n_` and a name.
pub const FIELDS: [&str; 23] = [
    "n", "d", "c", "loss", "budget", "unique", "weight", "seed", "group", "curve", "trial",
    "status", "loss_se", "size", "lr", "spent", "attempt", "steps", "seconds", "reason",
    "retry_of", "tuning", "n_…",
];

/// Quantities that every run has to have.
pub(super) const NEEDED: [&str; 4] = ["n", "d", "c", "loss"];

/// Start of the name of a further count of N.
pub(super) const COUNT: &str = "n_";

/// `n=Model Size`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnFlag {
    /// The quantity, or a name for formulas to use.
    pub field: String,
    /// The column; empty to pass over the one that is called like the quantity.
    pub column: String,
}

/// A text without the form `FIELD=NAME`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected FIELD=NAME, a quantity and the column that gives it, such as n='Model Size'")]
pub struct ColumnFlagError;

impl FromStr for ColumnFlag {
    type Err = ColumnFlagError;

    fn from_str(text: &str) -> Result<Self, ColumnFlagError> {
        let (field, column) = text.split_once('=').ok_or(ColumnFlagError)?;
        let (field, column) = (field.trim(), column.trim());
        let is_name = field
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
        if field.is_empty() || !is_name {
            return Err(ColumnFlagError);
        }
        Ok(Self {
            field: field.to_owned(),
            column: column.to_owned(),
        })
    }
}

/// What was said about the columns of a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mapping {
    /// Quantities from columns of another name.
    pub columns: Vec<ColumnFlag>,
    /// Quantities from formulas, evaluated in this order.
    pub derived: Vec<Formula>,
}

/// A mapping that fits a table.
#[derive(Debug)]
pub(super) struct Sources<'a> {
    /// Each name with the position of its column.
    pub(super) columns: Vec<(&'a str, usize)>,
    pub(super) formulas: &'a [Formula],
}

impl Mapping {
    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.derived.is_empty()
    }

    /// Finds the columns in a table that has `names`.
    pub(super) fn resolve<'a>(
        &'a self,
        path: &std::path::Path,
        names: &'a [String],
    ) -> Result<Sources<'a>, InputError> {
        self.check_fields()?;
        let mut columns: Vec<(&str, usize)> = Vec::new();
        let mut passed_over: Vec<&str> = Vec::new();
        for ColumnFlag { field, column } in &self.columns {
            let known = columns.iter().map(|(known, _)| *known);
            if known.chain(passed_over.clone()).any(|known| known == field) {
                return Err(InputError::RepeatedField {
                    field: field.clone(),
                });
            }
            if column.is_empty() {
                passed_over.push(field);
                continue;
            }
            let position = names.iter().position(|name| name == column);
            let position = position.ok_or_else(|| InputError::UnknownColumn {
                path: path.to_owned(),
                field: field.clone(),
                column: column.clone(),
                nearest: nearest(column, names.iter().map(String::as_str)),
                columns: names.to_vec(),
            })?;
            columns.push((field, position));
        }
        // A column that is called like a quantity gives it, unless another does. Elsewhere
        // than in a runs.csv, `tuning` may be about anything.
        let is_ours = ["trial", "status"]
            .iter()
            .all(|own| names.iter().any(|name| name == own));
        for (position, name) in names.iter().enumerate() {
            let taken = columns.iter().map(|(known, _)| *known);
            let taken = taken.chain(passed_over.iter().copied());
            if name == "tuning" && !is_ours {
                continue;
            }
            if is_field(name) && !taken.into_iter().any(|known| known == name) {
                columns.push((name, position));
            }
        }
        let sources = Sources {
            columns,
            formulas: &self.derived,
        };
        sources.check_names(names)?;
        if let Some(&field) = NEEDED.iter().find(|field| !sources.gives(field)) {
            return Err(InputError::MissingColumn {
                path: path.to_owned(),
                field,
                nearest: likely(field, names),
                columns: names.to_vec(),
            });
        }
        Ok(sources)
    }

    /// Every name that is given a value is a quantity, or some formula uses it.
    fn check_fields(&self) -> Result<(), InputError> {
        let used = |name: &str| {
            let mut formulas = self.derived.iter();
            formulas.any(|formula| formula.names().iter().any(|(used, _)| *used == name))
        };
        let columns = self.columns.iter().map(|flag| ("--column", &flag.field));
        let derived = self
            .derived
            .iter()
            .map(|formula| ("--derive", &formula.name));
        let mut names = columns.chain(derived);
        if let Some((flag, name)) = names.find(|(_, name)| !is_field(name) && !used(name)) {
            return Err(InputError::UnknownField {
                flag,
                name: name.clone(),
                nearest: nearest(name, FIELDS),
            });
        }
        let no_number = self
            .derived
            .iter()
            .find(|formula| NOT_NUMBERS.contains(&formula.name.as_str()));
        no_number.map_or(Ok(()), |formula| {
            Err(InputError::NoNumber {
                formula: formula.to_string(),
                name: formula.name.clone(),
            })
        })
    }
}

impl Sources<'_> {
    fn gives(&self, field: &str) -> bool {
        self.columns.iter().any(|(name, _)| *name == field)
            || self.formulas.iter().any(|formula| formula.name == field)
    }

    /// Every name in a formula is a mapped column or was derived before.
    fn check_names(&self, names: &[String]) -> Result<(), InputError> {
        let mut known: Vec<&str> = self
            .columns
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| !NOT_NUMBERS.contains(name))
            .collect();
        for formula in self.formulas {
            let unknown = formula
                .names()
                .into_iter()
                .find(|(name, _)| !known.contains(name));
            if let Some((name, position)) = unknown {
                return Err(InputError::UnknownName {
                    formula: formula.to_string(),
                    position,
                    name: name.to_owned(),
                    is_column: names.iter().any(|column| column == name),
                    known: known.iter().map(|&name| name.to_owned()).collect(),
                });
            }
            known.push(&formula.name);
        }
        Ok(())
    }
}

fn is_field(name: &str) -> bool {
    FIELDS.contains(&name) || (name.starts_with(COUNT) && name.len() > COUNT.len())
}

/// The column that a quantity may stand in under a name of its own.
fn likely(field: &str, names: &[String]) -> Option<String> {
    let usual: &[&str] = match field {
        "n" => &[
            "n",
            "params",
            "parameters",
            "num_params",
            "model_size",
            "n_params",
        ],
        "d" => &[
            "d",
            "tokens",
            "training_tokens",
            "num_tokens",
            "dataset_size",
            "images",
        ],
        "c" => &[
            "c",
            "flops",
            "flop",
            "training_flop",
            "compute",
            "compute_budget",
        ],
        _ => &[
            "loss",
            "final_loss",
            "val_loss",
            "eval_loss",
            "test_loss",
            "valid_loss",
        ],
    };
    let plain = |name: &str| name.to_lowercase().replace(['-', '_', ' ', '.', '/'], "");
    let same = |usual: &&str| {
        names
            .iter()
            .find(|name| plain(name) == plain(usual))
            .cloned()
    };
    usual.iter().find_map(same)
}
