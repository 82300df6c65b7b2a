//! An adaptive sweep's grid: the rounds that have been decided. Those that something was
//! trained of stay as they were decided, the others are decided by the results that are
//! there.

use std::collections::BTreeSet;

use flops_fit_scaling::{
    adaptive::{self, Action, Adaptive, Decision, Round},
    design::Wish,
    grid::{Layout, SizeList, Spread},
};
use flops_fit_trial::TrialSpec;

use super::{
    PlanError, Surveyed,
    decisions::{self, Decided},
    document::Upcoming,
    identity::identity,
    layout::{Measured, grid_error, lay_out},
};
use crate::{
    manifest::Manifest,
    output::Output,
    report::runs::{self, Row, Status},
    sweep::Rebuilt,
};

/// The rounds up to the first that is not complete.
#[derive(Debug, Clone)]
pub(crate) struct Rounds {
    /// Every decision, in order.
    decided: Vec<Decided>,
    /// What was decided in the same folder with other settings.
    others: Vec<Decided>,
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
        self.decided.last().map(|last| &last.decision)
    }

    /// The file of the decisions.
    pub(super) fn lines(&self) -> String {
        decisions::lines(self.others.iter().chain(&self.decided))
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
        let results = Results {
            manifest,
            survey,
            output,
            rebuilt,
        };
        let of = identity(manifest, survey, &(&manifest.train, spread));
        let (own, others) = decisions::read(output, &of)?;
        let (mut decided, trained) = results.carried_out(own, &sweep.budgets)?;
        let mut is_complete = trained.iter().all(|trained| trained.is_complete);
        let mut rounds: Vec<Round> = trained.into_iter().map(|trained| trained.round).collect();
        while is_complete {
            let decision = adaptive::decide(&sweep, &candidates, &rounds).map_err(wrong)?;
            let action = decision.action.clone();
            let known = decided.iter().flat_map(|earlier| &earlier.from);
            let known: BTreeSet<&String> = known.collect();
            let completed = rounds.iter().flat_map(|round| &round.runs);
            let completed = completed.filter_map(|run| run.label.as_ref());
            let from = completed
                .filter(|id| !known.contains(id))
                .cloned()
                .collect();
            decided.push(Decided {
                of: of.clone(),
                from,
                decision,
            });
            let Action::Train { budget, sizes, .. } = action else {
                break;
            };
            let trained = results.round(budget, sizes)?;
            is_complete = trained.is_complete;
            rounds.push(trained.round);
        }
        Ok(Self {
            upcoming: upcoming(&sweep, &rounds, decided.last(), spread, manifest),
            layout: Layout::Listed(listed(&rounds)),
            decided,
            others,
        })
    }
}

/// Looks at what was trained.
struct Results<'a> {
    manifest: &'a Manifest,
    survey: &'a Surveyed,
    output: &'a Output,
    rebuilt: Rebuilt,
}

/// A round as far as it was trained.
struct Trained {
    round: Round,
    /// Whether each of its trials has ended.
    is_complete: bool,
    /// Whether one of them has completed or diverged.
    has_begun: bool,
}

impl Results<'_> {
    /// The decisions of `own` up to the last that something was trained of, at `budgets`,
    /// with their rounds.
    fn carried_out(
        &self,
        own: Vec<Decided>,
        budgets: &[f64],
    ) -> Result<(Vec<Decided>, Vec<Trained>), PlanError> {
        let mut kept: Vec<(Decided, Trained)> = Vec::new();
        for decided in own {
            let Action::Train { budget, sizes, .. } = &decided.decision.action else {
                continue;
            };
            let is_same = |other: &f64| other.total_cmp(budget).is_eq();
            if budgets.iter().any(is_same) {
                let trained = self.round(*budget, sizes.clone())?;
                kept.push((decided, trained));
            }
        }
        let last = kept.iter().rposition(|(_, trained)| trained.has_begun);
        kept.truncate(last.map_or(0, |last| last + 1));
        Ok(kept.into_iter().unzip())
    }

    /// The round of `sizes` at `budget`.
    fn round(&self, budget: f64, sizes: Vec<i64>) -> Result<Trained, PlanError> {
        let layout = Layout::Listed(vec![SizeList {
            budget,
            sizes: sizes.clone(),
        }]);
        let laid_out = lay_out(self.manifest, self.survey, &layout, self.output)?;
        let outdated = |spec: &&TrialSpec| {
            let dir = self.output.trial(&spec.id);
            self.rebuilt == Rebuilt::Retrain && self.survey.sources.outdate(&dir)
        };
        let outdated = laid_out.specs.iter().filter(outdated);
        let outdated: BTreeSet<&str> = outdated.map(|spec| spec.id.as_str()).collect();
        let mut rows = runs::collect(self.output, &laid_out.plan);
        for row in &mut rows {
            if row.trial.as_deref().is_some_and(|id| outdated.contains(id)) {
                row.status = Status::Pending;
            }
        }
        let ended = |row: &Row| matches!(row.status, Status::Completed | Status::Diverged);
        Ok(Trained {
            is_complete: rows.iter().all(|row| row.status != Status::Pending),
            has_begun: rows.iter().any(ended),
            round: Round {
                budget,
                sizes,
                runs: rows.iter().filter_map(Row::to_run).collect(),
            },
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
