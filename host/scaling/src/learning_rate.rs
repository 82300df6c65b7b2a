//! The learning rate of a sweep, tuned at a few of its points.
//!
//! Each point, a size at a budget, is trained at several rates; the best one is where the
//! parabola in ln η through the lowest loss and its neighbours is lowest. Where the lowest
//! loss is at an end of the rates, one is added beyond it, three times at most. Then the
//! best rates become one rate for all trials, as a parametrisation promises under which
//! the best rate does not move with the width (u-μP, Blake et al. 2024, arXiv 2407.17465),
//! or a law in N and D, η = η₀·(N/N₀)^a·(D/D₀)^b.
//!
//! What it keeps true: a decision is a pure function of what was trained, so it can be
//! made again from results alone; and tuning with all its extensions costs no more than
//! a stated share of the sweep.

mod curve;
mod decision;
mod design;
mod law;

pub use curve::{Best, End, Tried, best, lowest, open_end};
pub use decision::{Decision, Open, Point, Wanted, decide};
pub use design::{Design, DesignError, Place, places};
pub use law::{Basis, Minimum, RateLaw, STEEPEST, Settled};

use serde::{Deserialize, Serialize};

/// How often a rate is added to a point whose lowest loss is at an end.
pub const EXTENSIONS: usize = 3;

/// How the best rates of a few points become those of all trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transfer {
    /// One rate serves all.
    OneRate,
    /// A law in N and D.
    Law,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
