//! `train.batch_tokens`: units in an optimizer step.

use std::fmt;

use super::{mistake::Mistake, section::Field, value::Value};

/// Units (tokens, images) in one optimizer step.
#[derive(Clone, Copy, PartialEq)]
pub enum BatchUnits {
    /// So many, in whole examples.
    Exactly(u64),
    /// The whole number of examples nearest to that.
    About(u64),
    /// `units` in a trial that sees `d` of them, and more in one that sees more:
    /// [`Batch`](flops_fit_scaling::batch::Batch).
    Auto {
        /// Units; > 0.
        units: u64,
        /// D; > 0.
        d: f64,
    },
}

const EXPECTED: &str = "a whole number of at least 1, \"auto\", or { auto = 512, d = 1e6 }: 512 in a trial that sees 1e6, more in one that sees more";

impl BatchUnits {
    /// Units in a step where the manifest doesn't say: small, since the first
    /// trials of a sweep are.
    const USUAL: u64 = 512;

    /// D of a trial that has so many where the manifest doesn't say: about that of the
    /// demonstration's best size at 1e11 FLOPs, which was measured with them.
    const USUAL_D: f64 = 1e6;

    /// Where nothing is said.
    pub(super) const DEFAULT: Self = Self::About(Self::USUAL);

    pub(super) fn read(field: &Field<'_>) -> Result<Self, Box<Mistake>> {
        let usual = Self::Auto {
            units: Self::USUAL,
            d: Self::USUAL_D,
        };
        match &field.node.value {
            Value::Integer(_) | Value::Float(_) => Ok(Self::Exactly(field.whole(1)? as u64)),
            Value::Text(_) => field.word(&[("auto", usual)]),
            Value::Table(_) => {
                let table = field.table(EXPECTED, &["auto", "d"])?;
                Ok(Self::Auto {
                    units: table.required("auto", EXPECTED)?.whole(1)? as u64,
                    d: table
                        .required("d", EXPECTED)?
                        .number("a number of units above 0", |x| x > 0.0)?,
                })
            }
            _ => Err(field.unacceptable(EXPECTED)),
        }
    }

    /// The same for all trials: of a batch that grows what it grows from.
    #[must_use]
    pub fn constant(self) -> Self {
        match self {
            Self::Auto { units, .. } => Self::About(units),
            constant => constant,
        }
    }

    /// As the manifest has it; nothing where it has nothing.
    pub(super) fn resolved(self) -> Option<serde_json::Value> {
        match self {
            Self::Exactly(units) => Some(units.into()),
            Self::About(_) => None,
            Self::Auto { units, d } => Some(serde_json::json!({ "auto": units, "d": d })),
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
