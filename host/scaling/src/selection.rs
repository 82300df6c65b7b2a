//! Which method to follow.
//!
//! Each method that has a law gets the squared error that is to be expected of it a
//! decade beyond the runs, in ln N* and in L*: what it made of sweeps like this one
//! ([`rehearsal`]), times how much more than the other methods it erred in the hold-out,
//! in proportion. The weights are those with the smallest expected squared error of the
//! average, the methods' errors in the same sweeps being known to move together
//! ([`shares`]). A method with nearly all of the weight is followed alone.

mod moments;
mod reason;
mod rehearsal;
mod shares;
mod weigh;
mod worlds;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::interval::Interval;
use crate::method::Method;

pub(crate) use moments::Errors;
pub(crate) use rehearsal::Rehearsal;
pub(crate) use shares::Shares;
pub(crate) use weigh::{Weighed, weigh};

/// What to follow and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// The method with the largest weight.
    pub method: Method,
    /// Whether it is followed alone.
    pub choice: Choice,
    /// The share of each method in N*, D* and D*/N*; they add up to 1.
    pub weights: BTreeMap<Method, f64>,
    /// The share of each method in L*; they add up to 1.
    pub loss_weights: BTreeMap<Method, f64>,
    /// Shares of all methods, in inverse proportion to the squared error of ln N* that
    /// is expected of each: by these the methods' disagreement widens the intervals.
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
