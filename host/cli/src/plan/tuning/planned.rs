//! The tuning of a sweep, as its plan tells it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{super::PlannedBudget, Tuned, Tuning};

/// The tuning of a sweep, in its plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedTuning {
    /// Its trials by budget.
    pub budgets: Vec<PlannedBudget>,
    /// FLOPs that they cost.
    pub flops: f64,
    /// Their share of the FLOPs of all others.
    pub share: f64,
    /// What was tried and decided.
    #[serde(flatten)]
    pub tuned: Tuned,
}

impl PlannedTuning {
    /// What was found, or is being done, and what to know of it.
    pub fn told(&self) -> Vec<String> {
        let trials: usize = self.budgets.iter().map(|budget| budget.trials.len()).sum();
        let Some(settled) = self.tuned.settled() else {
            let last = self.tuned.decisions.last();
            let last = last.map(|last| format!("learning rate, to be tuned: {last}"));
            return last.into_iter().collect();
        };
        let found = format!(
            "learning rate {settled}; {trials} trials tuned it, for {:.1} % of the FLOPs of all others, and are not fitted",
            100.0 * self.share
        );
        std::iter::once(found).chain(settled.doubts()).collect()
    }
}

impl Tuning {
    /// As the plan tells it.
    pub(in crate::plan) fn planned(&self) -> PlannedTuning {
        let mut budgets: Vec<PlannedBudget> = Vec::new();
        for (budget, run) in &self.runs {
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
        let flops: f64 = self.runs.iter().map(|(_, run)| run.c).sum();
        PlannedTuning {
            budgets,
            flops,
            share: flops / self.preview.flops,
            tuned: self.tuned.clone(),
        }
    }
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
