//! Sizes that make a budget lopsided.
//!
//! A polynomial through sizes that reach much farther to one side of the minimum
//! than to the other is bent by that side. The farthest sizes go, one at a time (of
//! hundreds a hundredth), until the window is nearly symmetric or only enough for a cubic are left.

use super::{Group, LeftOut, LeftOutReason};
use crate::isoflop::{CUBIC_POINTS, Curve, Lowest, MIN_POINTS};

/// One side may reach this many times as far in ln N as the other.
const LOPSIDED: f64 = 4.0;

/// Of so many sizes one goes before the minimum is looked for again.
const AT_ONCE: usize = 100;

/// How far the sizes reach from the minimum, in ln N.
pub(super) struct Reach {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Reach {
    pub(super) fn is_lopsided(&self) -> bool {
        self.low.max(self.high) > LOPSIDED * self.low.min(self.high)
    }
}

/// Reach around the minimum of the budget's default curve; `None` without one.
pub(super) fn reach(budget: &Group<'_>) -> Option<Reach> {
    let degree = match budget.sizes() {
        CUBIC_POINTS.. => 3,
        MIN_POINTS.. => 2,
        _ => return None,
    };
    let (curve, _) = Curve::fit(&budget.points(), degree)?;
    match curve.lowest() {
        Lowest::Inside(u) => Some(Reach {
            low: curve.half_width * (u + 1.0),
            high: curve.half_width * (1.0 - u),
        }),
        _ => None,
    }
}

pub(super) fn find(groups: &[Group<'_>]) -> Vec<LeftOut> {
    let mut left_out = Vec::new();
    for budget in groups {
        let mut budget = budget.clone();
        while budget.sizes() > CUBIC_POINTS {
            let Some(reach) = reach(&budget).filter(Reach::is_lopsided) else {
                break;
            };
            let mut sizes: Vec<f64> = budget.runs.iter().map(|(_, run)| run.n).collect();
            sizes.sort_by(f64::total_cmp);
            sizes.dedup();
            let many = (sizes.len() / AT_ONCE).max(1);
            let (farthest, far, near) = if reach.high > reach.low {
                (&sizes[sizes.len() - many..], reach.high, reach.low)
            } else {
                (&sizes[..many], reach.low, reach.high)
            };
            let (first, last) = (farthest[0], farthest[many - 1]);
            let is_farthest = |n: f64| (first..=last).contains(&n);
            left_out.extend(
                budget
                    .runs
                    .iter()
                    .filter(|(_, run)| is_farthest(run.n))
                    .map(|(run, _)| LeftOut {
                        run: *run,
                        reason: LeftOutReason::OffCenter {
                            far: far.exp(),
                            near: near.exp(),
                        },
                    }),
            );
            budget.runs.retain(|(_, run)| !is_farthest(run.n));
        }
    }
    left_out
}
