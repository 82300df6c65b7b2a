//! A polynomial in ln N by weighted least squares, and its lowest point.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::UnitVariance;
use crate::sample::Sample;

/// Loss as a polynomial in `u = (ln N − center) / half_width`, which runs over
/// [−1, 1] between the smallest and the largest size fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Middle of the range in ln N.
    pub center: f64,
    /// Half the range in ln N; > 0.
    pub half_width: f64,
    /// Coefficients of 1, u, u², …
    pub coefficients: Vec<f64>,
    /// Inverse of the normal matrix, row by row: the coefficients' covariance for
    /// noise of variance 1.
    pub unit_covariance: Vec<Vec<f64>>,
}

/// One run on a curve.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    pub(crate) ln_n: f64,
    pub(crate) loss: f64,
    pub(crate) weight: f64,
}

impl Point {
    pub(crate) fn of(sample: &Sample, row: usize) -> Self {
        Self {
            ln_n: sample.ln_n[row],
            loss: sample.loss[row],
            weight: sample.weight[row],
        }
    }
}

/// Where a curve is lowest between the ends, in units of u.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Lowest {
    Inside(f64),
    AtLowEnd,
    AtHighEnd,
    /// A hump: both ends are lower than the middle.
    Nowhere,
}

impl Curve {
    /// Fits a polynomial of `degree` to points with more than `degree` distinct
    /// sizes; also returns the weighted sum of squared residuals.
    pub(crate) fn fit(points: &[Point], degree: usize) -> Option<(Self, f64)> {
        let (low, high) = points
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), s| {
                (low.min(s.ln_n), high.max(s.ln_n))
            });
        let (center, half_width) = (f64::midpoint(low, high), (high - low) / 2.0);
        let design = DMatrix::from_fn(points.len(), degree + 1, |i, j| {
            ((points[i].ln_n - center) / half_width).powi(j as i32) * points[i].weight.sqrt()
        });
        let target = DVector::from_iterator(
            points.len(),
            points.iter().map(|s| s.loss * s.weight.sqrt()),
        );
        let factors = design.clone().qr();
        let unit = DMatrix::identity(degree + 1, degree + 1);
        let inverse = factors.r().solve_upper_triangular(&unit)?;
        let coefficients = &inverse * factors.q().tr_mul(&target);
        let covariance = &inverse * inverse.transpose();
        let rss = (design * &coefficients - target).norm_squared();
        let curve = Self {
            center,
            half_width,
            coefficients: coefficients.iter().copied().collect(),
            unit_covariance: covariance
                .row_iter()
                .map(|row| row.iter().copied().collect())
                .collect(),
        };
        Some((curve, rss))
    }

    /// The curve's loss at N parameters.
    pub fn loss_at(&self, n: f64) -> f64 {
        self.derivative((n.ln() - self.center) / self.half_width, 0)
    }

    /// The smallest and the largest N that the curve was fitted to.
    pub fn range(&self) -> (f64, f64) {
        (
            (self.center - self.half_width).exp(),
            (self.center + self.half_width).exp(),
        )
    }

    pub(crate) fn n_at(&self, u: f64) -> f64 {
        (self.center + self.half_width * u).exp()
    }

    /// The derivative of the given order by u.
    pub(crate) fn derivative(&self, u: f64, order: i32) -> f64 {
        self.coefficients
            .iter()
            .zip(self.basis(u, order))
            .map(|(coefficient, basis)| coefficient * basis)
            .sum()
    }

    /// Derivatives of 1, u, u², … of the given order.
    pub(crate) fn basis(&self, u: f64, order: i32) -> Vec<f64> {
        (0..self.coefficients.len() as i32)
            .map(|power| {
                if power < order {
                    return 0.0;
                }
                let factor: i32 = (power - order + 1..=power).product();
                f64::from(factor) * u.powi(power - order)
            })
            .collect()
    }

    /// Covariance of two linear forms of the coefficients, for noise of variance 1.
    pub(crate) fn unit_cov(&self, a: &[f64], b: &[f64]) -> f64 {
        let mut sum = 0.0;
        for (x, row) in a.iter().zip(&self.unit_covariance) {
            for (y, v) in b.iter().zip(row) {
                sum += x * v * y;
            }
        }
        sum
    }

    /// Variances of ln N* and L* at the minimum `u`, for noise of variance 1.
    pub(crate) fn unit_variance(&self, u: f64) -> UnitVariance {
        // Delta method: du*/dβ = −φ'(u*)/p''(u*); L* does not move with u*.
        let slope = self.basis(u, 1);
        let value = self.basis(u, 0);
        let in_ln_n = self.half_width / self.derivative(u, 2);
        UnitVariance {
            ln_n: self.unit_cov(&slope, &slope) * in_ln_n.powi(2),
            loss: self.unit_cov(&value, &value),
        }
    }

    /// The lowest point of a parabola or cubic over [−1, 1].
    pub(crate) fn lowest(&self) -> Lowest {
        let at = |power: usize| self.coefficients.get(power).copied().unwrap_or(0.0);
        let (a, b, c) = (3.0 * at(3), 2.0 * at(2), at(1));
        let (at_low, at_high) = (self.derivative(-1.0, 0), self.derivative(1.0, 0));
        // The root of a·u² + b·u + c with upward slope, in the form that does not
        // cancel when a is small; its discriminant is (p'')² there.
        let discriminant = b * b - 4.0 * a * c;
        if discriminant > 0.0 {
            let root = discriminant.sqrt();
            let u = if b >= 0.0 {
                -2.0 * c / (b + root)
            } else {
                (root - b) / (2.0 * a)
            };
            let value = self.derivative(u, 0);
            if u.is_finite() && u.abs() < 1.0 && value < at_low && value < at_high {
                return Lowest::Inside(u);
            }
        }
        let (slope_low, slope_high) = (self.derivative(-1.0, 1), self.derivative(1.0, 1));
        if slope_low > 0.0 && slope_high < 0.0 {
            Lowest::Nowhere
        } else if at_low <= at_high {
            Lowest::AtLowEnd
        } else {
            Lowest::AtHighEnd
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(loss: impl Fn(f64) -> f64) -> Vec<Point> {
        (0..7)
            .map(|i| f64::from(i) - 3.0)
            .map(|x| Point {
                ln_n: x,
                loss: loss(x),
                weight: 1.0,
            })
            .collect()
    }

    fn check(loss: impl Fn(f64) -> f64, degree: usize, expected: Lowest) {
        let (curve, rss) = Curve::fit(&samples(loss), degree).expect("seven sizes");
        assert!(rss < 1e-20, "{rss}");
        match (curve.lowest(), expected) {
            (Lowest::Inside(u), Lowest::Inside(v)) => assert!((3.0 * u - v).abs() < 1e-9, "{u}"),
            (found, expected) => assert_eq!(found, expected),
        }
    }

    #[test]
    fn lowest_points() {
        check(|x| (x - 1.0).powi(2), 2, Lowest::Inside(1.0));
        check(|x| (x - 1.0).powi(2), 3, Lowest::Inside(1.0));
        // The derivative 3(x − 1)(x + 5) has its upward root at 1.
        check(
            |x| x.powi(3) + 6.0 * x * x - 15.0 * x,
            3,
            Lowest::Inside(1.0),
        );
        check(
            |x| -x.powi(3) + 6.0 * x * x + 15.0 * x,
            3,
            Lowest::Inside(-1.0),
        );
        check(|x| (x - 4.0).powi(2), 2, Lowest::AtHighEnd);
        check(|x| (x + 4.0).powi(2), 2, Lowest::AtLowEnd);
        check(|x| -x * x, 2, Lowest::Nowhere);
        check(|x| -x, 2, Lowest::AtHighEnd);
        // A local minimum near 0.6 that the high end undercuts.
        check(|x| -(x - 1.0).powi(3) + x / 2.0, 3, Lowest::AtHighEnd);
    }

    #[test]
    fn derivatives_by_u() {
        let (curve, _) = Curve::fit(&samples(|x| 2.0 + x.powi(3)), 3).expect("seven sizes");
        assert!((curve.derivative(0.5, 0) - (2.0 + 1.5_f64.powi(3))).abs() < 1e-9);
        assert!((curve.derivative(0.5, 2) - 6.0 * 27.0 * 0.5).abs() < 1e-9);
        assert!((curve.loss_at(1.0) - 2.0).abs() < 1e-9);
    }
}
