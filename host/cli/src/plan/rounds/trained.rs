//! What was trained of the decisions that are there.

use std::collections::{BTreeMap, BTreeSet};

use flops_fit_scaling::{
    adaptive::{Action, Round},
    grid::{Layout, SizeList},
};
use flops_fit_trial::{TrialId, TrialSpec};

use super::{Decided, PlanError, Surveyed, lay_out};
use crate::{
    manifest::Manifest,
    output::Output,
    report::runs::{self, Row, Status},
    sweep::Rebuilt,
};

/// Looks at what was trained.
pub(super) struct Results<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) survey: &'a Surveyed,
    pub(super) output: &'a Output,
    pub(super) rebuilt: Rebuilt,
    /// The last step after which a branch leaves each trunk, of the rounds so far that have
    /// begun.
    pub(super) left: BTreeMap<TrialId, u64>,
}

/// A round as far as it was trained.
pub(super) struct Trained {
    pub(super) round: Round,
    /// Whether each of its trials has ended.
    pub(super) is_complete: bool,
    /// Whether one of them has completed, diverged or got to a checkpoint.
    has_begun: bool,
    /// Those and the ones that failed.
    tried: BTreeSet<String>,
    /// Whether it has trials at all.
    has_trials: bool,
}

impl Trained {
    /// Whether nothing was tried but what `other` has tried as well.
    fn is_part_of(&self, other: &Self) -> bool {
        !self.tried.is_empty() && self.tried.is_subset(&other.tried)
    }

    /// What of it none of `earlier` has at its budget, if anything: two rounds that were
    /// decided for different seeds may share sizes.
    fn without(mut self, earlier: &[Self]) -> Option<Self> {
        let had_sizes = !self.round.sizes.is_empty();
        let is_same = |other: &&Self| other.round.budget.total_cmp(&self.round.budget).is_eq();
        for Self { round: other, .. } in earlier.iter().filter(is_same) {
            self.round.sizes.retain(|size| !other.sizes.contains(size));
            let has = |label| other.runs.iter().any(|run| run.label == label);
            self.round.runs.retain(|run| !has(run.label.clone()));
        }
        (!had_sizes || !self.round.sizes.is_empty()).then_some(self)
    }
}

