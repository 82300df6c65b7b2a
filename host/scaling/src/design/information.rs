//! What the runs of a sweep say about the five parameters of a surface.
//!
//! With g the slopes of the loss by the parameters, the runs' information is
//! `M = Σ w·g·gᵀ`, and a quantity with slopes h has the variance `s²·hᵀM⁻¹h` (delta
//! method). One run more changes `M⁻¹` by Sherman and Morrison's formula, so the worth
//! of any run follows without a fit: it is the c-optimality of Elfving (1952) and
//! Fedorov (Theory of Optimal Experiments, 1972), one run at a time.

use std::sync::Arc;

use nalgebra::{SMatrix, SVector};

use super::Aim;
use crate::eigenvalues::eigenvalues;
use crate::frontier::Frontier;
use crate::sample::Sample;
use crate::surface::{Surface, SurfaceLaw};

/// Parameters of a surface.
const K: usize = 5;
/// Relative step of the differences that give a quantity's slopes.
const STEP: f64 = 1e-5;

type Slopes = SVector<f64, K>;

/// The information of some runs about a surface, at its values.
#[derive(Debug, Clone)]
pub(super) struct Information<'l> {
    law: &'l SurfaceLaw,
    /// ln N and ln D from which the terms are measured.
    middle: (f64, f64),
    /// M⁻¹; 0 where a parameter is at its bound.
    inverse: SMatrix<f64, K, K>,
}

impl<'l> Information<'l> {
    /// `None` where the runs do not determine the surface.
    pub(super) fn of(sample: &Sample, law: &'l SurfaceLaw) -> Option<Self> {
        let mean = |column: &[f64]| column.iter().sum::<f64>() / column.len() as f64;
        let mut information = Self {
            law,
            middle: (mean(&sample.ln_n), mean(&sample.ln_d)),
            inverse: SMatrix::zeros(),
        };
        let mut matrix = SMatrix::<f64, K, K>::zeros();
        for row in 0..sample.len() {
            let slopes = information.slopes(sample.ln_n[row], sample.ln_d[row]);
            matrix += sample.weight[row] * slopes * slopes.transpose();
        }
        information.inverse = inverse(&matrix)?;
        Some(information)
    }

    /// Slopes of the loss of a run by (E, a, b, α, β); 0 by E where it is at its bound.
    fn slopes(&self, ln_n: f64, ln_d: f64) -> Slopes {
        let surface = &self.law.surface;
        let from_n = (surface.ln_a - surface.alpha * ln_n).exp();
        let from_d = (surface.ln_b - surface.beta * ln_d).exp();
        Slopes::from([
            f64::from(u8::from(surface.floor > 0.0)),
            from_n,
            from_d,
            -(ln_n - self.middle.0) * from_n,
            -(ln_d - self.middle.1) * from_d,
        ])
    }

    /// Slopes of an answer at `c` FLOPs, by differences.
    pub(super) fn answer(&self, aim: Aim, c: f64) -> Slopes {
        let at = |k: usize, by: f64| {
            let moved = |index: usize| if index == k { by } else { 0.0 };
            let surface = &self.law.surface;
            let (alpha, beta) = (surface.alpha + moved(3), surface.beta + moved(4));
            let surface = Surface {
                floor: surface.floor + moved(0),
                ln_a: surface.ln_a + moved(1) + moved(3) * self.middle.0,
                ln_b: surface.ln_b + moved(2) + moved(4) * self.middle.1,
                alpha,
                beta,
            };
            let law = SurfaceLaw::new(surface, Arc::clone(&self.law.flops));
            let optimum = law.optimum(c);
            match aim {
                Aim::N => optimum.n.ln(),
                Aim::Loss => optimum.loss,
            }
        };
        Slopes::from_fn(|k, _| (at(k, STEP) - at(k, -STEP)) / (2.0 * STEP))
    }

    /// The variance of a quantity for noise of variance 1.
    pub(super) fn unit_variance(&self, quantity: &Slopes) -> f64 {
        (quantity.transpose() * self.inverse * quantity)[0]
    }

    /// How much a run of weight 1 takes off that variance.
    pub(super) fn reduction(&self, quantity: &Slopes, ln_n: f64, ln_d: f64) -> f64 {
        let run = self.slopes(ln_n, ln_d);
        let seen = self.inverse * run;
        seen.dot(quantity).powi(2) / (1.0 + run.dot(&seen))
    }

    /// Adds a run of weight 1.
    pub(super) fn add(&mut self, ln_n: f64, ln_d: f64) {
        let run = self.slopes(ln_n, ln_d);
        let seen = self.inverse * run;
        self.inverse -= seen * seen.transpose() / (1.0 + run.dot(&seen));
    }

