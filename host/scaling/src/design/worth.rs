//! How narrow a planned sweep's intervals are likely to be.
//!
//! Many sweeps are drawn from the laws of a prior and analysed as a real one would
//! be, by every method and with the recommendation's interval. What is reported is
//! the median of those intervals' widths: half of the sweeps do better.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::Prior;
use crate::analysis::{Options, Prediction, Quantity};
use crate::analyze::{Extent, answer};
use crate::bootstrap::{Bootstrap, parallel};
use crate::interval::Interval;
use crate::median::median;
use crate::run::Run;
use crate::simulate::noisy;

/// How much work goes into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Sweeps drawn.
    pub sweeps: usize,
    /// Draws of each sweep's bootstrap.
    pub draws: usize,
    /// Seed of the sweeps and their bootstraps.
    pub seed: u64,
    /// Threads; as many as the machine offers where absent. The result does not
    /// depend on it.
    pub threads: Option<NonZeroUsize>,
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            sweeps: 40,
            draws: 60,
            seed: 0,
            threads: None,
        }
    }
}

/// What a sweep is likely to say about one compute.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Worth {
    /// FLOPs.
    pub c: f64,
    /// Share of the drawn sweeps that gave an interval there.
    pub share: f64,
    /// Median factor within which N* is then known, either way; > 1. Absent where
    /// fewer than half of the sweeps gave an interval.
    pub n: Option<f64>,
    /// Median half-width of the interval of L*, in units of the loss; absent likewise.
    pub loss: Option<f64>,
}

/// What a sweep of the runs of `plan` is likely to say about the targets of `options`,
/// by sweeps drawn from `prior` and analysed with `options` but for the bootstrap's
/// effort. The runs' losses do not matter.
pub fn worth(plan: &[Run], prior: &Prior, options: &Options, effort: Effort) -> Vec<Worth> {
    let targets = &options.targets;
    let sweeps: Vec<Vec<Prediction>> = parallel::map(effort.sweeps, effort.threads, |number| {
        // Every law is drawn about as often, however many there are.
        let law = &prior.laws[number * prior.laws.len() / effort.sweeps % prior.laws.len()];
        let exact: Vec<Run> = plan
            .iter()
            .map(|run| Run {
                loss: law.loss(run.n, run.d),
                ..run.clone()
            })
            .collect();
        let runs = noisy(&exact, prior.noise, effort.seed, number as u64);
        let options = Options {
            bootstrap: Bootstrap {
                draws: effort.draws,
                seed: effort.seed.wrapping_add(number as u64),
                threads: NonZeroUsize::new(1),
                ..options.bootstrap.clone()
            },
            ..options.clone()
        };
        let found = answer(&runs, &options, Extent::Predictions);
        found.map_or_else(|_| Vec::new(), |answer| answer.predictions)
    });
    let at = |(index, &c): (usize, &f64)| {
        let intervals = |quantity| {
            sweeps
                .iter()
                .filter_map(move |sweep| sweep.get(index)?.interval(quantity))
        };
        let found = intervals(Quantity::N).count();
        let enough = 2 * found >= effort.sweeps.max(1);
        let n = median(intervals(Quantity::N).map(|n| (n.high / n.low).sqrt()));
        let loss = median(intervals(Quantity::Loss).map(|loss| Interval::half_width(&loss)));
        Worth {
            c,
            share: found as f64 / effort.sweeps as f64,
            n: n.filter(|_| enough),
            loss: loss.filter(|_| enough),
        }
    };
    targets.iter().enumerate().map(at).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::design::PriorBasis;
    use crate::simulate::Truth;
    use crate::surface::Surface;

    const EFFORT: Effort = Effort {
        sweeps: 12,
        draws: 40,
        seed: 1,
        threads: None,
    };

    fn truth() -> Truth {
        Truth::with_exponents(0.34, 0.3, 1e20, 0.9)
    }

    fn prior(noise: f64) -> Prior {
        let Truth {
            floor,
            a,
            alpha,
            b,
            beta,
            ..
        } = truth();
        Prior {
            laws: vec![Surface {
                floor,
                ln_a: a.ln(),
                ln_b: b.ln(),
                alpha,
                beta,
            }],
            noise,
            basis: PriorBasis::Assumed,
        }
    }

    fn plan(budgets: &[f64], seeds: u64) -> Vec<Run> {
        truth().sweep(budgets, 7, 4.0, 1.0, seeds)
    }

    fn at(plan: &[Run], prior: &Prior, effort: Effort) -> Worth {
        let options = Options {
            targets: vec![1e22],
            ..Options::default()
        };
        worth(plan, prior, &options, effort)[0]
    }

    const BUDGETS: [f64; 4] = [1e18, 1e19, 1e20, 1e21];

    #[test]
    fn more_runs_and_less_noise_are_worth_more() {
        let one = at(&plan(&BUDGETS, 1), &prior(0.02), EFFORT);
        let four = at(&plan(&BUDGETS, 4), &prior(0.02), EFFORT);
        let quiet = at(&plan(&BUDGETS, 1), &prior(0.005), EFFORT);
        assert!(one.share > 0.9, "{one:?}");
        for better in [four, quiet] {
            assert!(better.n.unwrap() < one.n.unwrap(), "{better:?} {one:?}");
            assert!(
                better.loss.unwrap() < one.loss.unwrap(),
                "{better:?} {one:?}"
            );
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_bits_at_any_thread_count() {
        let on = |threads| {
            let effort = Effort {
                threads: NonZeroUsize::new(threads),
                ..EFFORT
            };
            at(&plan(&BUDGETS, 1), &prior(0.01), effort)
        };
        assert_eq!(on(1), on(3));
        let other = Effort { seed: 2, ..EFFORT };
        assert_ne!(on(1), at(&plan(&BUDGETS, 1), &prior(0.01), other));
    }

    #[test]
    fn a_plan_that_carries_no_law_is_worth_nothing() {
        let found = at(&plan(&BUDGETS[..1], 1)[..3], &prior(0.01), EFFORT);
        assert_eq!((found.n, found.loss), (None, None));
        assert!(found.share < 0.5);
    }
}
