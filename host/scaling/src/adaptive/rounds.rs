//! What the rounds that are complete say.

use super::center::Point;
use crate::analysis::Options;
use crate::isoflop::{BudgetFit, Minimum, Outcome};
use crate::quality;
use crate::run::Run;
use crate::sample::Sample;

/// Standard deviation of ln N* that is taken for granted beside the noise: a polynomial is
/// not the curve's true shape.
const SHAPE: f64 = 0.1;

/// One round: sizes of one budget, trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// FLOPs.
    pub budget: f64,
    /// Values of the size parameter that it trained.
    pub sizes: Vec<i64>,
    /// Its runs that completed; each names `budget` as its own.
    pub runs: Vec<Run>,
}

impl Round {
    pub(super) fn is_at(&self, budget: f64) -> bool {
        self.budget.total_cmp(&budget).is_eq()
    }
}

/// What one budget says.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) budget: f64,
    /// Values of the size parameter that were trained.
    pub(super) sizes: Vec<i64>,
    /// Smallest and largest N that completed.
    pub(super) range: Option<(f64, f64)>,
    /// N of the lowest loss.
    lowest: Option<f64>,
    /// Absent where no run is fitted.
    pub(super) outcome: Option<Outcome>,
}

impl Finding {
    pub(super) fn minimum(&self) -> Option<&Minimum> {
        self.outcome.as_ref()?.minimum()
    }
}

/// What all budgets say.
pub(super) struct Findings {
    runs: Vec<Run>,
    /// In the order in which they were begun.
    pub(super) budgets: Vec<Finding>,
}

impl Findings {
    pub(super) fn of(rounds: &[Round], options: &Options) -> Self {
        // A second try at a lower rate says nothing of the others' curve: no fit has it.
        let counts = |run: &&Run| run.retry_of.is_none() || !options.quality_checks;
        let runs = rounds.iter().flat_map(|round| &round.runs).filter(counts);
        let runs: Vec<Run> = runs.cloned().collect();
        let fits = fits(&runs, options);
        let mut budgets: Vec<Finding> = Vec::new();
        for round in rounds {
            let known = budgets.iter_mut().find(|known| round.is_at(known.budget));
            match known {
                Some(known) => known.sizes.extend(&round.sizes),
                None => budgets.push(finding(round, &runs, &fits)),
            }
        }
        Self { runs, budgets }
    }

    pub(super) fn at(&self, budget: f64) -> Finding {
        let mut all = self.budgets.iter();
        let found = all.find(|finding| finding.budget.total_cmp(&budget).is_eq());
        found.expect("a budget of a round").clone()
    }

    pub(super) fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Budgets with a minimum that counts.
    pub(super) fn minima(&self) -> usize {
        self.budgets
            .iter()
            .filter(|b| b.minimum().is_some())
            .count()
    }

    /// The optima: minima that count, and for want of one the size of the lowest loss,
    /// which may be off by a factor of `span`.
    pub(super) fn points(&self, span: f64) -> Vec<Point> {
        let point = |finding: &Finding| {
            let (n, sd) = match finding.minimum() {
                Some(minimum) => (minimum.n.estimate, minimum.ln_n_se.hypot(SHAPE)),
                None => (finding.lowest?, span.ln()),
            };
            Some(Point {
                ln_c: finding.budget.ln(),
                ln_n: n.ln(),
                variance: sd * sd,
            })
        };
        self.budgets.iter().filter_map(point).collect()
    }
}

/// Each budget's curves, as the analysis of these runs would have them.
fn fits(runs: &[Run], options: &Options) -> Vec<BudgetFit> {
    let screened = quality::screen(runs, options.checks());
    let sample = screened
        .ok()
        .and_then(|screened| Sample::of(&screened.kept).ok());
    sample.map_or_else(Vec::new, |sample| sample.isoflop().budgets.clone())
}

fn finding(round: &Round, runs: &[Run], fits: &[BudgetFit]) -> Finding {
    let here = || {
        let planned = |run: &&Run| run.budget.is_some_and(|budget| round.is_at(budget));
        runs.iter().filter(planned)
    };
    let low = here().map(|run| run.n).reduce(f64::min);
    let high = here().map(|run| run.n).reduce(f64::max);
    let fit = fits.iter().find(|fit| round.is_at(fit.budget));
    Finding {
        budget: round.budget,
        sizes: round.sizes.clone(),
        range: low.zip(high),
        lowest: here()
            .min_by(|a, b| a.loss.total_cmp(&b.loss))
            .map(|run| run.n),
        outcome: fit.map(|fit| fit.outcome.clone()),
    }
}
