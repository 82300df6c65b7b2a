//! Decisions and their reasons, to be kept and told.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::rounds::Finding;
use crate::isoflop::{Diagnosis, Outcome};
use crate::quantity;

/// What was found at the budget trained last, and what follows from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// What that budget says; absent before the first round.
    pub found: Option<Found>,
    /// What follows.
    pub action: Action,
}

/// What a budget says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Found {
    /// A minimum that counts.
    Minimum {
        /// FLOPs.
        budget: f64,
        /// N*.
        n: f64,
        /// Its 95 % interval.
        ci95: [f64; 2],
    },
    /// None.
    None {
        /// FLOPs.
        budget: f64,
        /// Why; absent where nothing completed.
        diagnosis: Option<Diagnosis>,
    },
}

/// What is done next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// A round.
    Train {
        /// FLOPs of each trial.
        budget: f64,
        /// Values of the size parameter; none where no candidate can be trained there.
        sizes: Vec<i64>,
        /// Why these.
        reason: Reason,
    },
    /// Nothing.
    Stop {
        /// Why not.
        reason: Reason,
    },
}

/// Why something is done.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// The lowest budget comes first.
    First {
        /// N in the middle of its sizes.
        center: f64,
    },
    /// A budget has no minimum yet.
    Extended {
        /// How often its sizes have been extended, this time included.
        extension: usize,
        /// How often they may be.
        of: usize,
    },
    /// The next budget.
    Extrapolated {
        /// N that is expected to be optimal there.
        center: f64,
        /// Exponent of N* in C by which it is expected.
        exponent: f64,
    },
    /// There is no further budget.
    AllTrained,
    /// The answer is known as well as wished.
    Answered {
        /// FLOPs that it is about.
        target: f64,
        /// N* is known within this factor either way.
        factor: f64,
        /// L* is known within this either way.
        half_width: f64,
    },
}

impl From<Finding> for Found {
    fn from(finding: Finding) -> Self {
        let budget = finding.budget;
        match finding.outcome {
            Some(Outcome::Minimum(minimum)) => Self::Minimum {
                budget,
                n: minimum.n.estimate,
                ci95: [minimum.n.low, minimum.n.high],
            },
            Some(Outcome::Undetermined(diagnosis)) => Self::None {
                budget,
                diagnosis: Some(diagnosis),
            },
            None => Self::None {
                budget,
                diagnosis: None,
            },
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Minimum {
                budget,
                n,
                ci95: [low, high],
            } => write!(
                f,
                "at {} FLOPs N* = {} ({}–{})",
                quantity::flops(*budget),
                quantity::count(*n),
                quantity::count(*low),
                quantity::count(*high)
            ),
            Self::None { budget, diagnosis } => {
                write!(f, "at {} FLOPs no minimum: ", quantity::flops(*budget))?;
                match diagnosis {
                    Some(diagnosis) => write!(f, "{diagnosis}"),
                    None => f.write_str("no run is fitted"),
                }
            }
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First { center } => write!(
                f,
                "the lowest budget first, widely around N = {}",
                quantity::count(*center)
            ),
            Self::Extended { extension, of } => {
                write!(f, "for a minimum, extension {extension} of {of} at most")
            }
            Self::Extrapolated { center, exponent } => write!(
                f,
                "around N = {}, where earlier budgets lead with an exponent of {exponent:.2}",
                quantity::count(*center)
            ),
            Self::AllTrained => f.write_str("every budget has been trained"),
            Self::Answered {
                target,
                factor,
                half_width,
            } => write!(
                f,
                "at {} FLOPs N* is known within ×/÷ {factor:.2} and L* within ± {}, as wished",
                quantity::flops(*target),
                quantity::loss(*half_width)
            ),
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(found) = &self.found {
            write!(f, "{found}; ")?;
        }
        match &self.action {
            Action::Train {
                budget,
                sizes,
                reason,
            } => {
                write!(f, "{} FLOPs ", quantity::flops(*budget))?;
                match sizes.as_slice() {
                    [] => f.write_str("with no size, since none can be trained there")?,
                    [one] => write!(f, "with size {one}")?,
                    [first, .., last] => {
                        write!(f, "with {} sizes from {first} to {last}", sizes.len())?;
                    }
                }
                write!(f, ", {reason}")
            }
            Action::Stop { reason } => write!(f, "end: {reason}"),
        }
    }
}
