//! The sweep as it is known while its rates are not.

use flops_fit_scaling::design::Wish;

use super::{
    super::{
        Plan, PlanError, Surveyed,
        document::{Upcoming, UpcomingTrial},
        layout::{self, LaidOut},
    },
    Tuning,
};
use crate::{
    manifest::{LearningRate, Manifest},
    output::Output,
};

/// The sweep at a rate in the midst of those listed.
pub(super) fn preview(
    manifest: &Manifest,
    survey: &Surveyed,
    output: &Output,
) -> Result<Plan, PlanError> {
    let mut preview = manifest.clone();
    preview.train.lr = LearningRate::Fixed(manifest.train.lr.typical());
    preview.run.retry_diverged = false;
    let laid_out = layout::lay_out(&preview, survey, &manifest.sweep.layout, output)?;
    Ok(laid_out.plan)
}

impl Tuning {
    /// What is known of the sweep as long as its rates are not: no trial of it has a name.
    pub(in crate::plan) fn lay_out(&self, manifest: &Manifest) -> LaidOut {
        let preview = &self.preview;
        let mut trials: Vec<UpcomingTrial> = Vec::new();
        for (budget, run) in preview.runs().filter(|_| !manifest.sweep.adaptive) {
            let last = trials.last_mut();
            match last.filter(|last| {
                last.size == run.size && last.budget.total_cmp(&budget.budget).is_eq()
            }) {
                Some(last) => last.seeds.push(run.seed),
                None => trials.push(UpcomingTrial {
                    budget: budget.budget,
                    size: run.size,
                    n: run.n,
                    steps: run.steps,
                    d: run.d,
                    c: run.c,
                    units_per_step: run.units_per_step,
                    seeds: vec![run.seed],
                }),
            }
        }
        let upcoming = Upcoming {
            budgets: preview.budgets.iter().map(|budget| budget.budget).collect(),
            flops: preview.flops,
            may_end_early: manifest.sweep.adaptive && manifest.analysis.wish != Wish::default(),
            trials,
        };
        LaidOut {
            plan: Plan {
                budgets: Vec::new(),
                trunks: Vec::new(),
                upcoming: Some(upcoming),
                ..preview.clone()
            },
            specs: Vec::new(),
            trunks: Vec::new(),
        }
    }
}
