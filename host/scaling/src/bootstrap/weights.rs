//! The weights that a wild bootstrap multiplies residuals by.

use crate::random::Stream;

/// Webb's six points, each with probability 1/6: mean 0, variance 1, third
/// moment 0, fourth moment 7/6. With few clusters their 6^G combinations leave
/// far fewer ties than the 2^G of ±1 (M. D. Webb, "Reworking wild bootstrap-based
/// inference for clustered errors", Canadian Journal of Economics 56, 2023).
pub(super) fn webb(stream: &mut Stream) -> f64 {
    const LARGE: f64 = 1.224_744_871_391_589;
    const SMALL: f64 = std::f64::consts::FRAC_1_SQRT_2;
    const POINTS: [f64; 6] = [-LARGE, -1.0, -SMALL, SMALL, 1.0, LARGE];
    POINTS[stream.below(POINTS.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn moments() {
        let mut stream = Stream::new(7, Purpose::Bootstrap, 0);
        let count = 200_000;
        let mut moments = [0.0; 4];
        for _ in 0..count {
            let weight = webb(&mut stream);
            for (power, moment) in moments.iter_mut().enumerate() {
                *moment += weight.powi(power as i32 + 1) / f64::from(count);
            }
        }
        for (found, expected) in moments.into_iter().zip([0.0, 1.0, 0.0, 7.0 / 6.0]) {
            assert!((found - expected).abs() < 0.015, "{moments:?}");
        }
    }
}
