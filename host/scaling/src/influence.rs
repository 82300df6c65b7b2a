//! What the answer hangs on: N* and L* with one budget, or one run, left out or put
//! back.
//!
//! A budget that is left out means fitting the rest afresh. A single run gets weight
//! 0 in a refit from the fit, and so does every run in turn where they are few: a
//! handful of runs can carry an exponent, whether a check finds them doubtful or not.
//! Runs that a check has left out are put back, one at a time.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use crate::bootstrap::parallel;
use crate::budget::Budget;
use crate::fit::{Fit, fit};
use crate::frontier::{Frontier, Law, Optimum};
use crate::quality::{Flag, LeftOut, LeftOutReason};
use crate::run::Run;
use crate::sample::Sample;

/// Budgets that are left out in turn: those with the most runs where there are more.
const BUDGETS: usize = 50;
/// Runs up to which each of them is left out in turn.
const FEW: usize = 300;
/// Runs without a flag that are reported: those that move the answer most.
const MOST: usize = 5;
/// Runs that are put back one at a time; more are put back all at once.
const SINGLY: usize = 20;

/// A change of the runs that are fitted. Runs are positions in the list that was
/// analysed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// All runs of a budget are left out.
    WithoutBudget {
        /// FLOPs that they were planned for.
        budget: f64,
    },
    /// One run is left out.
    WithoutRun {
        /// The run.
        run: usize,
        /// Whether a check had found it doubtful.
        flagged: bool,
    },
    /// Runs that a check had left out are put back.
    WithRuns {
        /// The runs.
        runs: Vec<usize>,
    },
}

/// What a change of the runs does to the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Influence {
    /// The change.
    pub change: Change,
    /// The answer then; absent where nothing that is followed has a law.
    pub answer: Option<Optimum>,
    /// Change of ln N*; absent with the answer.
    pub ln_n: Option<f64>,
    /// Change of L*.
    pub loss: Option<f64>,
    /// Whether N* or L* leaves its 95 % interval, or there is no answer.
    pub beyond: bool,
}

/// An answer and its bounds, against which changes are held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// The answer.
    pub optimum: Optimum,
    /// 95 % bounds of N*, where they are known.
    pub n: Option<[f64; 2]>,
    /// 95 % bounds of L*.
    pub loss: Option<[f64; 2]>,
}

/// The methods that are followed, with their shares: logarithms of N* and D*, and L*,
/// are averaged.
#[derive(Debug, Clone, Copy)]
pub struct Followed<'f, 's> {
    /// The fits, all of one sample, and their shares; not all 0.
    pub fits: &'f [(&'f Fit<'s>, f64)],
}

/// The table of influences on `answer`, largest change of N* first. `runs` is the list
/// that was analysed, `left_out` and `flags` what the checks said of it.
///
/// # Panics
/// When `followed` is empty.
pub fn influences(
    followed: Followed<'_, '_>,
    answer: &Answer,
    runs: &[Run],
    left_out: &[LeftOut],
    flags: &[Flag],
    threads: Option<NonZeroUsize>,
) -> Vec<Influence> {
    let sample = followed.fits[0].0.sample();
    let changes = changes(sample, left_out, flags);
    let answers = parallel::map(changes.len(), threads, |index| {
        followed.changed(&changes[index], answer.optimum, runs)
    });
    let mut influences: Vec<Influence> = changes
        .into_iter()
        .zip(answers)
        .map(|(change, changed)| Influence::new(change, changed, answer))
        .collect();
    influences.sort_by(|a, b| b.size().total_cmp(&a.size()));
    let mut unflagged = 0;
    influences.retain(|influence| {
        let is_unflagged = matches!(influence.change, Change::WithoutRun { flagged: false, .. });
        unflagged += usize::from(is_unflagged);
        !is_unflagged || unflagged <= MOST
    });
    influences
}

fn changes(sample: &Sample, left_out: &[LeftOut], flags: &[Flag]) -> Vec<Change> {
    let mut changes = Vec::new();
    if sample.budgets.len() > 1 {
        let mut budgets: Vec<&Budget> = sample.budgets.iter().collect();
        budgets.sort_by_key(|budget| Reverse(budget.rows.len()));
        let budgets = budgets.into_iter().take(BUDGETS);
        changes.extend(budgets.map(|budget| Change::WithoutBudget {
            budget: budget.nominal,
        }));
    }
    let suspects: BTreeSet<usize> = flags
        .iter()
        .filter_map(|flag| match flag {
            Flag::Suspect { run, .. } => Some(*run),
            _ => None,
        })
        .collect();
    let each = sample.runs.iter().map(|&run| Change::WithoutRun {
        run,
        flagged: suspects.contains(&run),
    });
    changes.extend(each.filter(|change| {
        sample.len() <= FEW || matches!(change, Change::WithoutRun { flagged: true, .. })
    }));
    let doubtful: Vec<usize> = left_out
        .iter()
        .filter(|one| is_doubtful(&one.reason))
        .map(|one| one.run)
        .collect();
    if doubtful.len() > SINGLY {
        changes.push(Change::WithRuns { runs: doubtful });
    } else {
        let singly = doubtful.into_iter();
        changes.extend(singly.map(|run| Change::WithRuns { runs: vec![run] }));
    }
    changes
}

