//! `plan.json`: the sweep as it was laid out, for every later command.

use std::collections::BTreeMap;

use flops_fit_scaling::batch::Batch;
use flops_fit_scaling::design::Size;
use flops_fit_scaling::grid::{PlannedTrial, Side, SkipReason};
use flops_fit_trial::{DocumentError, FORMAT, TrialId, TrialSpec, read_json, write_json};
use serde::{Deserialize, Serialize};

use super::{trunks, tuning::PlannedTuning};
use crate::output::Output;

/// The grid with the trials' names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of this file.
    pub format: u32,
    /// Name of the sweep.
    pub name: String,
    /// What the model's size parameter is called.
    pub size_param: String,
    /// What D counts: `tokens` or `images`.
    pub unit: String,
    /// Units that one optimizer step sees; absent where they grow with a trial's D.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units_per_step: Option<u64>,
    /// How they grow, where they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Batch>,
    /// Distinct units of the training split; absent if it never repeats.
    pub unique_units: Option<u64>,
    /// One entry a budget, smallest first.
    pub budgets: Vec<PlannedBudget>,
    /// The trials that the learning rate is tuned by, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuning: Option<PlannedTuning>,
    /// Runs that trials share up to where they cool down; none where each trains alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trunks: Vec<PlannedTrunk>,
    /// What is laid out once these trials have ended: of an adaptive sweep, or of one whose
    /// learning rate is being tuned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upcoming: Option<Upcoming>,
    /// FLOPs of all trials and trunks together.
    pub flops: f64,
    /// What the user should know before anything is spent.
    pub warnings: Vec<String>,
}

/// The trials of one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedBudget {
    /// FLOPs asked for.
    pub budget: f64,
    /// The expected optimum that the sizes were laid around; absent where they
    /// were listed.
    pub center: Option<f64>,
    /// What to train: smallest size first, then by seed.
    pub trials: Vec<PlannedRun>,
    /// Sizes that were considered and left out.
    pub skipped: Vec<Skipped>,
    /// Ends of the window that no trainable size reaches.
    pub uncovered: Vec<Side>,
}

/// One trial: a size, a budget, a seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedRun {
    /// Its directory's name.
    pub id: TrialId,
    /// Value of the size parameter.
    pub size: i64,
    /// Seed.
    pub seed: u64,
    /// N for the fit, as the model declares it.
    pub n: f64,
    /// Further counts of N by name.
    pub counts: BTreeMap<String, f64>,
    /// Optimizer steps.
    pub steps: u64,
    /// Units of data that they see.
    pub d: f64,
    /// FLOPs that they stand for, and cost where the trial shares none of them.
    pub c: f64,
    /// Units that one optimizer step sees, where that is not the same for all trials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units_per_step: Option<u64>,
    /// Peak learning rate.
    pub lr: f64,
    /// The trial that diverged and that this one tries again, with half the learning
    /// rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<TrialId>,
    /// Where it leaves a trunk, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<Branch>,
}

/// What is not laid out yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Upcoming {
    /// Budgets, in FLOPs, smallest first.
    pub budgets: Vec<f64>,
    /// FLOPs that they will cost if none needs more sizes.
    pub flops: f64,
    /// Whether the sweep may end before them.
    pub may_end_early: bool,
    /// Their trials as far as they are known; without names, which depend on the learning
    /// rate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trials: Vec<UpcomingTrial>,
}

/// A size that will be trained at a budget, once with each seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpcomingTrial {
    /// FLOPs asked for.
    pub budget: f64,
    /// Value of the size parameter.
    pub size: i64,
    /// N for the fit, as the model declares it.
    pub n: f64,
    /// Optimizer steps.
    pub steps: u64,
    /// Units of data that they see.
    pub d: f64,
    /// FLOPs that they stand for.
    pub c: f64,
    /// Units that one optimizer step sees, where that is not the same for all trials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units_per_step: Option<u64>,
    /// The seeds.
    pub seeds: Vec<u64>,
}

/// Where a trial leaves a trunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// The trunk.
    pub trunk: TrialId,
    /// Optimizer steps that are done by then.
    pub step: u64,
}

