//! What an analysis is worth, measured on sweeps drawn from a law that is known: how
//! often its 95 % intervals hold the truth, and what following it would cost.
//!
//! One [`Cell`] is a law, a grid and a noise. Every sweep of it goes through
//! [`analyze()`](crate::analyze()) and is asked for N* and L* at the cell's target, by
//! each method and by the recommendation.

pub mod cells;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use crate::analysis::{Options, Prediction, Quantity};
use crate::analyze::{Extent, answer};
use crate::bootstrap::{Bootstrap, parallel};
use crate::frontier::Frontier;
use crate::interval::Interval;
use crate::median::median;
use crate::run::Run;
use crate::simulate::{FLOPS, Truth, noisy};

/// Name of the recommendation among the methods.
pub const RECOMMENDED: &str = "recommended";
/// The same with its intervals before the methods' disagreement widened them.
pub const UNWIDENED: &str = "unwidened";

/// A law, a grid and a noise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// What the cell is called in tables.
    pub name: String,
    /// The law.
    pub truth: Truth,
    /// The runs of a sweep; their losses are the law's.
    pub plan: Vec<Run>,
    /// Standard deviation of a loss.
    pub noise: f64,
    /// FLOPs at which N* and L* are asked for.
    pub target: f64,
}

/// How a cell is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effort {
    /// Sweeps drawn.
    pub sweeps: usize,
    /// Draws of the bootstrap in each.
    pub draws: usize,
    /// Seed of the sweeps' noise and of the bootstraps.
    pub seed: u64,
    /// Threads; as many as the machine offers where absent.
    pub threads: Option<NonZeroUsize>,
}

/// What the predictions of one method, or of the recommendation, did over the sweeps of
/// a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// The method's name, [`RECOMMENDED`] or [`UNWIDENED`].
    pub name: String,
    /// Sweeps for which it gave intervals.
    pub sweeps: usize,
    /// Share of those whose interval held the true N*.
    pub n: f64,
    /// Median of ln (high / low) of N*.
    pub n_width: f64,
    /// Mean error of ln N*.
    pub n_bias: f64,
    /// Share whose interval held the true L*.
    pub loss: f64,
    /// Median half-width of L*'s interval.
    pub loss_half_width: f64,
    /// Mean of the true loss at the N* it names less the lowest loss, over all sweeps in
    /// which it named one.
    pub regret: f64,
    /// Sweeps in which it named an N*.
    pub answers: usize,
}

/// Measures every method that fits, and the recommendation; those without an interval
/// in any sweep are left out.
pub fn measure(cell: &Cell, effort: &Effort) -> Vec<Coverage> {
    let sweeps = parallel::map(effort.sweeps, effort.threads, |number| {
        let runs = noisy(&cell.plan, cell.noise, effort.seed, number as u64);
        // Every sweep has draws of its own: shared ones would make the sweeps'
        // intervals err together.
        let bootstrap = Bootstrap {
            draws: effort.draws,
            seed: effort.seed.wrapping_add(number as u64),
            threads: NonZeroUsize::new(1),
            ..Bootstrap::default()
        };
        predictions(&runs, bootstrap, cell.target)
    });
    let mut by_name: BTreeMap<String, Vec<Prediction>> = BTreeMap::new();
    for (name, prediction) in sweeps.into_iter().flatten() {
        by_name.entry(name).or_default().push(prediction);
    }
    by_name
        .into_iter()
        .filter(|(_, found)| found.iter().any(|prediction| prediction.ci95.is_some()))
        .map(|(name, found)| summarise(name, &found, cell))
        .collect()
}

fn predictions(runs: &[Run], bootstrap: Bootstrap, target: f64) -> Vec<(String, Prediction)> {
    let options = Options {
        targets: vec![target],
        bootstrap,
        ..Options::default()
    };
    let Ok(analysis) = answer(runs, &options, Extent::Answer) else {
        return Vec::new();
    };
    let mut all: Vec<(String, Prediction)> = analysis
        .laws()
        .map(|(method, law)| (method.to_string(), law.predictions[0].clone()))
        .collect();
    if let Some(recommended) = analysis.predictions.first() {
        let unwidened = Prediction {
            ci95: recommended.unwidened,
            ..recommended.clone()
        };
        all.push((RECOMMENDED.to_owned(), recommended.clone()));
        all.push((UNWIDENED.to_owned(), unwidened));
    }
    all
}

fn summarise(name: String, found: &[Prediction], cell: &Cell) -> Coverage {
    let truth = cell.truth.optimum(cell.target);
    let intervals = |quantity: Quantity| -> Vec<Interval> {
        let of = |prediction: &Prediction| prediction.interval(quantity);
        found.iter().filter_map(of).collect()
    };
    let middle = |values: Vec<f64>| median(values).unwrap_or(f64::NAN);
    let share = |intervals: &[Interval], value: f64| {
        let held = intervals.iter().filter(|one| one.contains(value)).count();
        held as f64 / intervals.len() as f64
    };
    let (n, loss) = (intervals(Quantity::N), intervals(Quantity::Loss));
    let count = found.len() as f64;
    let errors = found.iter().map(|at| (at.n / truth.n).ln());
    let regrets = found
        .iter()
        .map(|at| cell.truth.loss(at.n, cell.target / (FLOPS * at.n)) - truth.loss);
    Coverage {
        name,
        sweeps: n.len(),
        n: share(&n, truth.n),
        n_width: middle(n.iter().map(|at| (at.high / at.low).ln()).collect()),
        n_bias: errors.sum::<f64>() / count,
        loss: share(&loss, truth.loss),
        loss_half_width: middle(loss.iter().map(Interval::half_width).collect()),
        regret: regrets.sum::<f64>() / count,
        answers: found.len(),
    }
}
