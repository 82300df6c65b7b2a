//! The tuning of a sweep, as its plan tells it.

use std::collections::{BTreeMap, BTreeSet};

use flops_fit_trial::TrialId;
use serde::{Deserialize, Serialize};

use super::{
    super::{PlannedBudget, PlannedRun},
    Tuned, Tuning,
};

/// The tuning of a sweep, in its plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedTuning {
    /// Its own trials, which are not fitted, by budget.
    pub budgets: Vec<PlannedBudget>,
    /// Trials of the sweep that have tuned as well, and are fitted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<TrialId>,
    /// FLOPs that its own trials cost.
    pub flops: f64,
    /// Their share of the FLOPs of all others.
    pub share: f64,
    /// What was tried and decided.
    #[serde(flatten)]
    pub tuned: Tuned,
}

impl PlannedTuning {
    /// How many trials it has of its own.
    pub fn trials(&self) -> usize {
        self.budgets.iter().map(|budget| budget.trials.len()).sum()
    }

    /// What was found, or is being done, and what to know of it.
    pub fn told(&self) -> Vec<String> {
        let Some(settled) = self.tuned.settled() else {
            let last = self.tuned.decisions.last();
            let last = last.map(|last| format!("learning rate, to be tuned: {last}"));
            return last.into_iter().collect();
        };
        let found = format!(
            "learning rate {settled}; {} trials tuned it, for {:.1} % of the FLOPs of all others, and are not fitted{}",
            self.trials(),
            100.0 * self.share,
            match self.shared.len() {
                0 => String::new(),
                shared => format!("; so did {shared} of the sweep, which are"),
            }
        );
        std::iter::once(found).chain(settled.doubts()).collect()
    }
}

impl Tuning {
    /// As the plan tells it, whose sweep has the trials `shared` as well.
    pub(super) fn planned(&self, shared: &BTreeSet<TrialId>) -> PlannedTuning {
        let (shared, own): (Vec<_>, Vec<_>) = self
            .runs
            .iter()
            .cloned()
            .partition(|(_, run)| shared.contains(&run.id));
        let flops: f64 = own.iter().map(|(_, run)| run.c).sum();
        PlannedTuning {
            budgets: by_budget(&own),
            shared: shared.into_iter().map(|(_, run)| run.id).collect(),
            flops,
            share: flops / self.preview.flops,
            tuned: self.tuned.clone(),
        }
    }
}

/// Trials with their budgets, sorted by these.
pub(super) fn by_budget(runs: &[(f64, PlannedRun)]) -> Vec<PlannedBudget> {
    let mut budgets: Vec<PlannedBudget> = Vec::new();
    for (budget, run) in runs {
        let same = |other: &&mut PlannedBudget| other.budget.total_cmp(budget).is_eq();
        match budgets.iter_mut().find(same) {
            Some(there) => there.trials.push(run.clone()),
            None => budgets.push(PlannedBudget {
                budget: *budget,
                center: None,
                trials: vec![run.clone()],
                skipped: Vec::new(),
                uncovered: Vec::new(),
            }),
        }
    }
    budgets.sort_by(|a, b| a.budget.total_cmp(&b.budget));
    budgets
}

/// The trials' seeds and rates by size, as the plan's text lists them.
pub(in crate::plan) fn rates_by_point(budget: &PlannedBudget) -> BTreeMap<i64, Vec<f64>> {
    let mut rates: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for run in &budget.trials {
        rates.entry(run.size).or_default().push(run.lr);
    }
    for list in rates.values_mut() {
        list.sort_by(f64::total_cmp);
    }
    rates
}
