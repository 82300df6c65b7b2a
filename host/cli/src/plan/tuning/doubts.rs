//! What a user should know of rates that were found.

use flops_fit_scaling::quantity;

use super::{super::Plan, Tuning};
use crate::manifest::LearningRate;

/// Factor either way from which it is said that a rate is hardly known.
const VAGUE: f64 = 2.0;

impl Tuning {
    /// What a user should know of the rates of `plan`.
    pub(super) fn doubts(&self, plan: &Plan) -> Vec<String> {
        let Some(settled) = self.settled() else {
            return Vec::new();
        };
        let mut doubts = settled.doubts();
        let tried = || self.tuned.points.iter().flat_map(|point| &point.tried);
        let low = tried().map(|tried| tried.lr).fold(f64::INFINITY, f64::min);
        let high = tried().map(|tried| tried.lr).fold(0.0, f64::max);
        let runs = || plan.runs().filter(|(_, run)| run.retry_of.is_none());
        // At the batch that all rates here are for.
        let rate = |n, d| LearningRate::Law(settled.law).at(n, d);
        let outside = runs().filter(|(_, run)| !(low..=high).contains(&rate(run.n, run.d)));
        let outside = outside.count();
        if outside > 0 {
            doubts.push(format!(
                "the learning rates of {outside} trials lie outside those tried, {low} to {high}: there the law is a guess"
            ));
        }
        let known = runs()
            .filter_map(|(budget, run)| Some((settled.factor(run.n, run.d)?, budget.budget, run)));
        let least = known.max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((factor, budget, run)) = least.filter(|(factor, ..)| *factor > VAGUE) {
            doubts.push(format!(
                "the best learning rate of size {} at {} FLOPs, {}, is known within ×/÷ {factor:.1}; more rates, or a larger train.lr.share for dearer points, narrow that",
                run.size,
                quantity::flops(budget),
                rate(run.n, run.d)
            ));
        }
        doubts
    }
}
