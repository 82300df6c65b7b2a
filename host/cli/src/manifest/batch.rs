//! `train.batch_tokens`: units in an optimizer step.

use std::fmt;

use flops_fit_scaling::batch::Batch;

use super::{mistake::Mistake, section::Field, value::Value};

/// Units (tokens, images) in one optimizer step.
#[derive(Clone, Copy, PartialEq)]
pub enum BatchUnits {
    /// So many, in whole examples.
    Exactly(u64),
    /// The whole number of examples nearest to that.
    About(u64),
    /// `units` in a trial that sees `d` of them, and more in one that sees more:
    /// [`Batch`].
    Auto {
        /// Units; > 0.
        units: u64,
        /// D; > 0.
        d: f64,
    },
    /// The same from the whole number of examples nearest to [`USUAL`](Self::USUAL) at
    /// [`USUAL_D`](Self::USUAL_D).
    Usual,
}

const EXPECTED: &str = "a whole number of at least 1, \"auto\", or { auto = 512, d = 1e6 }: 512 in a trial that sees 1e6, more in one that sees more";

const EXPECTED_UNITS: &str =
    "a whole number of at least 1, the units in a step of a trial that sees `d` of them";

const EXPECTED_D: &str =
    "a number of units above 0, those that a trial sees whose step has `auto` of them";

impl BatchUnits {
    /// Units in a step where the manifest doesn't say: small, since the first
    /// trials of a sweep are.
    pub const USUAL: u64 = 512;

    /// D of a trial that has so many where the manifest doesn't say: about that of the
    /// demonstration's best size at 1e11 FLOPs, which was measured with them.
    pub const USUAL_D: f64 = 1e6;

    /// Where nothing is said.
    pub(super) const DEFAULT: Self = Self::About(Self::USUAL);

    pub(super) fn read(field: &Field<'_>) -> Result<Self, Box<Mistake>> {
        match &field.node.value {
            Value::Integer(_) | Value::Float(_) => Ok(Self::Exactly(field.whole(1)? as u64)),
            // A number in quotes is no misspelt word.
            Value::Text(text) if text.trim().parse::<f64>().is_ok() => {
                Err(field.unacceptable(EXPECTED))
            }
            Value::Text(_) => field.word(&[("auto", Self::Usual)]),
            Value::Table(_) => {
                let table = field.table(EXPECTED, &["auto", "d"])?;
                Ok(Self::Auto {
                    units: table.required("auto", EXPECTED_UNITS)?.whole(1)? as u64,
                    d: table
                        .required("d", EXPECTED_D)?
                        .number(EXPECTED_D, |x| x > 0.0)?,
                })
            }
            _ => Err(field.unacceptable(EXPECTED)),
        }
    }

    /// Whether it grows with a trial's D.
    pub fn grows(self) -> bool {
        matches!(self, Self::Auto { .. } | Self::Usual)
    }

    /// Units in a step; of a batch that grows those that it grows from.
    pub fn units(self) -> u64 {
        match self {
            Self::Exactly(units) | Self::About(units) | Self::Auto { units, .. } => units,
            Self::Usual => Self::USUAL,
        }
    }

    /// The same for all trials: of a batch that grows what it grows from.
    #[must_use]
    pub fn constant(self) -> Self {
        match self {
            Self::Auto { units, .. } => Self::About(units),
            Self::Usual => Self::DEFAULT,
            constant => constant,
        }
    }

    /// The same for all trials: what one that sees `d` units has.
    #[must_use]
    pub fn at(self, d: f64) -> Self {
        let (examples, grows_from) = match self {
            Self::Auto { units, d } => (units, Some(d)),
            Self::Usual => (Self::USUAL, Some(Self::USUAL_D)),
            constant => return constant,
        };
        // Whole examples are rounded to where their length is known.
        let batch = Batch {
            units_per_example: 1,
            examples,
            grows_from,
        };
        Self::About(batch.units_at(d))
    }

    /// As the manifest has it; nothing where it has nothing.
    pub(super) fn resolved(self) -> Option<serde_json::Value> {
        match self {
            Self::Exactly(units) => Some(units.into()),
            Self::About(_) => None,
            Self::Auto { units, d } => Some(serde_json::json!({ "auto": units, "d": d })),
            Self::Usual => Some("auto".into()),
        }
    }
}

/// What `rate.json` and `tuning.json` are good for is told by a hash of `[train]` in this
/// form. Those of older folders know a batch as an option.
impl fmt::Debug for BatchUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(units) => Some(units).fmt(f),
            Self::About(_) => f.write_str("None"),
            Self::Auto { units, d } => write!(f, "Auto {{ units: {units}, d: {d:?} }}"),
            Self::Usual => f.write_str("Usual"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_batch_is_told_as_it_was() {
        let told = |batch: BatchUnits| format!("{batch:?}");
        assert_eq!(told(BatchUnits::Exactly(512)), format!("{:?}", Some(512)));
        assert_eq!(told(BatchUnits::DEFAULT), format!("{:?}", None::<u64>));
        let auto = |d| told(BatchUnits::Auto { units: 512, d });
        assert_ne!(auto(1e6), auto(2e6));
    }
}
