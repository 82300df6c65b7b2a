//! One row a trial: what was planned, how it ended, what was measured.
//!
//! Rows are gathered from the trials' own folders, which are the truth, in the
//! order of the plan. A result that can't be read is a row with the reason, never
//! the end of the report. N, D and C of a row are there only where they were
//! measured, save the N that the model declared when it was planned.

mod csv;

use std::collections::BTreeMap;

use flops_fit_scaling::{CurvePoint, Run, quantity};
use flops_fit_trial::{Outcome, TrialResult};
use serde::{Deserialize, Serialize};

pub use self::csv::write;
use crate::output::Output;
use crate::plan::{Plan, PlannedBudget, PlannedRun, Skipped};

/// How far a trial got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Trained and evaluated.
    Completed,
    /// Something went wrong, or its result can't be read.
    Failed,
    /// The loss left the numbers that mean anything.
    Diverged,
    /// A size that the plan left out.
    Skipped,
    /// Not trained yet.
    Pending,
}

impl Status {
    const ALL: [Self; 5] = [
        Self::Completed,
        Self::Failed,
        Self::Diverged,
        Self::Skipped,
        Self::Pending,
    ];

    /// The words that stand for them, in a sentence.
    pub const WORDS: &str = "completed, failed, diverged, skipped or pending";

    /// What a word of `runs.csv` stands for.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// The word that stands for it in `runs.csv`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Diverged => "diverged",
            Self::Skipped => "skipped",
            Self::Pending => "pending",
        }
    }
}

/// One row of `runs.csv`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The trial's id; absent where a size was skipped.
    pub trial: Option<String>,
    /// How far it got.
    pub status: Status,
    /// FLOPs that it was planned for.
    pub budget: Option<f64>,
    /// Value of the size parameter.
    pub size: Option<i64>,
    /// Seed.
    pub seed: Option<u64>,
    /// Parameters N: measured, or as declared to the plan.
    pub n: Option<f64>,
    /// Units of data D really seen.
    pub d: Option<f64>,
    /// FLOPs C that the point stands for.
    pub c: Option<f64>,
    /// FLOPs that were paid for it.
    pub spent: Option<f64>,
    /// Unique units of the training split; absent if it never repeats.
    pub unique: Option<f64>,
    /// Held-out loss.
    pub loss: Option<f64>,
    /// Its standard error over the held-out set.
    pub loss_se: Option<f64>,
    /// Peak learning rate.
    pub lr: Option<f64>,
    /// The bootstrap's cluster: rows that share a trunk, else those with the same N and D.
    pub group: Option<String>,
    /// Earlier losses that runs stopped there would have had, see [`Run::curve`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<CurvePoint>,
    /// The trial that diverged and that this one tried again, with a lower learning rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<String>,
    /// Whether the learning rate was tuned by it: it is not fitted then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tuning: bool,
    /// Attempt number, from 0.
    pub attempt: Option<u32>,
    /// Optimizer steps: taken, or planned.
    pub steps: Option<u64>,
    /// Wall seconds from the start of the worker to its result.
    pub seconds: Option<f64>,
    /// Why there is no loss.
    pub reason: Option<String>,
    /// Weight in every fit, relative to other runs; 1 where absent.
    pub weight: Option<f64>,
    /// Further counts of N by name.
    pub counts: BTreeMap<String, f64>,
    /// Held-out metrics beside the loss, such as `accuracy`, by name.
    pub metrics: BTreeMap<String, f64>,
}

impl Row {
    /// A row of which nothing but the status is known.
    pub fn new(status: Status) -> Self {
        Self {
            trial: None,
            status,
            budget: None,
            size: None,
            seed: None,
            n: None,
            d: None,
            c: None,
            spent: None,
            unique: None,
            loss: None,
            loss_se: None,
            lr: None,
            group: None,
            curve: Vec::new(),
            retry_of: None,
            tuning: false,
            attempt: None,
            steps: None,
            seconds: None,
            reason: None,
            weight: None,
            counts: BTreeMap::new(),
            metrics: BTreeMap::new(),
        }
    }

    fn planned(budget: &PlannedBudget, run: &PlannedRun) -> Self {
        Self {
            trial: Some(run.id.to_string()),
            budget: Some(budget.budget),
            size: Some(run.size),
            seed: Some(run.seed),
            n: Some(run.n),
            lr: Some(run.lr),
            group: Some(match &run.branch {
                Some(branch) => branch.trunk.to_string(),
                // Within a sweep nothing else but the seed tells two trials apart.
                None => format!("{}/{}", quantity::flops(budget.budget), run.size),
            }),
            steps: Some(run.steps),
            retry_of: run.retry_of.as_ref().map(ToString::to_string),
            counts: run.counts.clone(),
            ..Self::new(Status::Pending)
        }
    }