    /// Parameters that are free.
    pub(super) fn parameters(&self) -> usize {
        (0..K).filter(|&k| self.inverse[(k, k)] > 0.0).count()
    }
}

/// The inverse over the parameters that have any information, scaled so that units do
/// not decide what is singular.
fn inverse(matrix: &SMatrix<f64, K, K>) -> Option<SMatrix<f64, K, K>> {
    let scale = Slopes::from_fn(|k, _| {
        if matrix[(k, k)] > 0.0 {
            1.0 / matrix[(k, k)].sqrt()
        } else {
            0.0
        }
    });
    let scaled = SMatrix::<f64, K, K>::from_fn(|i, j| {
        let value = scale[i] * matrix[(i, j)] * scale[j];
        if i == j && scale[i] <= 0.0 {
            1.0
        } else {
            value
        }
    });
    let values = eigenvalues(scaled)?;
    if values.min().is_nan() || values.min() <= 1e-13 * values.max() {
        return None;
    }
    let inverse = scaled.cholesky()?.inverse();
    Some(SMatrix::from_fn(|i, j| {
        scale[i] * inverse[(i, j)] * scale[j]
    }))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::fit;
    use crate::frontier::Law;
    use crate::method::Method;
    use crate::run::Run;
    use crate::simulate::{Truth, noisy};

    const C: f64 = 1e22;

    fn plan() -> Vec<Run> {
        let truth = Truth::with_exponents(0.34, 0.28, 1e20, 0.9);
        truth.sweep(&[1e18, 1e19, 1e20], 7, 4.0, 1.0, 1)
    }

    fn law(runs: &[Run]) -> SurfaceLaw {
        let sample = Sample::new(runs).unwrap();
        let fitted = fit(Method::ParametricMse, &sample).unwrap();
        let Law::Surface(law) = fitted.law().clone() else {
            panic!("a surface");
        };
        law
    }

    #[test]
    fn the_delta_method_gives_the_spread_of_refits() {
        let plan = plan();
        let (law, sample) = (law(&plan), Sample::new(&plan).unwrap());
        let information = Information::of(&sample, &law).unwrap();
        assert_eq!(information.parameters(), 5);
        let fitted = fit(Method::ParametricMse, &sample).unwrap();
        let noise = 0.001;
        let optima: Vec<[f64; 2]> = (0..2000)
            .map(|number| {
                let runs = noisy(&plan, noise, 3, number);
                let losses: Vec<f64> = runs.iter().map(|run| run.loss).collect();
                let optimum = fitted.refit(&losses, None).unwrap().optimum(C);
                [optimum.n.ln(), optimum.loss]
            })
            .collect();
        for (index, aim) in [Aim::N, Aim::Loss].into_iter().enumerate() {
            let values = || optima.iter().map(|optimum| optimum[index]);
            let mean = values().sum::<f64>() / 2000.0;
            let sd = (values().map(|v| (v - mean).powi(2)).sum::<f64>() / 1999.0).sqrt();
            let quantity = information.answer(aim, C);
            let expected = noise * information.unit_variance(&quantity).sqrt();
            // Four standard errors of a standard deviation, and a little curvature.
            assert!(
                (sd / expected - 1.0).abs() < 0.08,
                "{aim:?}: {sd} for {expected}"
            );
        }
    }

    #[test]
    fn a_run_more_is_worth_what_all_runs_afresh_say() {
        let mut plan = plan();
        let law = law(&plan);
        let sample = Sample::new(&plan).unwrap();
        let mut one_by_one = Information::of(&sample, &law).unwrap();
        for (n, d) in [(3e9, 1e11), (1e9, 2e10)] {
            let quantity = one_by_one.answer(Aim::N, C);
            let before = one_by_one.unit_variance(&quantity);
            let less = one_by_one.reduction(&quantity, f64::ln(n), f64::ln(d));
            one_by_one.add(n.ln(), d.ln());
            plan.push(Run::new(n, d, 6.0 * n * d, 2.0));
            let afresh = Information::of(&Sample::new(&plan).unwrap(), &law).unwrap();
            let after = afresh.unit_variance(&afresh.answer(Aim::N, C));
            assert!((one_by_one.unit_variance(&quantity) / after - 1.0).abs() < 1e-6);
            assert!(((before - less) / after - 1.0).abs() < 1e-6);
            assert!(less > 0.0);
        }
    }

    #[test]
    fn too_few_runs_say_nothing() {
        let plan = plan();
        let law = law(&plan);
        let one_budget = Sample::new(&plan[..4]).unwrap();
        assert!(Information::of(&one_budget, &law).is_none());
    }
}
