//! How often 95 % intervals hold the truth, measured on sweeps drawn from a law
//! that is known.
//!
//! One [`Cell`] is a law, a grid and a noise. Every sweep of it is fitted by every
//! method, bootstrapped, and asked for N* and L* at the cell's target.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use crate::bootstrap::{Bootstrap, OptimumIntervals, parallel};
use crate::fit::fit;
use crate::frontier::{Frontier, Optimum};
use crate::interval::Interval;
use crate::method::Method;
use crate::run::Run;
use crate::sample::Sample;
use crate::simulate::{Truth, noisy};

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

/// What one method's intervals did over the sweeps of a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// The method.
    pub method: Method,
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
}

/// Measures every method that fits; methods without an interval in any sweep are
/// left out.
pub fn measure(cell: &Cell, methods: &[Method], effort: &Effort) -> Vec<Coverage> {
    let sweeps: Vec<Vec<Option<OptimumIntervals>>> =
        parallel::map(effort.sweeps, effort.threads, |number| {
            let runs = noisy(&cell.plan, cell.noise, effort.seed, number as u64);
            // Every sweep has draws of its own: shared ones would make the sweeps'
            // intervals err together.
            let bootstrap = Bootstrap {
                draws: effort.draws,
                seed: effort.seed.wrapping_add(number as u64),
                threads: NonZeroUsize::new(1),
                ..Bootstrap::default()
            };
            intervals(&runs, methods, &bootstrap, cell.target)
        });
    let truth = cell.truth.optimum(cell.target);
    methods
        .iter()
        .enumerate()
        .filter_map(|(index, &method)| {
            let found: Vec<OptimumIntervals> =
                sweeps.iter().filter_map(|sweep| sweep[index]).collect();
            (!found.is_empty()).then(|| summarise(method, &found, &truth))
        })
        .collect()
}

fn intervals(
    runs: &[Run],
    methods: &[Method],
    bootstrap: &Bootstrap,
    target: f64,
) -> Vec<Option<OptimumIntervals>> {
    let Ok(sample) = Sample::new(runs) else {
        return vec![None; methods.len()];
    };
    methods
        .iter()
        .map(|&method| bootstrap.run(&fit(method, &sample).ok()?).at(target))
        .collect()
}

fn summarise(method: Method, found: &[OptimumIntervals], truth: &Optimum) -> Coverage {
    let count = found.len() as f64;
    let share = |held: &dyn Fn(&OptimumIntervals) -> bool| {
        found.iter().filter(|at| held(at)).count() as f64 / count
    };
    let errors = found.iter().map(|at| (at.n.estimate / truth.n).ln());
    Coverage {
        method,
        sweeps: found.len(),
        n: share(&|at| at.n.contains(truth.n)),
        n_width: median(found.iter().map(|at| (at.n.high / at.n.low).ln())),
        n_bias: errors.sum::<f64>() / count,
        loss: share(&|at| at.loss.contains(truth.loss)),
        loss_half_width: median(found.iter().map(|at| Interval::half_width(&at.loss))),
    }
}

/// The middle of some values; not a number where there is none.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
