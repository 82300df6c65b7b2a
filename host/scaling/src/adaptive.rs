//! A sweep whose sizes are chosen as it goes, round by round.
//!
//! The lowest budget comes first, over a wide grid: it is the cheapest, and nothing is
//! known yet. Each further budget's sizes are laid around the optimum that the earlier
//! ones lead to expect. A budget without a minimum that counts gets sizes added where
//! its curve asks for them, three times at most. The sweep ends with its last budget,
//! or once the answer at the target is known well enough.
//!
//! What it keeps true: a decision is a pure function of the rounds that are complete,
//! so it can be made again from results alone.

mod center;
mod decision;
mod rounds;

pub use decision::{Action, Decision, Found, Reason};
pub use rounds::Round;

use crate::analysis::Options;
use crate::analyze::{self, Extent};
use crate::batch::Batch;
use crate::design::Wish;
use crate::grid::{self, Candidate, GridError, GridSpec, Layout, PlannedTrial, SizeList, Spread};
use crate::isoflop::Outcome;
use rounds::Findings;

/// How often sizes are added to a budget without a minimum.
pub const EXTENSIONS: usize = 3;

/// Fewest budgets with minima before the answer is held against the wish.
const FEW_BUDGETS: usize = 3;

/// How far beyond the largest budget the answer is wanted where no target is given.
const BEYOND: f64 = 10.0;

/// A sweep to be laid out round by round.
#[derive(Debug, Clone, PartialEq)]
pub struct Adaptive {
    /// Its budgets in FLOPs, ascending, each finite and above 0.
    pub budgets: Vec<f64>,
    /// Sizes of a budget, and how far they reach around the expected optimum; the first
    /// budget's reach twice as far in ln N, with the same spacing, around its centre.
    pub spread: Spread,
    /// Units of data that one optimizer step consumes.
    pub batch: Batch,
    /// Sizes that would train for fewer steps are not chosen.
    pub min_steps: u64,
    /// How the runs are to be analysed: the farthest target and the wish decide whether
    /// the sweep may end early.
    pub options: Options,
}

/// What is to be trained after `rounds`, which are complete, or why nothing is.
///
/// # Errors
/// [`GridError`] when the specification or a candidate makes no sense.
pub fn decide(
    sweep: &Adaptive,
    candidates: &[Candidate],
    rounds: &[Round],
) -> Result<Decision, GridError> {
    let Some(last) = rounds.last() else {
        let first = *sweep.budgets.first().ok_or(GridError::NoBudgets)?;
        return Ok(Decision {
            found: None,
            action: sweep.first(candidates, first)?,
        });
    };
    let findings = Findings::of(rounds, &sweep.options);
    let found = findings.at(last.budget);
    let asked = rounds.iter().filter(|round| round.is_at(last.budget));
    let extensions = asked.count() - 1;
    let added = match &found.outcome {
        Some(Outcome::Undetermined(diagnosis)) if extensions < EXTENSIONS => {
            sweep.beyond(candidates, &found, diagnosis.add())?
        }
        _ => Vec::new(),
    };
    let action = if added.is_empty() {
        sweep.next(candidates, rounds, &findings)?
    } else {
        Action::Train {
            budget: last.budget,
            sizes: added,
            reason: Reason::Extended {
                extension: extensions + 1,
                of: EXTENSIONS,
            },
        }
    };
    Ok(Decision {
        found: Some(found.into()),
        action,
    })
}

impl Adaptive {
    /// The first round: the lowest budget, over a wide grid.
    fn first(&self, candidates: &[Candidate], budget: f64) -> Result<Action, GridError> {
        let center = self.spread.center.at(budget);
        let wide = Spread {
            per_budget: 2 * self.spread.per_budget - 1,
            span: self.spread.span.powi(2),
            center: self.spread.center.clone(),
        };
        Ok(Action::Train {
            budget,
            sizes: self.around(candidates, budget, wide)?,
            reason: Reason::First { center },
        })
    }

