//! What every method makes of sweeps like the one at hand.
//!
//! A method's own bootstrap tells its noise if its own law is right. That is what its
//! interval needs, and no way to choose between methods: the law that happens to be
//! flat looks sure, so the surest is the one that erred most. Here all methods are
//! given the same sweeps. They have the runs' N, D and weights, losses of a law that the
//! runs may have come from (each as often as they speak for it: [`worlds`]), and errors
//! picked from that law's residuals with their leverage undone, each with a random sign.
//! The truth is known, so noise counts, and so does what the design or a wrong form does
//! to a method: a parabola's bias where α ≠ β or the grid is off the optimum, a surface's
//! where the runs lie on none.

use crate::bootstrap::{Bootstrap, errors, parallel};
use crate::fit::Fit;
use crate::frontier::{Frontier, Law, Optimum};
use crate::method::Method;
use crate::random::{Purpose, Stream};

use super::moments::Errors;
use super::worlds::worlds;

/// Sweeps; fewer where the bootstrap has fewer draws.
const SWEEPS: usize = 100;

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
    /// `None` without a law that the runs may have come from, or without draws.
    pub(crate) fn run(fits: &[&Fit<'_>], bootstrap: &Bootstrap) -> Option<Self> {
        let count = SWEEPS.min(bootstrap.draws);
        let worlds: Vec<(&Fit<'_>, Noise, f64)> = worlds(fits)
            .into_iter()
            .map(|(fit, share)| (fit, Noise::of(fit), share))
            .filter(|(_, noise, _)| !noise.errors.is_empty())
            .collect();
        if count == 0 || worlds.is_empty() {
            return None;
        }
        let sweeps = parallel::map(count, bootstrap.threads, |number| {
            let (fit, noise) = at((number as f64 + 0.5) / count as f64, &worlds);
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
        let truths: Vec<f64> = self
            .sweeps
            .iter()
            .map(|sweep| quantity(&sweep.truth))
            .collect();
        let of = |position: usize| -> Vec<Option<f64>> {
            let laws = self
                .sweeps
                .iter()
                .map(|sweep| sweep.laws[position].as_ref());
            laws.zip(&truths)
                .map(|(law, truth)| Some(quantity(law?) - truth))
                .collect()
        };
        let methods = self.methods.iter().copied().enumerate();
        Errors::new(methods.map(|(position, method)| (method, of(position))))
    }

    /// The same of the optimum at `c` FLOPs.
    pub(crate) fn errors_at(&self, c: f64, quantity: impl Fn(&Optimum) -> f64) -> Errors {
        self.errors(|law| quantity(&law.optimum(c)))
    }
}

/// The world at a point between 0 and 1 when they are laid side by side by their shares.
fn at<'w, 'f, 's>(point: f64, worlds: &'w [(&'f Fit<'s>, Noise, f64)]) -> (&'f Fit<'s>, &'w Noise) {
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
    /// Rows in an order that is the same however the runs were listed.
    rows: Vec<usize>,
    errors: Vec<f64>,
}

impl Noise {
    fn of(fit: &Fit<'_>) -> Self {
        let sample = fit.sample();
        let mut rows: Vec<usize> = (0..sample.len()).collect();
        rows.sort_by(|&a, &b| {
            let by = |column: &[f64]| column[a].total_cmp(&column[b]);
            by(&sample.ln_n)
                .then(by(&sample.ln_d))
                .then(by(&sample.loss))
        });
        let errors = errors::of(fit);
        let used = rows.iter().filter(|&&row| fit.used()[row]);
        let errors = used.map(|&row| errors[row] * sample.weight[row].sqrt());
        Self {
            errors: errors.collect(),
            rows,
        }
    }

    fn losses(&self, reference: &Fit<'_>, mut stream: Stream) -> Vec<f64> {
        let sample = reference.sample();
        let mut losses = vec![0.0; sample.len()];
        for &row in &self.rows {
            let sign = if stream.below(2) == 0 { 1.0 } else { -1.0 };
            let error = self.errors[stream.below(self.errors.len())];
            losses[row] = reference.perturbed(row, sign * error / sample.weight[row].sqrt());
        }
        losses
    }
}