/// Whether a run could as well have been kept: one that its budget's curve speaks
/// against, as diverged or not, or whose place or learning rate is the trouble.
fn is_doubtful(reason: &LeftOutReason) -> bool {
    matches!(
        reason,
        LeftOutReason::Outlier { .. }
            | LeftOutReason::Diverged {
                expected: Some(_),
                ..
            }
            | LeftOutReason::OffCenter { .. }
            | LeftOutReason::NearDuplicate { .. }
            | LeftOutReason::Worst { .. }
            | LeftOutReason::Retried { .. }
    )
}

impl Followed<'_, '_> {
    /// The answer at the compute of `now` after a change. Methods that lose their law
    /// are taken to move as the others do; `None` where none is left.
    fn changed(&self, change: &Change, now: Optimum, runs: &[Run]) -> Option<Optimum> {
        let moved = self.laws(change, runs);
        let (mut total, mut ln_n, mut ln_d, mut loss) = (0.0, 0.0, 0.0, 0.0);
        for ((fit, share), law) in self.fits.iter().zip(moved) {
            let Some(law) = law else { continue };
            let (before, after) = (fit.optimum(now.c), law.optimum(now.c));
            let by = [
                (after.n / before.n).ln(),
                (after.d / before.d).ln(),
                after.loss - before.loss,
            ];
            if *share > 0.0 && by.iter().all(|by| by.is_finite()) {
                total += share;
                ln_n += share * by[0];
                ln_d += share * by[1];
                loss += share * by[2];
            }
        }
        (total > 0.0).then(|| Optimum {
            c: now.c,
            n: now.n * (ln_n / total).exp(),
            d: now.d * (ln_d / total).exp(),
            loss: now.loss + loss / total,
        })
    }

    /// The law of each fit after a change.
    fn laws(&self, change: &Change, runs: &[Run]) -> Vec<Option<Law>> {
        let sample = self.fits[0].0.sample();
        let afresh = |sample: Option<Sample>| match sample {
            Some(sample) => self
                .fits
                .iter()
                .map(|(old, _)| Some(fit(old.method(), &sample).ok()?.law().clone()))
                .collect(),
            None => vec![None; self.fits.len()],
        };
        match change {
            Change::WithoutBudget { budget } => {
                let is_it = |index: usize| sample.budgets[index].nominal.total_cmp(budget).is_eq();
                afresh(Some(
                    sample.subset(|row| !sample.budget[row].is_some_and(is_it)),
                ))
            }
            Change::WithoutRun { run, .. } => {
                let kept = sample
                    .runs
                    .iter()
                    .map(|position| f64::from(u8::from(position != run)));
                let kept: Vec<f64> = kept.collect();
                let refit = |(fit, _): &(&Fit<'_>, f64)| fit.refit(&sample.loss, Some(&kept));
                self.fits.iter().map(refit).collect()
            }
            Change::WithRuns { runs: back } => {
                let mut positions = sample.runs.clone();
                positions.extend(back);
                positions.sort_unstable();
                let rows: Vec<(usize, &Run)> =
                    positions.into_iter().map(|i| (i, &runs[i])).collect();
                afresh(Sample::of(&rows).ok())
            }
        }
    }
}

impl Influence {
    fn new(change: Change, changed: Option<Optimum>, answer: &Answer) -> Self {
        let outside = |bounds: Option<[f64; 2]>, value: f64| {
            bounds.is_some_and(|[low, high]| !(low..=high).contains(&value))
        };
        Self {
            change,
            answer: changed,
            ln_n: changed.map(|then| (then.n / answer.optimum.n).ln()),
            loss: changed.map(|then| then.loss - answer.optimum.loss),
            beyond: changed
                .is_none_or(|then| outside(answer.n, then.n) || outside(answer.loss, then.loss)),
        }
    }

    /// How much it changes N*; without an answer more than anything else.
    fn size(&self) -> f64 {
        self.ln_n.map_or(f64::INFINITY, f64::abs)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
