//! The optimum that earlier budgets lead to expect at the next.
//!
//! ln N* is a straight line in ln C; its slope is near ½ in every published sweep (.46
//! to .54: Hoffmann et al. 2022, Porian et al. 2024). With that as a prior, one budget
//! is enough to go on from, two that are noisy do not send the third astray, and many
//! speak for themselves.

/// The slope that is expected before any is measured.
pub(super) const EXPONENT: f64 = 0.5;

/// Standard deviation of slopes around it.
const SPREAD: f64 = 0.15;

/// An optimum at one budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    /// ln C.
    pub(super) ln_c: f64,
    /// ln N*.
    pub(super) ln_n: f64,
    /// Variance of ln N*; > 0.
    pub(super) variance: f64,
}

/// N* at `budget` FLOPs and the slope of ln N* by ln C: the posterior mean. `None`
/// without points.
pub(super) fn expected(points: &[Point], budget: f64) -> Option<(f64, f64)> {
    if points.is_empty() {
        return None;
    }
    let at = budget.ln();
    // Normal equations of ln N* = y + b·x with x = 0 at the budget.
    let (mut w, mut wx, mut wxx) = (0.0, 0.0, SPREAD.powi(-2));
    let (mut wy, mut wxy) = (0.0, EXPONENT * SPREAD.powi(-2));
    for point in points {
        let (x, weight) = (point.ln_c - at, 1.0 / point.variance);
        w += weight;
        wx += weight * x;
        wxx += weight * x * x;
        wy += weight * point.ln_n;
        wxy += weight * x * point.ln_n;
    }
    let determinant = w * wxx - wx * wx;
    let y = (wy * wxx - wxy * wx) / determinant;
    let b = (w * wxy - wx * wy) / determinant;
    Some((y.exp(), b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(c: f64, n: f64, sd: f64) -> Point {
        Point {
            ln_c: c.ln(),
            ln_n: n.ln(),
            variance: sd * sd,
        }
    }

    #[track_caller]
    fn near(found: Option<(f64, f64)>, n: f64, exponent: f64, tolerance: f64) {
        let (found_n, found_exponent) = found.expect("points");
        assert!((found_n / n).ln().abs() < tolerance, "{found_n}");
        assert!(
            (found_exponent - exponent).abs() < tolerance,
            "{found_exponent}"
        );
    }

    #[test]
    fn one_point_goes_on_with_a_half_and_many_speak_for_themselves() {
        assert_eq!(expected(&[], 1e10), None);
        near(expected(&[point(1e10, 4e3, 0.1)], 1e12), 4e4, 0.5, 1e-9);
        let steep = [1e10, 1e11, 1e12].map(|c: f64| point(c, 1e-4 * c.powf(0.75), 0.01));
        near(
            expected(&steep, 1e13),
            1e-4 * 1e13_f64.powf(0.75),
            0.75,
            0.01,
        );
        // Two noisy minima the wrong way round: the prior holds the slope.
        let noisy = [point(1e10, 6e3, 0.5), point(3e10, 5e3, 0.5)];
        let (n, exponent) = expected(&noisy, 1e11).expect("points");
        assert!((0.4..0.5).contains(&exponent), "{exponent}");
        assert!((1e4..2e4).contains(&n), "{n}");
    }
}