    /// The next budget, or the end.
    fn next(
        &self,
        candidates: &[Candidate],
        rounds: &[Round],
        findings: &Findings,
    ) -> Result<Action, GridError> {
        let trained = |budget: &&f64| rounds.iter().any(|round| round.is_at(**budget));
        let Some(&budget) = self.budgets.iter().find(|budget| !trained(budget)) else {
            return Ok(Action::Stop {
                reason: Reason::AllTrained,
            });
        };
        if let Some(reason) = self.is_answered(findings) {
            return Ok(Action::Stop { reason });
        }
        let points = findings.points(self.spread.span);
        let (center, exponent) = center::expected(&points, budget)
            .unwrap_or_else(|| (self.spread.center.at(budget), center::EXPONENT));
        let spread = Spread {
            center: grid::Center::Minima(vec![(budget, center)]),
            ..self.spread.clone()
        };
        Ok(Action::Train {
            budget,
            sizes: self.around(candidates, budget, spread)?,
            reason: Reason::Extrapolated { center, exponent },
        })
    }

    /// Why no further budget is needed, if none is.
    fn is_answered(&self, findings: &Findings) -> Option<Reason> {
        let wish = self.options.wish;
        if wish == Wish::default() || findings.minima() < FEW_BUDGETS {
            return None;
        }
        let target = self.target();
        let options = Options {
            targets: vec![target],
            ..self.options.clone()
        };
        let analysis = analyze::answer(findings.runs(), &options, Extent::Predictions).ok()?;
        let at = analysis.predictions.first().filter(|at| !at.is_far)?;
        let bounds = at.ci95?;
        let factor = (bounds.n[1] / bounds.n[0]).sqrt();
        let half_width = (bounds.loss[1] - bounds.loss[0]) / 2.0;
        let fulfilled = wish.n.is_none_or(|wish| factor <= wish)
            && wish.loss.is_none_or(|wish| half_width <= wish);
        fulfilled.then_some(Reason::Answered {
            target,
            factor,
            half_width,
        })
    }

    /// Where the answer is wanted.
    fn target(&self) -> f64 {
        let farthest = self.options.targets.iter().copied().reduce(f64::max);
        let largest = self.budgets.iter().copied().reduce(f64::max);
        farthest.unwrap_or_else(|| BEYOND * largest.unwrap_or(f64::NAN))
    }

    fn grid(&self, layout: Layout) -> GridSpec {
        GridSpec {
            layout,
            batch: self.batch,
            min_steps: self.min_steps,
        }
    }

    fn around(
        &self,
        candidates: &[Candidate],
        budget: f64,
        spread: Spread,
    ) -> Result<Vec<i64>, GridError> {
        let layout = Layout::Around {
            budgets: grid::Budgets::List(vec![budget]),
            spread,
        };
        let grid = grid::plan(&self.grid(layout), candidates)?;
        let trials = grid.budgets.into_iter().flat_map(|budget| budget.trials);
        Ok(trials.map(|trial| trial.size).collect())
    }

    /// The candidates nearest to `wanted`, beyond the sizes that were trained.
    fn beyond(
        &self,
        candidates: &[Candidate],
        found: &rounds::Finding,
        wanted: &[f64],
    ) -> Result<Vec<i64>, GridError> {
        let sizes = candidates.iter().filter_map(|candidate| match candidate {
            Candidate::Accepted { size, .. } => Some(*size),
            Candidate::Refused { .. } => None,
        });
        let layout = Layout::Listed(vec![SizeList {
            budget: found.budget,
            sizes: sizes.collect(),
        }]);
        let grid = grid::plan(&self.grid(layout), candidates)?;
        let eligible: Vec<PlannedTrial> = grid
            .budgets
            .into_iter()
            .flat_map(|budget| budget.trials)
            .filter(|trial| !found.sizes.contains(&trial.size))
            .collect();
        let Some((low, high)) = found.range else {
            return Ok(Vec::new());
        };
        let mut added = Vec::new();
        for &n in wanted {
            let beyond = |trial: &&PlannedTrial| {
                if n > high {
                    trial.n > high
                } else {
                    trial.n < low
                }
            };
            let off = |trial: &PlannedTrial| (trial.n / n).ln().abs();
            let nearest = eligible
                .iter()
                .filter(beyond)
                .filter(|trial| !added.contains(&trial.size))
                .min_by(|a, b| off(a).total_cmp(&off(b)));
            added.extend(nearest.map(|trial| trial.size));
        }
        Ok(added)
    }
}

#[cfg(test)]
mod tests;