/// A run at a constant rate that the trials of one size and seed share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedTrunk {
    /// Its directory's name.
    pub id: TrialId,
    /// Value of the size parameter.
    pub size: i64,
    /// Seed.
    pub seed: u64,
    /// N for the fit, as the model declares it.
    pub n: f64,
    /// Steps of linear warm-up.
    pub warmup_steps: u64,
    /// Optimizer steps after which trials leave it, ascending.
    pub branches: Vec<u64>,
    /// Units of data that it sees up to the last of them.
    pub d: f64,
    /// FLOPs that it costs up to there.
    pub c: f64,
}

impl PlannedRun {
    /// The trial of `spec`, which was laid out as `trial`.
    pub(super) fn of(spec: &TrialSpec, trial: &PlannedTrial, batch: &Batch) -> Self {
        Self {
            id: spec.id.clone(),
            size: trial.size,
            seed: spec.recipe.seed,
            n: trial.n,
            counts: spec.run.counts.clone(),
            steps: trial.steps,
            d: trial.d,
            c: trial.c,
            units_per_step: batch.grows_from.map(|_| trial.units_per_step),
            lr: spec.recipe.train.lr,
            retry_of: spec.run.retry_of.clone(),
            branch: trunks::branch(spec),
        }
    }

    /// FLOPs that it costs by itself: of a branch, those of its cool-down.
    pub fn own_flops(&self) -> f64 {
        let shared = self.branch.as_ref().map_or(0, |branch| branch.step);
        self.c * (self.steps - shared) as f64 / self.steps as f64
    }
}

/// A size without a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Skipped {
    /// Value of the size parameter.
    pub size: i64,
    /// Why.
    pub reason: SkipReason,
}

impl Plan {
    /// Reads the plan of `output`.
    pub fn read(output: &Output) -> Result<Self, DocumentError> {
        read_json(&output.plan())
    }

    /// Writes it.
    pub fn write(&self, output: &Output) -> Result<(), DocumentError> {
        debug_assert_eq!(self.format, FORMAT);
        write_json(&output.plan(), self)
    }

    /// Every trial that is to be fitted, or was tried for that, with its budget, smallest
    /// budget first.
    pub fn runs(&self) -> impl Iterator<Item = (&PlannedBudget, &PlannedRun)> {
        self.budgets
            .iter()
            .flat_map(|budget| budget.trials.iter().map(move |run| (budget, run)))
    }

    /// The same, with those that tune the learning rate before them.
    pub fn every_run(&self) -> impl Iterator<Item = (&PlannedBudget, &PlannedRun)> {
        let tuning = self.tuning.iter().flat_map(|tuning| &tuning.budgets);
        let tuning = tuning.flat_map(|budget| budget.trials.iter().map(move |run| (budget, run)));
        tuning.chain(self.runs())
    }

    /// Whether the learning rate is still to be found, and with it the trials of the sweep.
    pub fn rate_is_open(&self) -> bool {
        let tuning = self.tuning.as_ref();
        tuning.is_some_and(|tuning| tuning.tuned.settled().is_none())
    }

    /// FLOPs that all trials would cost, each trained alone.
    pub fn flops_alone(&self) -> f64 {
        let all = self.every_run().map(|(_, run)| run.c);
        all.fold(0.0, |sum, flops| sum + flops)
    }

    /// FLOPs that trials and trunks cost together.
    pub(super) fn flops_together(&self) -> f64 {
        let trials = self.every_run().map(|(_, run)| run.own_flops());
        let trunks = self.trunks.iter().map(|trunk| trunk.c);
        // From 0, since the sum of nothing is -0.
        trials.chain(trunks).fold(0.0, |sum, flops| sum + flops)
    }

    /// The sizes that it trains somewhere, smallest first.
    pub fn sizes(&self) -> Vec<Size> {
        let sizes: BTreeMap<i64, Size> = self
            .runs()
            .map(|(_, run)| {
                let size = Size {
                    n: run.n,
                    flops_per_unit: run.c / run.d,
                };
                (run.size, size)
            })
            .collect();
        sizes.into_values().collect()
    }
}
