//! What every method makes of sweeps like the one at hand.
//!
//! A method's own bootstrap tells its noise if its own law is right. That is what its
//! interval needs, and no way to choose between methods: the law that happens to be
//! flat looks sure, so the surest is the one that erred most. Here all methods are
//! given the same sweeps. They have the runs' N, D and weights, losses of a reference
//! law (a surface, where one fits), and errors picked from that law's residuals with
//! their leverage undone, each with a random sign. The truth is known, so noise counts,
//! and what the design does to a method (a parabola's bias where α ≠ β or the grid is
//! off the optimum) does too.
//!
//! No form but the reference's is tried: that a law is wrong must show in the hold-out.

use crate::bootstrap::{Bootstrap, errors, parallel};
use crate::fit::Fit;
use crate::frontier::{Frontier, Law, Optimum};
use crate::method::Method;
use crate::random::{Purpose, Stream};

use super::moments::Errors;

/// Sweeps; fewer where the bootstrap has fewer draws.
const SWEEPS: usize = 100;
/// The first of these that fits is the reference.
const REFERENCES: [Method; 7] = [
    Method::DataConstrained,
    Method::ParametricMse,
    Method::ParametricHuber,
    Method::ParametricLad,
    Method::IsoflopParabola,
    Method::IsoflopWindowed,
    Method::IsoflopCubic,
];

/// The laws that every method found in the same sweeps.
pub(crate) struct Rehearsal {
    truth: Law,
    methods: Vec<Method>,
    /// Of each sweep, in the order of `methods`.
    laws: Vec<Vec<Option<Law>>>,
}

impl Rehearsal {
    /// `None` without a reference, or without draws.
    pub(crate) fn run(fits: &[&Fit<'_>], bootstrap: &Bootstrap) -> Option<Self> {
        let fit_of = |method: &Method| fits.iter().find(|fit| fit.method() == *method);
        let reference = REFERENCES.iter().find_map(fit_of)?;
        let noise = Noise::of(reference);
        let sweeps = SWEEPS.min(bootstrap.draws);
        if sweeps == 0 || noise.errors.is_empty() {
            return None;
        }
        let laws = parallel::map(sweeps, bootstrap.threads, |number| {
            let stream = Stream::new(bootstrap.seed, Purpose::Rehearsal, number as u64);
            let losses = noise.losses(reference, stream);
            fits.iter().map(|fit| fit.refit(&losses, None)).collect()
        });
        Some(Self {
            truth: reference.law().clone(),
            methods: fits.iter().map(|fit| fit.method()).collect(),
            laws,
        })
    }

    /// The methods' errors in a quantity of their laws. Methods without a law in half of
    /// the sweeps are left out.
    pub(crate) fn errors(&self, quantity: impl Fn(&Law) -> f64) -> Errors {
        let truth = quantity(&self.truth);
        let of = |position: usize| -> Vec<Option<f64>> {
            let laws = self.laws.iter().map(|laws| laws[position].as_ref());
            laws.map(|law| Some(quantity(law?) - truth)).collect()
        };
        let methods = self.methods.iter().copied().enumerate();
        Errors::new(methods.map(|(position, method)| (method, of(position))))
    }

    /// The same of the optimum at `c` FLOPs.
    pub(crate) fn errors_at(&self, c: f64, quantity: impl Fn(&Optimum) -> f64) -> Errors {
        self.errors(|law| quantity(&law.optimum(c)))
    }
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
