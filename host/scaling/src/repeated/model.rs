//! The data-constrained law over the columns of a sample.

use nalgebra::SMatrix;

use crate::canonical::{joined, rounded};
use crate::newton::Model;
use crate::sample::Sample;
use crate::surface::Surface;
use crate::surface::model::{EXPONENTS, LEAST_SHARE};

/// (E, a, b, α, β, ln R_D, ln R_N), N and D measured from the middle of the data.
pub(super) type Theta = [f64; 7];

/// Bounds of R_D and R_N: beyond, a repeat is worth nothing or as much as new data.
pub(super) const DECAY: (f64, f64) = (0.05, 1e4);
/// What the law is fitted to.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) middle: (f64, f64),
    pub(super) ln_n: Vec<f64>,
    pub(super) ln_d: Vec<f64>,
    pub(super) ln_unique: Vec<Option<f64>>,
    /// Mean loss.
    pub(super) typical: f64,
}

/// Rows as the search sees them, in [canonical](crate::canonical) form.
pub(super) struct Rows {
    pub(super) columns: Columns,
    pub(super) target: Vec<f64>,
    pub(super) weight: Vec<f64>,
}

impl Rows {
    pub(super) fn of(columns: &Columns, sample: &Sample) -> Self {
        let (ln_n, ln_d) = columns.middle;
        let rows = (0..sample.len()).map(|row| {
            // Infinitely many where nothing is known to repeat.
            let unique = columns.ln_unique[row].map_or(f64::INFINITY, |u| rounded(u - ln_d));
            [
                rounded(columns.ln_n[row] - ln_n),
                rounded(columns.ln_d[row] - ln_d),
                unique,
                sample.loss[row],
                sample.weight[row],
            ]
        });
        let rows = joined(rows.collect());
        let column = |k: usize| -> Vec<f64> { rows.iter().map(|row| row[k]).collect() };
        Self {
            columns: Columns {
                middle: (0.0, 0.0),
                ln_n: column(0),
                ln_d: column(1),
                ln_unique: rows
                    .iter()
                    .map(|row| Some(row[2]).filter(|u| u.is_finite()))
                    .collect(),
                typical: columns.typical,
            },
            target: rows.iter().map(|row| row[3].ln()).collect(),
            weight: column(4),
        }
    }
}

/// The law against ln losses.
pub(super) struct RepeatedModel<'a> {
    pub(super) columns: &'a Columns,
    pub(super) target: &'a [f64],
}

impl Columns {
    pub(super) fn surface(&self, theta: &Theta) -> Surface {
        Surface {
            floor: theta[0],
            ln_a: theta[1] + theta[3] * self.middle.0,
            ln_b: theta[2] + theta[4] * self.middle.1,
            alpha: theta[3],
            beta: theta[4],
        }
    }

    /// ln U_N for U distinct units.
    pub(super) fn ln_enough(surface: &Surface, ln_unique: f64) -> f64 {
        let ln_ratio = (surface.alpha / surface.beta).ln() + surface.ln_a - surface.ln_b;
        (ln_ratio + surface.beta * ln_unique) / surface.alpha
    }

    pub(super) fn ln_loss(&self, theta: &Theta, row: usize) -> f64 {
        let surface = self.surface(theta);
        let (mut ln_n, mut ln_d) = (self.ln_n[row], self.ln_d[row]);
        if let Some(ln_unique) = self.ln_unique[row] {
            ln_d = effective(ln_d, ln_unique, theta[5]);
            ln_n = effective(ln_n, Self::ln_enough(&surface, ln_unique), theta[6]);
        }
        surface.loss_at(ln_n, ln_d).ln()
    }
}

/// ln of what `total` is worth where `fresh` of it is new; both as logarithms.
fn effective(ln_total: f64, ln_fresh: f64, ln_decay: f64) -> f64 {
    let beyond = (ln_total - ln_fresh).exp() - 1.0;
    if beyond <= 0.0 {
        return ln_total;
    }
    let decay = ln_decay.exp();
    ln_fresh + (decay * -(-beyond / decay).exp_m1()).ln_1p()
}

impl Model<7> for RepeatedModel<'_> {
    fn len(&self) -> usize {
        self.target.len()
    }

    fn linearise(&self, theta: &Theta, residuals: &mut [f64], slopes: &mut [f64]) {
        let n = self.target.len();
        for (row, (residual, target)) in residuals.iter_mut().zip(self.target).enumerate() {
            *residual = target - self.columns.ln_loss(theta, row);
        }
        // Central differences: U_N ties five of the parameters together, and the
        // rounding of a slope does not move the optimum's objective.
        for k in 0..7 {
            let step = 1e-5 * theta[k].abs().max(0.1);
            let (mut up, mut down) = (*theta, *theta);
            up[k] += step;
            down[k] -= step;
            for row in 0..n {
                let change = self.columns.ln_loss(&up, row) - self.columns.ln_loss(&down, row);
                slopes[k * n + row] = change / (2.0 * step);
            }
        }
    }

    fn curvature(&self, _: &Theta, _: &[f64], _: &[f64]) -> SMatrix<f64, 7, 7> {
        // Gauss and Newton's approximation: residuals are small against ln L.
        SMatrix::zeros()
    }

    fn bounds(&self) -> [(f64, f64); 7] {
        let ln = self.columns.typical.ln();
        let term = (ln + LEAST_SHARE.ln(), ln + 20.0);
        let decay = (DECAY.0.ln(), DECAY.1.ln());
        [
            (0.0, f64::INFINITY),
            term,
            term,
            EXPONENTS,
            EXPONENTS,
            decay,
            decay,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_is_worth_less_and_less() {
        let worth = |passes: f64| effective(passes.ln(), 0.0, 15.4_f64.ln()).exp();
        assert!((worth(1.0) - 1.0).abs() < 1e-12 && (worth(0.5) - 0.5).abs() < 1e-12);
        // Up to four passes nearly new, in the end 1 + R_D of them.
        assert!(worth(4.0) > 3.7 && worth(4.0) < 4.0);
        assert!((worth(1e4) - 16.4).abs() < 1e-9);
    }
}
