//! An adaptive sweep's grid: the rounds that have been decided. Those that something was
//! trained of stay as they were decided, the others are decided by the results that are
//! there. No round that was decided is forgotten: one that the present manifest has nothing
//! of lies dormant.

mod trained;

use std::collections::{BTreeMap, BTreeSet};

use flops_fit_scaling::{
    adaptive::{self, Action, Adaptive, Decision, Round},
    design::Wish,
    grid::{Layout, SizeList, Spread},
};
use flops_fit_trial::{DocumentError, SetAside, set_aside, write_document};

use super::{
    PlanError, Surveyed,
    decisions::{self, Decided, Read},
    document::Upcoming,
    identity::identity,
    layout::{Measured, grid_error, lay_out},
};
use crate::{manifest::Manifest, output::Output, sweep::Rebuilt};
use trained::{Results, Trained};

/// The rounds up to the first that is not complete.
#[derive(Debug, Clone)]
pub(crate) struct Rounds {
    /// Every decision, in order, and among them those that lie dormant.
    lines: Vec<Decided>,
    /// What was decided in the same folder with other settings.
    others: Vec<Decided>,
    /// Why their file is to be set aside first, if it is.
    foreign: Option<String>,
    /// What they have trained, and what the last one wants trained.
    pub(super) layout: Layout,
    /// What is left to decide.
    pub(super) upcoming: Upcoming,
}

impl Rounds {
    /// Whether nothing more is to be decided.
    pub(crate) fn are_over(&self) -> bool {
        let latest = self.latest();
        latest.is_some_and(|latest| matches!(latest.action, Action::Stop { .. }))
    }

    /// The latest decision.
    pub(crate) fn latest(&self) -> Option<&Decision> {
        latest(&self.lines).map(|last| &last.decision)
    }

    /// Writes the file of the decisions. One in its place of which a line is none of ours
    /// is set aside.
    pub(super) fn write(&self, output: &Output) -> Result<Option<SetAside>, DocumentError> {
        let path = output.decisions();
        let aside = match &self.foreign {
            Some(reason) => Some(set_aside(&path, reason)?),
            None => None,
        };
        let lines = decisions::lines(self.others.iter().chain(&self.lines));
        write_document(&path, lines.as_bytes())?;
        Ok(aside)
    }

    /// Decides round after round by the results in `output` that stand by `rebuilt`, as
    /// far as they go.
    pub(super) fn unfold(
        manifest: &Manifest,
        survey: &Surveyed,
        output: &Output,
        rebuilt: Rebuilt,
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
        let mut results = Results {
            manifest,
            survey,
            output,
            rebuilt,
            left: BTreeMap::new(),
        };
        let of = identity(manifest, survey, &(&manifest.train, spread));
        let Read {
            own,
            others,
            foreign,
        } = decisions::read(output, &of)?;
        let (mut lines, trained) = results.carried_out(own, &sweep.budgets)?;
        let mut is_complete = trained.iter().all(|trained| trained.is_complete);
        let mut rounds: Vec<Round> = trained.into_iter().map(|trained| trained.round).collect();
        while is_complete {
            let decision = adaptive::decide(&sweep, &candidates, &rounds).map_err(wrong)?;
            let action = decision.action.clone();
            let known = lines.iter().filter(|earlier| !earlier.dormant);
            let known: BTreeSet<&String> = known.flat_map(|earlier| &earlier.from).collect();
            let completed = rounds.iter().flat_map(|round| &round.runs);
            let completed = completed.filter_map(|run| run.label.as_ref());
            let from = completed
                .filter(|id| !known.contains(id))
                .cloned()
                .collect();
            add(
                &mut lines,
                Decided {
                    of: of.clone(),
                    from,
                    dormant: false,
                    decision,
                },
            );
            let Action::Train { budget, sizes, .. } = action else {
                break;
            };
            let Trained {
                round,
                is_complete: ended,
                ..
            } = results.round(budget, sizes, false)?;
            is_complete = ended;
            rounds.push(round);
        }
        Ok(Self {
            upcoming: upcoming(&sweep, &rounds, latest(&lines), spread, manifest),
            layout: Layout::Listed(listed(&rounds)),
            lines,
            others,
            foreign,
        })
    }
}

/// The latest decision among `lines` that is part of the plan.
fn latest(lines: &[Decided]) -> Option<&Decided> {
    lines.iter().rfind(|line| !line.dormant)
}

/// Adds what was decided, or wakes the same decision that lies dormant after all that don't.
fn add(lines: &mut Vec<Decided>, decided: Decided) {
    let last = lines.iter().rposition(|line| !line.dormant);
    let tail = &mut lines[last.map_or(0, |last| last + 1)..];
    let same = |line: &&mut Decided| line.decision == decided.decision && line.from == decided.from;
    match tail.iter_mut().find(same) {
        Some(line) => line.dormant = false,
        None => lines.push(decided),
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
    latest: Option<&Decided>,
    spread: &Spread,
    manifest: &Manifest,
) -> Upcoming {
    let stopped =
        latest.is_some_and(|latest| matches!(latest.decision.action, Action::Stop { .. }));
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
        flops: budgets
            .iter()
            .fold(0.0, |sum, budget| sum + budget * trials),
        budgets,
        may_end_early: !stopped && manifest.analysis.wish != Wish::default(),
        trials: Vec::new(),
    }
}
