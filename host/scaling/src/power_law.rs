//! `y = k · C^exponent`, fitted as a weighted straight line in ln–ln.
//!
//! Each budget enters with the variance of its own ln y. Where the budgets
//! scatter around the line by more than those variances explain, every variance
//! is raised by the same factor, so that an interval never gets narrower than
//! the law's own misfit.

use serde::{Deserialize, Serialize};

use crate::interval::{Interval, exp};
use crate::student;

/// One budget's contribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LogPoint {
    /// ln C.
    pub(crate) ln_c: f64,
    /// ln y.
    pub(crate) ln_y: f64,
    /// Variance of ln y for noise of variance 1; > 0.
    pub(crate) unit_variance: f64,
    /// Weight in the fit; > 0. Laws of the same minima share their weights, so
    /// that D*, N* and D*/N* agree at every C.
    pub(crate) weight: f64,
}

/// The noise behind the points: its variance and degrees of freedom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct NoiseLevel {
    /// Variance of one run's loss; >= 0.
    pub(crate) variance: f64,
    /// Degrees of freedom of that variance; >= 1.
    pub(crate) dof: f64,
}

impl NoiseLevel {
    /// The noise judged by a law's own misfit as well, the mean square `misfit`
    /// of `free` degrees of freedom: pooled with it as long as noise alone would
    /// exceed that misfit one time in twenty (F test), else
    /// [raised to](Self::raised_to) it. For a law that is flexible enough to be
    /// right, so that a misfit of one or two degrees of freedom is mostly luck.
    pub(crate) fn pooled_with(self, misfit: f64, free: f64) -> Self {
        let usual = self.variance * student::f_quantile(0.95, free.max(1.0), self.dof);
        if free < 1.0 || misfit > usual {
            return self.raised_to(misfit, free);
        }
        let dof = self.dof + free;
        Self {
            variance: (self.dof * self.variance + free * misfit) / dof,
            dof,
        }
    }

    /// The noise that explains both the runs and a law's own misfit, the mean
    /// square `misfit` of `free` degrees of freedom. What the misfit adds to the
    /// variance is known to `free` degrees only; the two are joined by
    /// Satterthwaite's formula.
    pub(crate) fn raised_to(self, misfit: f64, free: f64) -> Self {
        if free < 1.0 || misfit.is_nan() || misfit <= self.variance {
            return self;
        }
        // Shares of the misfit, so that no unit of the loss is too large or too small.
        let explained = self.variance / misfit;
        let spread = explained.powi(2) / self.dof + (1.0 - explained).powi(2) / free;
        Self {
            variance: misfit,
            dof: 1.0 / spread,
        }
    }
}

/// A fitted power law.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PowerLaw {
    /// ln C at the weighted middle of the budgets, where the line is pinned.
    pub ln_c: f64,
    /// ln y there.
    pub ln_y: f64,
    /// The exponent with its interval.
    pub exponent: Interval,
    /// Covariance of (`ln_y`, exponent).
    pub covariance: [[f64; 2]; 2],
    /// Variance of ln y of one more budget, trained like these, around the line.
    pub scatter: f64,
    /// Degrees of freedom of the intervals.
    pub dof: f64,
    /// Weighted squared residuals over what the noise explains, per degree of
    /// freedom; absent with two budgets or without noise. Well above 1: the
    /// budgets do not lie on a power law.
    pub chi_square: Option<f64>,
}

impl PowerLaw {
    /// Fits the law to two or more budgets with distinct C.
    pub(crate) fn fit(points: &[LogPoint], noise: NoiseLevel) -> Self {
        let total: f64 = points.iter().map(|p| p.weight).sum();
        let mean = |value: &dyn Fn(&LogPoint) -> f64| {
            points.iter().map(|p| p.weight * value(p)).sum::<f64>() / total
        };
        let (ln_c, ln_y) = (mean(&|p| p.ln_c), mean(&|p| p.ln_y));
        let spread: f64 = points
            .iter()
            .map(|p| p.weight * (p.ln_c - ln_c).powi(2))
            .sum();
        let exponent: f64 = points
            .iter()
            .map(|p| p.weight * (p.ln_c - ln_c) * (p.ln_y - ln_y) / spread)
            .sum();
        let free = points.len() as f64 - 2.0;
        let misfit: f64 = points
            .iter()
            .map(|p| {
                let residual = p.ln_y - ln_y - exponent * (p.ln_c - ln_c);
                residual.powi(2) / p.unit_variance
            })
            .sum();
        let NoiseLevel { variance, dof } = noise.raised_to(misfit / free, free);
        // Both estimates are linear in the ln y: ln_y = Σ g·y, exponent = Σ h·y.
        let mut covariance = [[0.0; 2]; 2];
        for p in points {
            let share = [p.weight / total, p.weight * (p.ln_c - ln_c) / spread];
            for (row, a) in covariance.iter_mut().zip(share) {
                for (entry, b) in row.iter_mut().zip(share) {
                    *entry += variance * p.unit_variance * a * b;
                }
            }
        }
        let typical = points.iter().map(|p| p.unit_variance).sum::<f64>() / points.len() as f64;
        Self {
            ln_c,
            ln_y,
            exponent: Interval::symmetric(
                exponent,
                student::two_sided(dof) * covariance[1][1].sqrt(),
            ),
            covariance,
            scatter: variance * typical,
            dof,
            chi_square: (free > 0.0 && noise.variance > 0.0)
                .then(|| misfit / free / noise.variance),
        }
    }

    /// The prefactor k. Far from the budgets that were measured it means little
    /// by itself.
    pub fn k(&self) -> f64 {
        exp(self.ln_y - self.exponent.estimate * self.ln_c)
    }

    /// y at a compute of `c` FLOPs, with an interval that includes the scatter
    /// of one more budget trained like these.
    pub fn predict(&self, c: f64) -> Interval {
        let x = c.ln() - self.ln_c;
        let [[value, cross], [_, slope]] = self.covariance;
        let variance = value + 2.0 * x * cross + x * x * slope + self.scatter;
        Interval::from_log(
            self.ln_y + self.exponent.estimate * x,
            student::two_sided(self.dof) * variance.sqrt(),
        )
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
