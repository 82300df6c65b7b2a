//! Which method to follow.
//!
//! Each method that has a law gets the squared error of ln N* that is to be expected of
//! it a decade beyond the runs. What the bootstrap says of its noise, times a factor by
//! which methods of its kind did worse on real data ([`prior`]), counts as much as a
//! few hold-out tests; each test of its own adds the square of its error, less what the
//! judge's own minimum is unsure of. Weights are inversely proportional to that. A
//! method with nearly all of the weight is followed alone, otherwise the average is.

mod prior;
mod reason;
mod weigh;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::interval::Interval;
use crate::method::Method;

pub(crate) use weigh::{Candidate, Weighed, weigh};

/// What to follow and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// The method with the largest weight.
    pub method: Method,
    /// Whether it is followed alone.
    pub choice: Choice,
    /// The share of each method in the recommendation; they add up to 1.
    pub weights: BTreeMap<Method, f64>,
    /// The shares before small ones were dropped and a winner took all: by these the
    /// methods' disagreement widens the intervals.
    pub plausibility: BTreeMap<Method, f64>,
    /// The error of ln N* that is to be expected of each method a decade beyond the
    /// runs, as a root mean square.
    pub expected_error: BTreeMap<Method, f64>,
    /// All of that in a sentence.
    pub reason: String,
    /// N* and D* as power laws over the measured budgets; absent where all runs are of
    /// one budget.
    pub law: Option<PowerLaws>,
}

/// Whether one method is followed or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// One method has nearly all of the weight, or is the only one.
    Winner,
    /// N*, D* (their logarithms) and L* are weighted averages.
    Average,
    /// One method was asked for.
    Asked,
}

/// `N* = k_n·C^a` and `D* = k_d·C^b`: lines through the recommendation halfway between
/// the smallest and the largest budget, with its mean slope between them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PowerLaws {
    /// Exponent of N*(C), with its interval.
    pub a: Interval,
    /// Exponent of D*(C), with its interval.
    pub b: Interval,
    /// Prefactor of N*(C).
    pub k_n: f64,
    /// Prefactor of D*(C).
    pub k_d: f64,
}
