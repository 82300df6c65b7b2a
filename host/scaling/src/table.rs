//! The budgets of the Chinchilla table: what to train at each of a range.

/// Every half decade (1, 3, 10, 30 …) from `first` to `decades` beyond `last` FLOPs.
pub fn half_decades((first, last): (f64, f64), decades: f64) -> Vec<f64> {
    // Realised budgets miss the round number by the rounding of steps.
    let (low, high) = (first * 0.95, last * 10_f64.powf(decades) * 1.05);
    // Beyond the largest number there is no decade to count to.
    let start = (low.log10().floor() as i32).max(f64::MIN_10_EXP);
    let end = (high.log10().ceil() as i32).min(f64::MAX_10_EXP);
    (start..=end)
        // Read as a decimal, since 3 times a power of ten is often not the number 3e23.
        .flat_map(|decade| ["1", "3"].map(|lead| format!("{lead}e{decade}")))
        .filter_map(|text| text.parse::<f64>().ok())
        .filter(|c| c.is_finite() && (low..=high).contains(c))
        .collect()
}

/// `count` budgets in even steps of ln C from `first` to `last` FLOPs, both included;
/// `count` is at least 2.
pub fn even((first, last): (f64, f64), count: usize) -> Vec<f64> {
    let step = (last / first).ln() / (count - 1) as f64;
    (0..count)
        .map(|i| first * (step * i as f64).exp())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_decades_reach_beyond_and_forgive_rounding() {
        let found = half_decades((1.01e10, 2.97e11), 1.0);
        assert_eq!(found, [1e10, 3e10, 1e11, 3e11, 1e12, 3e12]);
        assert_eq!(half_decades((1e22, 1e23), 0.5), [1e22, 3e22, 1e23, 3e23]);
    }

    #[test]
    fn half_decades_end_with_the_numbers() {
        let found = half_decades((1e307, f64::MAX), 2.0);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(half_decades((5e-324, 1e-307), 0.0).len() <= 2);
    }

    #[test]
    fn even_steps_hold_both_ends() {
        let found = even((1e10, 1e13), 4);
        for (found, expected) in found.into_iter().zip([1e10_f64, 1e11, 1e12, 1e13]) {
            assert!((found / expected - 1.0).abs() < 1e-9);
        }
    }
}
