//! The Chinchilla table: what to train at each of a range of budgets.

use crate::laws::{Laws, Prediction};

/// Predictions at every half decade (1, 3, 10, 30 …) from the smallest measured
/// budget to `decades` beyond the largest.
pub fn rows(laws: &Laws, decades: f64) -> Vec<Prediction> {
    let (first, last) = (laws.budgets[0], laws.budgets[laws.budgets.len() - 1]);
    // Realised budgets miss the round number by the rounding of steps.
    let (low, high) = (first * 0.95, last * 10_f64.powf(decades) * 1.05);
    let start = low.log10().floor() as i32;
    let end = high.log10().ceil() as i32;
    (start..=end)
        .flat_map(|decade| [1.0, 3.0].map(|lead| lead * 10_f64.powi(decade)))
        .filter(|c| (low..=high).contains(c))
        .map(|c| laws.predict(c))
        .collect()
}

/// Predictions at the budgets given, in their order.
pub fn rows_at(laws: &Laws, budgets: &[f64]) -> Vec<Prediction> {
    budgets.iter().map(|&c| laws.predict(c)).collect()
}
