//! What every method makes of sweeps like the one at hand.
//!
//! A method's own bootstrap tells its noise if its own law is right. That is what its
//! interval needs, and no way to choose between methods: the law that happens to be
//! flat looks sure, so the surest is the one that erred most. Here all methods are
//! given the same sweeps. They have the runs' N, D and weights, losses of a law that the
//! runs may have come from (each as often as they speak for it: [`worlds`]), and errors
//! picked from that law's residuals with their leverage undone, each with a random sign.
//! Errors of different runs are independent, also those of one trunk. The truth is known, so noise counts, and so does what the design or a wrong form does
//! to a method: a parabola's bias where α ≠ β or the grid is off the optimum, a surface's
//! where the runs lie on none.

use std::cmp::Ordering;

use crate::bootstrap::{Bootstrap, errors, parallel};
use crate::fit::Fit;
use crate::frontier::{Frontier, Law, Optimum};
use crate::method::Method;
use crate::random::{Purpose, Stream};

use super::moments::Errors;
use super::worlds::worlds;

/// Sweeps; as many as the bootstrap has draws where those are fewer.
const SWEEPS: usize = 100;
/// With fewer draws nothing is rehearsed: mean products of errors need some.
const FEWEST: usize = 20;
/// Runs in all sweeps together from which there are fewer sweeps: of 10 000 runs the
/// errors are known from 40 sweeps well enough, and each refit costs.
const RUNS: usize = 400_000;

/// The laws that every method found in the same sweeps.
pub(crate) struct Rehearsal {
    methods: Vec<Method>,
    sweeps: Vec<Sweep>,
}

struct Sweep {
    truth: Law,
    /// In the order of the methods.
    laws: Vec<Option<Law>>,
}

impl Rehearsal {
    /// `None` without a law that the runs may have come from, or with few draws.
    pub(crate) fn run(fits: &[&Fit<'_>], bootstrap: &Bootstrap) -> Option<Self> {
        let runs = fits.first()?.sample().len();
        let count = SWEEPS.min(RUNS / runs.max(1)).max(FEWEST);
        let count = count.min(bootstrap.draws);
        let worlds: Vec<(&Fit<'_>, Noise, f64)> = worlds(fits)
            .into_iter()
            .map(|(fit, share)| (fit, Noise::of(fit), share))
            .filter(|(_, noise, _)| !noise.errors.is_empty())
            .collect();
        if count < FEWEST || worlds.is_empty() {
            return None;
        }
        let sweeps = parallel::map(count, bootstrap.threads, |number| {
            let (fit, noise) = world_at((number as f64 + 0.5) / count as f64, &worlds);
            let stream = Stream::new(bootstrap.seed, Purpose::Rehearsal, number as u64);
            let losses = noise.losses(fit, stream);
            Sweep {
                truth: fit.law().clone(),
                laws: fits.iter().map(|fit| fit.refit(&losses, None)).collect(),
            }
        });
        Some(Self {
            methods: fits.iter().map(|fit| fit.method()).collect(),
            sweeps,
        })
    }

    /// The methods' errors in a quantity of their laws. Methods without a law in half of
    /// the sweeps are left out.
    pub(crate) fn errors(&self, quantity: impl Fn(&Law) -> f64) -> Errors {
        self.answers(quantity).errors(|value| *value)
    }

    /// The optima at `c` FLOPs, whose errors can be asked for.
    pub(crate) fn at(&self, c: f64) -> Answers<Optimum> {
        self.answers(|law| law.optimum(c))
    }

    fn answers<T>(&self, of: impl Fn(&Law) -> T) -> Answers<T> {
        let answer = |sweep: &Sweep| {
            let laws = sweep.laws.iter().map(Option::as_ref);
            (of(&sweep.truth), laws.map(|law| law.map(&of)).collect())
        };
        Answers {
            methods: self.methods.clone(),
            sweeps: self.sweeps.iter().map(answer).collect(),
        }
    }
}

/// The truth and what each method says, sweep by sweep.
pub(crate) struct Answers<T> {
    methods: Vec<Method>,
    sweeps: Vec<(T, Vec<Option<T>>)>,
}

impl<T> Answers<T> {
    /// The errors in a quantity of the answers.
    pub(crate) fn errors(&self, quantity: impl Fn(&T) -> f64) -> Errors {
        let of = |position: usize| -> Vec<Option<f64>> {
            let error = |(truth, answers): &(T, Vec<Option<T>>)| {
                Some(quantity(answers[position].as_ref()?) - quantity(truth))
            };
            self.sweeps.iter().map(error).collect()
        };
        let methods = self.methods.iter().copied().enumerate();
        Errors::new(methods.map(|(position, method)| (method, of(position))))
    }
}

/// The world at a point between 0 and 1 when they are laid side by side by their shares.
fn world_at<'w, 'f, 's>(
    point: f64,
    worlds: &'w [(&'f Fit<'s>, Noise, f64)],
) -> (&'f Fit<'s>, &'w Noise) {
    let total: f64 = worlds.iter().map(|(.., share)| share).sum();
    let mut end = 0.0;
    let found = worlds.iter().find(|(.., share)| {
        end += share / total;
        point < end
    });
    let (fit, noise, _) = found.unwrap_or(&worlds[worlds.len() - 1]);
    (fit, noise)
}

/// Errors of runs of weight 1 to pick from.
struct Noise {
    /// Rows of each run, in an order that is the same however the runs were listed:
    /// rows that agree in every number are one run.
    runs: Vec<Vec<usize>>,
    errors: Vec<f64>,
}

impl Noise {
    fn of(fit: &Fit<'_>) -> Self {
        let sample = fit.sample();
        let columns = [&sample.ln_n, &sample.ln_d, &sample.ln_c, &sample.loss];
        let order = |a: usize, b: usize| {
            let each = columns.iter().map(|column| column[a].total_cmp(&column[b]));
            each.fold(Ordering::Equal, Ordering::then)
        };
        let mut rows: Vec<usize> = (0..sample.len()).filter(|&row| fit.used()[row]).collect();
        rows.sort_by(|&a, &b| order(a, b));
        let runs = rows.chunk_by(|&a, &b| order(a, b).is_eq());
        let runs: Vec<Vec<usize>> = runs.map(<[usize]>::to_vec).collect();
        let errors = errors::of(fit);
        let error = |rows: &Vec<usize>| errors[rows[0]] * weight(fit, rows).sqrt();
        Self {
            errors: runs.iter().map(error).collect(),
            runs,
        }
    }

