//! What the planned sweep is likely to say about budgets beyond it: by simulation,
//! before it is trained, and from its own runs as soon as they carry a surface.

use std::fmt::Write as _;

use flops_fit_scaling::{
    Options, Run,
    design::{Effort, Prior, PriorBasis, Wish, Worth, worth},
    quantity,
};
use serde::Serialize;

use super::{Plan, PlannedBudget, PlannedRun};
use crate::{
    manifest::{Assumed, Manifest},
    output::Output,
    report::runs::{self, Row},
};

/// Laws that a prior is made of.
const LAWS: usize = 100;
/// How far beyond the largest budget the answer is asked for where no targets are
/// given.
const BEYOND: f64 = 10.0;

/// What the sweep is likely to say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outlook {
    /// Where the laws come from that sweeps are drawn from.
    pub basis: PriorBasis,
    /// Standard deviation of a run's loss in them.
    pub noise: f64,
    /// Sweeps that were drawn.
    pub sweeps: usize,
    /// Expected intervals, one entry a target.
    pub worth: Vec<Worth>,
    /// When they are narrow enough.
    pub wish: Wish,
}

/// `None` where the plan has no trials.
pub(super) fn outlook(plan: &Plan, output: &Output, manifest: &Manifest) -> Option<Outlook> {
    let runs: Vec<Run> = plan
        .runs()
        // What is tried again is not fitted.
        .filter(|(_, run)| run.retry_of.is_none())
        .map(|(budget, run)| Run {
            budget: Some(budget.budget),
            seed: Some(run.seed),
            group: run.branch.as_ref().map(|branch| branch.trunk.to_string()),
            unique: plan.unique_units.map(|unique| unique as f64),
            // Drawn sweeps put their own in its place.
            ..Run::new(run.n, run.d, run.c, 1.0)
        })
        .collect();
    let mut options = manifest.analysis.clone();
    if options.targets.is_empty() {
        options.targets = vec![BEYOND * trained(plan).last()?.budget];
    }
    let prior = finished(plan, output, &options).or_else(|| assumed(plan, &manifest.prior))?;
    let effort = Effort::default();
    Some(Outlook {
        basis: prior.basis,
        noise: prior.noise,
        sweeps: effort.sweeps,
        worth: worth(&runs, &prior, &options, effort),
        wish: options.wish,
    })
}

/// The budgets that have trials, smallest first.
fn trained(plan: &Plan) -> impl Iterator<Item = &PlannedBudget> {
    plan.budgets
        .iter()
        .filter(|budget| !budget.trials.is_empty())
}

fn finished(plan: &Plan, output: &Output, options: &Options) -> Option<Prior> {
    let rows = runs::collect(output, plan);
    let runs: Vec<Run> = rows.iter().filter_map(Row::to_run).collect();
    Prior::finished(&runs, options, LAWS)
}

/// Laws around the run in the middle of the grid.
fn assumed(plan: &Plan, assumed: &Assumed) -> Option<Prior> {
    let budgets: Vec<&PlannedBudget> = trained(plan).collect();
    let middle = middle(budgets.get(budgets.len() / 2)?)?;
    Some(Prior::assumed(
        (middle.n, middle.d),
        assumed.reducible,
        assumed.noise,
        LAWS,
        0,
    ))
}

/// The run nearest to the expected optimum; of sizes that were listed the middle one.
fn middle(budget: &PlannedBudget) -> Option<&PlannedRun> {
    match budget.center {
        Some(center) => {
            let off = |run: &PlannedRun| (run.n / center).ln().abs();
            let trials = budget.trials.iter();
            trials.min_by(|a, b| off(a).total_cmp(&off(b)))
        }
        None => budget.trials.get(budget.trials.len() / 2),
    }
}

impl Outlook {
    /// A line for each target.
    pub fn text(&self) -> String {
        let laws = match self.basis {
            PriorBasis::Assumed => "usual laws, analysis.prior",
            PriorBasis::Fitted => "laws that the finished runs allow",
        };
        let mut text = format!(
            "what it is worth: 95 % intervals, medians of {} simulated sweeps ({laws}; noise {})\n",
            self.sweeps,
            quantity::loss(self.noise)
        );
        for worth in &self.worth {
            let _ = writeln!(text, "{}", self.line(worth));
        }
        text
    }

    fn line(&self, worth: &Worth) -> String {
        let c = quantity::flops(worth.c);
        let (Some(n), Some(loss)) = (worth.n, worth.loss) else {
            return format!(
                "  at {c} FLOPs: none in {:.0} % of them; more budgets or sizes would give one",
                100.0 * (1.0 - worth.share)
            );
        };
        let wished = |wish: Option<String>| {
            wish.map_or_else(String::new, |wish| format!(" (wished: {wish})"))
        };
        format!(
            "  at {c} FLOPs: N* within ×/÷ {n:.2}{}, L* within ± {}{}",
            wished(self.wish.n.map(|wish| format!("{wish:.2}"))),
            quantity::loss(loss),
            wished(self.wish.loss.map(quantity::loss))
        )
    }
}
