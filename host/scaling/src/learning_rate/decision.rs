//! What to try next, by what was tried.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    EXTENSIONS, Minimum, Settled, Transfer,
    curve::{End, Tried, best, lowest, open_end},
    law::short,
};
use crate::quantity;

/// A size at a budget, and what was tried there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Value of the size parameter.
    pub size: i64,
    /// FLOPs of a trial.
    pub budget: f64,
    /// Parameters N.
    pub n: f64,
    /// Units of data D.
    pub d: f64,
    /// The rates, ascending.
    pub tried: Vec<Tried>,
}

/// A trial that is to be trained.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    /// Position among the points.
    pub point: usize,
    /// The rate.
    pub lr: f64,
}

/// A point whose lowest loss stayed at an end of the rates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// Value of the size parameter.
    pub size: i64,
    /// FLOPs of a trial.
    pub budget: f64,
    /// Which end.
    pub end: End,
    /// The rate there.
    pub lr: f64,
    /// Whether every rate diverged.
    pub all_diverged: bool,
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Decision {
    /// The rates that were asked for, at every point.
    First {
        /// The trials.
        trials: Vec<Wanted>,
    },
    /// More of them, at points whose lowest loss is at an end.
    Extend {
        /// The trials, one for each such point.
        trials: Vec<Wanted>,
        /// How often that has been done, this time included.
        extension: usize,
        /// How often it may be.
        of: usize,
    },
    /// The rates are found.
    Settle(Settled),
    /// No point has a best rate.
    GiveUp {
        /// The points.
        open: Vec<Open>,
    },
}

/// What to do after `points` were tried, of which each has been trained at `rates`,
/// ascending, or none has.
pub fn decide(transfer: Transfer, rates: &[f64], points: &[Point]) -> Decision {
    if points.iter().all(|point| point.tried.is_empty()) {
        let at_all = |point| rates.iter().map(move |&lr| Wanted { point, lr });
        return Decision::First {
            trials: (0..points.len()).flat_map(at_all).collect(),
        };
    }
    let more = points.iter().enumerate().filter_map(|(at, point)| {
        let extended = point.tried.len().saturating_sub(rates.len());
        let end = open_end(&point.tried).filter(|_| extended < EXTENSIONS)?;
        let lr = beyond(&point.tried, end)?;
        Some((extended + 1, Wanted { point: at, lr }))
    });
    let (extended, trials): (Vec<usize>, Vec<Wanted>) = more.unzip();
    if let Some(&extension) = extended.iter().max() {
        return Decision::Extend {
            trials,
            extension,
            of: EXTENSIONS,
        };
    }
    let (mut minima, mut open) = (Vec::new(), Vec::new());
    for point in points {
        match best(&point.tried) {
            Some(best) => minima.push(Minimum {
                size: point.size,
                budget: point.budget,
                n: point.n,
                d: point.d,
                lr: best.lr,
            }),
            None => open.extend(Open::of(point)),
        }
    }
    match Settled::of(transfer, minima, open.clone()) {
        Some(settled) => Decision::Settle(settled),
        None => Decision::GiveUp { open },
    }
}

/// The rate beyond `end` of `tried`, as far off as its neighbour on the other side.
fn beyond(tried: &[Tried], end: End) -> Option<f64> {
    let (last, before) = match end {
        End::Low => (tried.first()?, tried.get(1)?),
        End::High => (tried.last()?, tried.get(tried.len().checked_sub(2)?)?),
    };
    let lr = last.lr * (last.lr / before.lr);
    (lr.is_normal() && lr > 0.0).then_some(lr)
}

impl Open {
    fn of(point: &Point) -> Option<Self> {
        let end = open_end(&point.tried)?;
        let tried = match end {
            End::Low => point.tried.first()?,
            End::High => point.tried.last()?,
        };
        Some(Self {
            size: point.size,
            budget: point.budget,
            end,
            lr: tried.lr,
            all_diverged: lowest(&point.tried).is_none(),
        })
    }
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (end, beyond) = match self.end {
            End::Low => ("lowest", "below"),
            End::High => ("highest", "above"),
        };
        if self.all_diverged {
            return write!(
                f,
                "size {} at {} FLOPs diverges at every rate tried, down to {}",
                self.size,
                quantity::flops(self.budget),
                short(self.lr)
            );
        }
        write!(
            f,
            "size {} at {} FLOPs: the loss is lowest at the {end} rate tried, {}, so that the best one is {beyond} it",
            self.size,
            quantity::flops(self.budget),
            short(self.lr)
        )
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First { trials } => write!(f, "{} trials at the rates listed", trials.len()),
            Self::Extend {
                trials,
                extension,
                of,
            } => {
                let rates: Vec<String> = trials.iter().map(|wanted| short(wanted.lr)).collect();
                write!(
                    f,
                    "{} more at {}, where the loss is lowest at an end of the rates, extension {extension} of {of} at most",
                    trials.len(),
                    rates.join(", ")
                )
            }
            Self::Settle(settled) => settled.fmt(f),
            Self::GiveUp { .. } => f.write_str("no point has a best rate"),
        }
    }
}