    /// Losses of one sweep. Runs that the reference does not use keep theirs, error and
    /// all.
    fn losses(&self, reference: &Fit<'_>, mut stream: Stream) -> Vec<f64> {
        let mut losses = reference.sample().loss.clone();
        for rows in &self.runs {
            let sign = if stream.below(2) == 0 { 1.0 } else { -1.0 };
            let picked = self.errors[stream.below(self.errors.len())];
            let error = sign * picked / weight(reference, rows).sqrt();
            for &row in rows {
                losses[row] = reference.perturbed(row, error);
            }
        }
        losses
    }
}

fn weight(fit: &Fit<'_>, rows: &[usize]) -> f64 {
    rows.iter().map(|&row| fit.sample().weight[row]).sum()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::fit::fit;
    use crate::run::Run;
    use crate::sample::Sample;
    use crate::simulate::{Truth, noisy};

    const METHODS: [Method; 3] = [
        Method::IsoflopParabola,
        Method::ParametricHuber,
        Method::ParametricMse,
    ];

    fn runs() -> Vec<Run> {
        let plan = Truth::with_exponents(0.34, 0.28, 1e19, 0.9).sweep(
            &[1e18, 3e18, 1e19, 3e19, 1e20],
            6,
            4.0,
            1.0,
            1,
        );
        noisy(&plan, 0.01, 8, 0)
    }

    /// Root mean squares of the errors of ln N* at 1e21.
    fn rehearsed(runs: &[Run], bootstrap: &Bootstrap) -> [f64; 3] {
        let sample = Sample::new(runs).unwrap();
        let fits = METHODS.map(|method| fit(method, &sample).unwrap());
        let rehearsal = Rehearsal::run(&fits.each_ref(), bootstrap).unwrap();
        let errors = rehearsal.at(1e21).errors(|optimum| optimum.n.ln());
        METHODS.map(|method| errors.moment(method, method).unwrap().sqrt())
    }

    #[test]
    fn errors_are_those_of_repeated_sweeps() {
        let found = rehearsed(&runs(), &Bootstrap::default());
        // ×/÷ 1.2 or so of ten times the largest budget, by simulation; Huber's is noisier
        // than least squares where the errors are normal.
        assert!(
            found.iter().all(|error| (0.03..0.4).contains(error)),
            "{found:?}"
        );
        assert!(found[1] > found[2], "{found:?}");
    }

    #[test]
    fn neither_order_nor_split_weights_nor_threads_matter() {
        let expected = rehearsed(&runs(), &Bootstrap::default());
        let mut others = runs();
        others.reverse();
        let split = |run: &Run| {
            [0.5, 0.5].map(|weight| Run {
                weight: Some(weight),
                ..run.clone()
            })
        };
        let others: Vec<Run> = others.iter().flat_map(split).collect();
        let one = std::num::NonZeroUsize::new(1);
        let bootstrap = Bootstrap {
            threads: one,
            ..Bootstrap::default()
        };
        for (found, expected) in rehearsed(&others, &bootstrap).into_iter().zip(expected) {
            assert!((found / expected - 1.0).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn few_draws_are_no_rehearsal() {
        let sample_runs = runs();
        let sample = Sample::new(&sample_runs).unwrap();
        let one = fit(Method::ParametricMse, &sample).unwrap();
        let bootstrap = Bootstrap {
            draws: FEWEST - 1,
            ..Bootstrap::default()
        };
        assert!(Rehearsal::run(&[&one], &bootstrap).is_none());
    }
}