    fn skipped(budget: &PlannedBudget, skipped: &Skipped) -> Self {
        Self {
            budget: Some(budget.budget),
            size: Some(skipped.size),
            reason: Some(skipped.reason.to_string()),
            ..Self::new(Status::Skipped)
        }
    }

    fn ended(mut self, result: TrialResult) -> Self {
        let timing = result.timing;
        self.seconds = Some(timing.startup + timing.train + timing.evaluate);
        self.attempt = Some(result.environment.attempt);
        match result.outcome {
            Outcome::Completed { measured } => {
                self.status = Status::Completed;
                self.n = Some(measured.n);
                self.d = Some(measured.d);
                self.c = Some(measured.c);
                self.spent = Some(measured.spent);
                self.unique = measured.unique;
                self.loss = Some(measured.loss);
                self.loss_se = Some(measured.loss_se);
                self.lr = Some(measured.lr);
                self.steps = Some(measured.steps);
                self.counts = measured.counts;
                self.metrics = measured.metrics;
            }
            Outcome::Grown { .. } => {
                return self.unreadable(
                    "its folder holds what a trunk leaves; move that away and run again".to_owned(),
                );
            }
            Outcome::Diverged { step, loss, reason } => {
                self.status = Status::Diverged;
                let loss = loss.map_or_else(String::new, |loss| format!(", loss {loss:.3}"));
                self.reason = Some(format!("step {step}{loss}: {reason}"));
            }
            Outcome::Failed { failure } => {
                self.status = Status::Failed;
                self.reason = Some(failure.to_string());
            }
        }
        self
    }

    fn unreadable(mut self, reason: String) -> Self {
        self.status = Status::Failed;
        self.reason = Some(reason);
        self
    }

    /// The row as the fits see it; `None` unless it completed with N, D, C and a
    /// loss, and did not tune the learning rate.
    pub fn to_run(&self) -> Option<Run> {
        if self.status != Status::Completed || self.tuning {
            return None;
        }
        let mut run = Run::new(self.n?, self.d?, self.c?, self.loss?);
        run.budget = self.budget;
        run.seed = self.seed;
        run.group.clone_from(&self.group);
        run.curve.clone_from(&self.curve);
        run.retry_of.clone_from(&self.retry_of);
        run.unique = self.unique;
        run.weight = self.weight;
        run.counts.clone_from(&self.counts);
        run.label.clone_from(&self.trial);
        Some(run)
    }
}

impl From<&Run> for Row {
    /// A completed row.
    fn from(run: &Run) -> Self {
        Self {
            trial: run.label.clone(),
            budget: run.budget,
            seed: run.seed,
            n: Some(run.n),
            d: Some(run.d),
            c: Some(run.c),
            unique: run.unique,
            loss: Some(run.loss),
            group: run.group.clone(),
            curve: run.curve.clone(),
            retry_of: run.retry_of.clone(),
            weight: run.weight,
            counts: run.counts.clone(),
            ..Self::new(Status::Completed)
        }
    }
}

/// The plan's trials and skipped sizes as rows: those that tune the learning rate, then
/// for each budget its trials and what was left out. Reads the results in `output`; folders of trials that the
/// plan does not name are passed over, so that another sweep's results never mix
/// in.
pub fn collect(output: &Output, plan: &Plan) -> Vec<Row> {
    let mut rows = Vec::new();
    let tuning = plan.tuning.iter().flat_map(|tuning| &tuning.budgets);
    let tuning = tuning.map(|budget| (true, budget));
    let budgets = plan.budgets.iter().map(|budget| (false, budget));
    for (tuning, budget) in tuning.chain(budgets) {
        rows.extend(budget.trials.iter().map(|run| {
            let row = Row {
                tuning,
                ..Row::planned(budget, run)
            };
            match output.trial(&run.id).result() {
                Ok(None) => row,
                Ok(Some(result)) if result.id == run.id => row.ended(result),
                Ok(Some(result)) => row.unreadable(format!(
                    "its folder holds the result of trial {}; move that away and run again",
                    result.id
                )),
                Err(error) => row.unreadable(error.to_string()),
            }
        }));
        rows.extend(budget.skipped.iter().map(|size| Row::skipped(budget, size)));
    }
    rows
}

#[cfg(test)]
mod tests;
