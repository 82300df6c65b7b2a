//! Standard errors and percentiles of draws.

/// Share of draws at each end that is brought in to the value there, so that a few
/// refits in the wrong basin don't decide a standard error.
const ENDS: f64 = 0.01;
/// Standard deviation of a standard normal whose 1 % ends are brought in:
/// √(0.98 − 2·z·φ(z) + 0.02·z²) with z = 2.3263.
const OF_NORMAL: f64 = 0.981_94;

/// The standard deviation of the draws with their ends brought in, corrected for
/// that as if they were normal; at least two finite values.
pub(crate) fn standard_error(sorted: &[f64]) -> f64 {
    let (low, high) = (quantile(sorted, ENDS), quantile(sorted, 1.0 - ENDS));
    let count = sorted.len() as f64;
    let brought_in = || sorted.iter().map(|value| value.clamp(low, high));
    let mean = brought_in().sum::<f64>() / count;
    let squares: f64 = brought_in().map(|value| (value - mean).powi(2)).sum();
    (squares / (count - 1.0)).sqrt() / OF_NORMAL
}

/// A quantile by linear interpolation between order statistics.
pub(crate) fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let position = probability * (sorted.len() - 1) as f64;
    let (below, share) = (position.floor(), position.fract());
    let low = sorted[below as usize];
    let high = sorted[(below as usize + 1).min(sorted.len() - 1)];
    low + share * (high - low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    #[test]
    fn standard_error_of_normal_draws_shrugs_off_wild_ones() {
        let mut stream = Stream::new(3, Purpose::Simulation, 0);
        let mut values: Vec<f64> = (0..100_000).map(|_| 2.0 * stream.normal()).collect();
        for value in &mut values[..500] {
            *value *= 1e6;
        }
        values.sort_by(f64::total_cmp);
        let found = standard_error(&values);
        assert!((found / 2.0 - 1.0).abs() < 0.03, "{found}");
    }

    #[test]
    fn quantiles_interpolate() {
        let values = [0.0, 1.0, 2.0, 3.0, 4.0];
        assert!((quantile(&values, 0.5) - 2.0).abs() < 1e-12);
        assert!((quantile(&values, 0.9) - 3.6).abs() < 1e-12);
        assert!((quantile(&values, 1.0) - 4.0).abs() < 1e-12);
    }
}
