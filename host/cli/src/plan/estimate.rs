//! How long a sweep is likely to take.
//!
//! Small models are bound by overhead, large ones by the processor's peak, so
//! the rate in FLOP/s grows with N. The growth is a rule of thumb; its level is
//! taken from trials of this sweep as soon as some have been trained.

use flops_fit_trial::Outcome;
use serde::Serialize;

use super::{Plan, PlannedRun, PlannedTrunk};
use crate::output::Output;

/// Seconds that a sweep is likely to take from now on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The likely value.
    pub seconds: f64,
    /// It should not be shorter than this,
    pub low: f64,
    /// nor longer than this.
    pub high: f64,
    /// Trials that are still to be trained.
    pub trials: usize,
    /// FLOPs that they cost.
    pub flops: f64,
    /// Where it comes from.
    pub basis: Basis,
}

/// Where an estimate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Basis {
    /// The rates of finished trials of this sweep.
    Measured {
        /// How many.
        trials: usize,
    },
    /// A rule of thumb for one core of a current CPU.
    Guessed,
    /// Nothing is trained.
    Simulated,
}

/// Seconds that a worker takes around its training, where none was measured.
const OVERHEAD: f64 = 1.0;

struct Finished {
    n: f64,
    /// FLOP/s relative to the rule of thumb.
    level: f64,
    overhead: f64,
}

/// Of `plan`, and of all trials of `then`, which is laid out later and at other rates.
pub(super) fn estimate(
    plan: &Plan,
    then: Option<&Plan>,
    output: &Output,
    jobs: usize,
    simulated: bool,
) -> Estimate {
    let mut finished = Vec::new();
    let mut pending = Vec::new();
    for (_, run) in plan.every_run() {
        match output.trial(&run.id).result() {
            Ok(Some(result)) => match result.outcome {
                Outcome::Completed { measured } if result.timing.train > 0.0 => {
                    finished.push(Finished {
                        n: run.n,
                        level: measured.spent / result.timing.train / thumb(run.n),
                        overhead: result.timing.startup + result.timing.evaluate,
                    });
                }
                Outcome::Failed { .. } => pending.push(run),
                _ => {}
            },
            _ => pending.push(run),
        }
    }
    let trunks = trunks(plan, output, &pending);
    let later = then.iter().flat_map(|then| &then.trunks);
    let later = later.map(|trunk| (trunk.n, trunk.c));
    pending.extend(then.iter().flat_map(|then| then.runs()).map(|(_, run)| run));
    let trials = pending.len();
    let own = pending.iter().map(|run| (run.n, run.own_flops()));
    let pending: Vec<(f64, f64)> = own.chain(trunks).chain(later).collect();
    let overhead = if finished.is_empty() {
        OVERHEAD
    } else {
        finished.iter().map(|f| f.overhead).sum::<f64>() / finished.len() as f64
    };
    let seconds = pending.iter().map(|&(n, c)| {
        let level = finished
            .iter()
            .min_by(|a, b| (a.n / n).ln().abs().total_cmp(&(b.n / n).ln().abs()))
            .map_or(1.0, |nearest| nearest.level);
        c / (level * thumb(n)) + overhead
    });
    let seconds = makespan(seconds.collect(), jobs);
    let (basis, seconds, factor) = match finished.len() {
        _ if simulated => (Basis::Simulated, 0.0, 1.0),
        0 => (Basis::Guessed, seconds, 3.0),
        trials => (Basis::Measured { trials }, seconds, 1.3),
    };
    Estimate {
        seconds,
        low: seconds / factor,
        high: seconds * factor,
        trials,
        // From 0, since the sum of nothing is -0.
        flops: pending.iter().fold(0.0, |sum, (_, c)| sum + c),
        basis,
    }
}

/// N and FLOPs of each stretch of a trunk that is still to be trained for `pending`.
fn trunks(plan: &Plan, output: &Output, pending: &[&PlannedRun]) -> Vec<(f64, f64)> {
    let stretch = |trunk: &PlannedTrunk| {
        let wanted = pending.iter().filter_map(|run| run.branch.as_ref());
        let wanted = wanted.filter(|branch| branch.trunk == trunk.id);
        let wanted: Vec<u64> = wanted.map(|branch| branch.step).collect();
        let last = *trunk.branches.last()?;
        let steps = output.trunk(&trunk.id).steps_to_grow(&wanted);
        (steps > 0).then(|| (trunk.n, trunk.c * steps as f64 / last as f64))
    };
    plan.trunks.iter().filter_map(stretch).collect()
}

/// FLOP/s of one core at N parameters: 8e9 at ten thousand, growing with N^0.44
/// up to 6e10.
pub(crate) fn thumb(n: f64) -> f64 {
    (8e9 * (n / 1e4).powf(0.44)).min(6e10)
}

/// Wall seconds of trials of so many seconds on `jobs` workers, longest first, as the
/// executor starts them.
fn makespan(mut trials: Vec<f64>, jobs: usize) -> f64 {
    trials.sort_by(|a, b| b.total_cmp(a));
    let mut workers = vec![0.0_f64; jobs.max(1)];
    for seconds in trials {
        if let Some(free) = workers.iter_mut().min_by(|a, b| a.total_cmp(b)) {
            *free += seconds;
        }
    }
    workers.into_iter().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_first_over_the_workers() {
        let trials = vec![1.0, 4.0, 2.0, 3.0];
        assert!((makespan(trials.clone(), 1) - 10.0).abs() < 1e-12);
        assert!((makespan(trials.clone(), 2) - 5.0).abs() < 1e-12);
        assert!((makespan(trials, 9) - 4.0).abs() < 1e-12);
        assert!(makespan(Vec::new(), 2).abs() < 1e-12);
    }

    #[test]
    fn rates_grow_with_size_up_to_a_peak() {
        assert!((thumb(1e4) - 8e9).abs() < 1.0);
        assert!(thumb(1e3) < thumb(1e5));
        assert!((thumb(1e9) - 6e10).abs() < 1.0);
    }
}