impl Results<'_> {
    /// The lines of `own` with the rounds of those at `budgets` that something was trained
    /// of under the present manifest; the others lie dormant, but all that come before the
    /// last of these and failed. Ends of a sweep are left out: they are decided anew.
    pub(super) fn carried_out(
        &mut self,
        own: Vec<Decided>,
        budgets: &[f64],
    ) -> Result<(Vec<Decided>, Vec<Trained>), PlanError> {
        let mut lines = Vec::new();
        for line in own {
            let Action::Train { budget, sizes, .. } = &line.decision.action else {
                continue;
            };
            let is_same = |other: &f64| other.total_cmp(budget).is_eq();
            let trained = if budgets.iter().any(is_same) {
                let trained = self.round(*budget, sizes.clone(), line.dormant)?;
                Some(trained).filter(|trained| !line.dormant || trained.has_begun)
            } else {
                None
            };
            lines.push((line, trained));
        }
        let counts = for_their_own_sake(&lines);
        let has_begun = |(i, (_, trained)): (usize, &(Decided, Option<Trained>))| {
            counts[i] && trained.as_ref().is_some_and(|trained| trained.has_begun)
        };
        let last = lines.iter().enumerate().rev().find(|&line| has_begun(line));
        let end = last.map_or(0, |(last, _)| last + 1);
        let mut rounds: Vec<Trained> = Vec::new();
        let lines = (0..).zip(lines).map(|(i, (line, trained))| {
            let trained = trained.filter(|_| i < end && counts[i]);
            let trained = trained.and_then(|trained| trained.without(&rounds));
            let dormant = trained.is_none();
            rounds.extend(trained);
            Decided { dormant, ..line }
        });
        let lines = lines.collect();
        Ok((lines, rounds))
    }

    /// The round of `sizes` at `budget`. Where it lay dormant, only what stands without
    /// being asked about counts as a beginning.
    pub(super) fn round(
        &mut self,
        budget: f64,
        sizes: Vec<i64>,
        dormant: bool,
    ) -> Result<Trained, PlanError> {
        let layout = Layout::Listed(vec![SizeList {
            budget,
            sizes: sizes.clone(),
        }]);
        let laid_out = lay_out(self.manifest, self.survey, &layout, self.output)?;
        let outdated = laid_out.specs.iter().filter(|spec| {
            let dir = self.output.trial(&spec.id);
            self.rebuilt != Rebuilt::Accept && self.survey.sources.outdate(&dir)
        });
        let outdated: BTreeSet<&str> = outdated.map(|spec| spec.id.as_str()).collect();
        let mut rows = runs::collect(self.output, &laid_out.plan);
        if self.rebuilt == Rebuilt::Retrain {
            for row in &mut rows {
                if row.trial.as_deref().is_some_and(|id| outdated.contains(id)) {
                    row.status = Status::Pending;
                }
            }
        }
        let stands = |id: &str| {
            let asks = dormant || self.rebuilt == Rebuilt::Retrain;
            !(asks && outdated.contains(id))
        };
        let begun = laid_out.specs.iter().filter(|spec| self.has_begun(spec));
        let begun = begun.map(|spec| spec.id.as_str());
        let is_standing = |id: &&str| stands(id);
        let begun: Vec<&str> = begun.filter(is_standing).collect();
        let with = |statuses: &[Status]| -> Vec<&str> {
            let rows = rows.iter().filter(|row| statuses.contains(&row.status));
            let ids = rows.filter_map(|row| row.trial.as_deref());
            ids.filter(is_standing).collect()
        };
        let ended = with(&[Status::Completed, Status::Diverged]);
        let tried = [&begun, &ended, &with(&[Status::Failed])];
        let tried = tried.into_iter().flatten().map(|&id| id.to_owned());
        let trained = Trained {
            is_complete: rows.iter().all(|row| row.status != Status::Pending),
            has_begun: !begun.is_empty() || !ended.is_empty(),
            tried: tried.collect(),
            has_trials: !laid_out.specs.is_empty(),
            round: Round {
                budget,
                sizes,
                runs: rows.iter().filter_map(Row::to_run).collect(),
            },
        };
        if trained.has_begun {
            for (trunk, leaves) in laid_out.specs.iter().filter_map(TrialSpec::branch) {
                let last = self.left.entry(trunk.clone()).or_default();
                *last = leaves.max(*last);
            }
        }
        Ok(trained)
    }

    /// Whether a trial without a result has got to a checkpoint, or its trunk to one that no
    /// earlier round has asked for.
    fn has_begun(&self, spec: &TrialSpec) -> bool {
        if !self.output.trial(&spec.id).checkpoints().is_empty() {
            return true;
        }
        let Some((trunk, leaves)) = spec.branch() else {
            return false;
        };
        let dir = self.output.trunk(trunk);
        let (branches, own) = (dir.branches(), dir.checkpoints());
        let steps = branches.steps().into_iter().chain(own.steps());
        let left = self.left.get(trunk).copied().unwrap_or_default();
        branches.has(leaves) || steps.max().unwrap_or_default() > left
    }
}

/// Which lines have a round that is in the plan for its own sake. Another decision may have
/// had some of the same sizes, when there were other seeds: a round of which nothing but
/// those was tried is not carried out beside it. Where the same was tried of both, the one
/// stays whose decision goes by trials of the plan, then what the last plan had, then what was
/// decided first. A round of which nothing was tried is not carried out either.
fn for_their_own_sake(lines: &[(Decided, Option<Trained>)]) -> Vec<bool> {
    let rounds = || {
        let all = lines.iter().enumerate();
        all.filter_map(|(i, (line, trained))| trained.as_ref().map(|trained| (i, line, trained)))
    };
    let tried: BTreeSet<&String> = rounds().flat_map(|(_, _, round)| &round.tried).collect();
    let rank = |i: usize, line: &Decided| {
        let is_of_others = !line.from.iter().all(|id| tried.contains(id));
        (is_of_others, line.dormant, i)
    };
    let is_own = |(i, (line, trained)): (usize, &(Decided, Option<Trained>))| {
        let Some(trained) = trained else {
            return false;
        };
        let is_repeated = rounds().any(|(k, other, round)| {
            k != i
                && trained.is_part_of(round)
                && (!round.is_part_of(trained) || rank(k, other) < rank(i, line))
        });
        !is_repeated && (!trained.tried.is_empty() || !trained.has_trials)
    };
    lines.iter().enumerate().map(is_own).collect()
}
