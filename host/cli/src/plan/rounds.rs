//! An adaptive sweep's grid: the rounds that have been decided, made again from the
//! results that are there.

use flops_fit_scaling::{
    adaptive::{self, Action, Adaptive, Decision, Round},
    design::Wish,
    grid::{Layout, SizeList, Spread},
};

use super::{
    PlanError, Surveyed,
    document::Upcoming,
    layout::{Measured, grid_error, lay_out},
};
use crate::{
    manifest::Manifest,
    output::Output,
    report::runs::{self, Row, Status},
};

/// The rounds up to the first that is not complete.
#[derive(Debug, Clone)]
pub(crate) struct Rounds {
    /// Every decision, in order.
    pub(super) decisions: Vec<Decision>,
    /// What they have trained, and what the last one wants trained.
    pub(super) layout: Layout,
    /// What is left to decide.
    pub(super) upcoming: Upcoming,
}

impl Rounds {
    /// Whether nothing more is to be decided.
    pub(crate) fn are_over(&self) -> bool {
        let last = self.decisions.last();
        last.is_some_and(|last| matches!(last.action, Action::Stop { .. }))
    }

    /// The latest decision.
    pub(crate) fn latest(&self) -> Option<&Decision> {
        self.decisions.last()
    }

    /// Decides round after round by the results in `output`, as far as they go.
    pub(super) fn unfold(
        manifest: &Manifest,
        survey: &Surveyed,
        output: &Output,
    ) -> Result<Self, PlanError> {
        let Layout::Around { budgets, spread } = &manifest.sweep.layout else {
            unreachable!("an adaptive sweep has budgets");
        };
        let wrong = |source| grid_error(manifest, source);
        let mut budgets = budgets.list().map_err(wrong)?;
        budgets.sort_by(f64::total_cmp);
        let Measured {
            batch, candidates, ..
        } = Measured::of(manifest, &survey.description)?;
        let sweep = Adaptive {
            budgets,
            spread: spread.clone(),
            batch,
            min_steps: manifest.sweep.min_steps,
            options: manifest.analysis.clone(),
        };
        let mut rounds: Vec<Round> = Vec::new();
        let mut decisions = Vec::new();
        loop {
            let decision = adaptive::decide(&sweep, &candidates, &rounds).map_err(wrong)?;
            let action = decision.action.clone();
            decisions.push(decision);
            let Action::Train { budget, sizes, .. } = action else {
                break;
            };
            let layout = Layout::Listed(vec![SizeList {
                budget,
                sizes: sizes.clone(),
            }]);
            let laid_out = lay_out(manifest, survey, &layout, output)?;
            let rows = runs::collect(output, &laid_out.plan);
            let is_complete = rows.iter().all(|row| row.status != Status::Pending);
            rounds.push(Round {
                budget,
                sizes,
                runs: rows.iter().filter_map(Row::to_run).collect(),
            });
            if !is_complete {
                break;
            }
        }
        Ok(Self {
            upcoming: upcoming(&sweep, &rounds, &decisions, spread, manifest),
            layout: Layout::Listed(listed(&rounds)),
            decisions,
        })
    }
}

/// The sizes of all rounds, by budget.
fn listed(rounds: &[Round]) -> Vec<SizeList> {
    let mut lists: Vec<SizeList> = Vec::new();
    for round in rounds {
        let same = |list: &&mut SizeList| list.budget.total_cmp(&round.budget).is_eq();
        match lists.iter_mut().find(same) {
            Some(list) => list.sizes.extend(&round.sizes),
            None => lists.push(SizeList {
                budget: round.budget,
                sizes: round.sizes.clone(),
            }),
        }
    }
    lists
}

fn upcoming(
    sweep: &Adaptive,
    rounds: &[Round],
    decisions: &[Decision],
    spread: &Spread,
    manifest: &Manifest,
) -> Upcoming {
    let stopped = decisions
        .last()
        .is_some_and(|last| matches!(last.action, Action::Stop { .. }));
    let begun = |budget: f64| {
        rounds
            .iter()
            .any(|round| round.budget.total_cmp(&budget).is_eq())
    };
    let budgets: Vec<f64> = sweep
        .budgets
        .iter()
        .copied()
        .filter(|&budget| !stopped && !begun(budget))
        .collect();
    let trials = (spread.per_budget * manifest.sweep.seeds.len()) as f64;
    Upcoming {
        flops: budgets.iter().sum::<f64>() * trials,
        budgets,
        may_end_early: !stopped && manifest.analysis.wish != Wish::default(),
        trials: Vec::new(),
    }
}
