//! What was found, as it is kept.

use flops_fit_scaling::learning_rate::{Decision, Point, Settled, Transfer};
use serde::{Deserialize, Serialize};

use super::super::{Surveyed, identity};
use crate::manifest::{LearningRate, Manifest, Train, Tune};

/// `tuning.json`: what was tried and what follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tuned {
    pub(super) format: u32,
    /// Hash of what decides it.
    pub(super) of: String,
    /// What the best rates become.
    pub transfer: Transfer,
    /// How that is known.
    pub because: String,
    /// The points, with what was tried at each.
    pub points: Vec<Point>,
    /// Every decision, in order.
    pub decisions: Vec<Decision>,
}

impl Tuned {
    /// The rates, once they are found.
    pub fn settled(&self) -> Option<&Settled> {
        match self.decisions.last() {
            Some(Decision::Settle(settled)) => Some(settled),
            _ => None,
        }
    }
}

/// Hash of what decides the best rates; not of budgets, seeds or what is done with the
/// results.
pub(super) fn identity(manifest: &Manifest, tune: &Tune, survey: &Surveyed) -> String {
    // A larger share would allow other points, and is no reason to leave those that there
    // are.
    let train = Train {
        lr: LearningRate::Fixed(0.0),
        ..manifest.train.clone()
    };
    identity::identity(manifest, survey, &(&tune.rates, tune.transfer, train))
}
