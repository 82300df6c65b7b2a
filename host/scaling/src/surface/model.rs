//! `E + A/N^α + B/D^β` over the columns of a sample.
//!
//! Inside, N and D are measured from the middle of the data: with x = ln N − m and
//! y = ln D − m', the law is `E + e^(a − αx) + e^(b − βy)`. So their units do not
//! matter, and the five parameters are as independent of one another as the data
//! allow.

use nalgebra::SMatrix;

use crate::newton::Model;

/// (E, a, b, α, β).
pub(crate) type Theta = [f64; 5];

/// Bounds of α and β. Below, a term is a constant like E; above, it has died out
/// one size after the first.
pub(crate) const EXPONENTS: (f64, f64) = (0.005, 4.0);
/// The term of N or of D in the middle of the data, as a share of the mean loss,
/// below which it counts as absent.
pub(crate) const LEAST_SHARE: f64 = 1e-9;

/// The surface against losses.
#[derive(Debug)]
pub(crate) struct SurfaceModel<'a> {
    /// ln N − m.
    pub(crate) x: &'a [f64],
    /// ln D − m'.
    pub(crate) y: &'a [f64],
    /// Loss, or ln loss.
    pub(crate) target: &'a [f64],
    /// Whether the target is ln loss.
    pub(crate) log: bool,
    /// Typical loss, for the bounds.
    pub(crate) typical: f64,
}

impl Model<5> for SurfaceModel<'_> {
    fn len(&self) -> usize {
        self.target.len()
    }

    fn linearise(&self, theta: &Theta, residuals: &mut [f64], slopes: &mut [f64]) {
        let &[e, a, b, alpha, beta] = theta;
        let n = self.target.len();
        let (d_e, rest) = slopes.split_at_mut(n);
        let (d_a, rest) = rest.split_at_mut(n);
        let (d_b, rest) = rest.split_at_mut(n);
        let (d_alpha, d_beta) = rest.split_at_mut(n);
        for i in 0..n {
            d_a[i] = (a - alpha * self.x[i]).exp();
            d_b[i] = (b - beta * self.y[i]).exp();
        }
        if self.log {
            for i in 0..n {
                let loss = e + d_a[i] + d_b[i];
                residuals[i] = self.target[i] - loss.ln();
                d_e[i] = 1.0 / loss;
                d_a[i] *= d_e[i];
                d_b[i] *= d_e[i];
            }
        } else {
            for i in 0..n {
                residuals[i] = self.target[i] - (e + d_a[i] + d_b[i]);
            }
            d_e.fill(1.0);
        }
        for i in 0..n {
            d_alpha[i] = -self.x[i] * d_a[i];
            d_beta[i] = -self.y[i] * d_b[i];
        }
    }

    fn curvature(&self, _: &Theta, slopes: &[f64], s: &[f64]) -> SMatrix<f64, 5, 5> {
        let n = s.len();
        let column = |k: usize| &slopes[k * n..(k + 1) * n];
        let mut matrix = SMatrix::<f64, 5, 5>::zeros();
        // ∂²f: the terms of N and of D each bend with their own two parameters.
        for (log_term, exponent, offset) in [(1, 3, self.x), (2, 4, self.y)] {
            let (term, slope) = (column(log_term), column(exponent));
            let (mut aa, mut ax, mut xx) = (0.0, 0.0, 0.0);
            for i in 0..n {
                aa += s[i] * term[i];
                ax += s[i] * slope[i];
                xx -= s[i] * offset[i] * slope[i];
            }
            matrix[(log_term, log_term)] = aa;
            matrix[(log_term, exponent)] = ax;
            matrix[(exponent, log_term)] = ax;
            matrix[(exponent, exponent)] = xx;
        }
        if self.log {
            // ∂² ln f = ∂²f/f − g·gᵀ.
            for j in 0..5 {
                for k in j..5 {
                    let (left, right) = (column(j), column(k));
                    let sum: f64 = (0..n).map(|i| s[i] * left[i] * right[i]).sum();
                    matrix[(j, k)] -= sum;
                    if k > j {
                        matrix[(k, j)] -= sum;
                    }
                }
            }
        }
        matrix
    }

    fn bounds(&self) -> [(f64, f64); 5] {
        let ln = self.typical.ln();
        let term = (ln + LEAST_SHARE.ln(), ln + 20.0);
        [(0.0, f64::INFINITY), term, term, EXPONENTS, EXPONENTS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slopes and curvature against differences of the residuals and slopes.
    #[test]
    fn derivatives_agree_with_differences() {
        let (x, y) = ([-1.2, 0.3, 0.9, 2.0], [0.7, -0.4, 1.1, -1.5]);
        let target = [1.0, 1.2, 0.9, 1.1];
        let s = [0.3, -0.8, 0.5, 0.9];
        for log in [true, false] {
            let model = SurfaceModel {
                x: &x,
                y: &y,
                target: &target,
                log,
                typical: 3.0,
            };
            let theta = [1.7, 0.2, -0.3, 0.34, 0.41];
            let at = |theta: &Theta| {
                let (mut residuals, mut slopes) = ([0.0; 4], [0.0; 20]);
                model.linearise(theta, &mut residuals, &mut slopes);
                (residuals, slopes)
            };
            let (_, slopes) = at(&theta);
            let curvature = model.curvature(&theta, &slopes, &s);
            for k in 0..5 {
                let moved = |by: f64| {
                    let mut theta = theta;
                    theta[k] += by;
                    at(&theta)
                };
                let ((r1, g1), (r0, g0)) = (moved(1e-6), moved(-1e-6));
                for i in 0..4 {
                    assert!((slopes[4 * k + i] + (r1[i] - r0[i]) / 2e-6).abs() < 1e-8);
                }
                for j in 0..5 {
                    let sum: f64 = (0..4)
                        .map(|i| s[i] * (g1[4 * j + i] - g0[4 * j + i]) / 2e-6)
                        .sum();
                    assert!((curvature[(j, k)] - sum).abs() < 1e-7, "{j} {k}");
                }
            }
        }
    }
}
