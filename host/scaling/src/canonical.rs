//! Rows in a form that neither units nor order nor the splitting of weights reaches.
//!
//! An objective with kinks can have many basins of nearly the same depth, and a basin can
//! be flat to the last digit: where a search ends is then decided by the rounding of its
//! sums. So a search works, from its start to its end, on rows whose offsets are rounded,
//! that are sorted, and of which equal ones are joined. An analysis sorts its runs
//! besides: the draws of a bootstrap go to clusters by their order.

use std::cmp::Ordering;

use crate::run::Run;

/// Offsets in ln N and ln D are rounded to this, 4e-9: far above the rounding of sums,
/// far below anything that a loss responds to.
const RESOLUTION: f64 = 1.0 / (1 << 28) as f64;

/// An offset in ln N or ln D, rounded; never -0.
pub(crate) fn rounded(offset: f64) -> f64 {
    (offset / RESOLUTION).round() * RESOLUTION + 0.0
}

/// The rows in ascending order, with those joined that differ in the last number at
/// most: their weight, which adds up.
pub(crate) fn joined<const K: usize>(mut rows: Vec<[f64; K]>) -> Vec<[f64; K]> {
    rows.sort_by(ascending);
    rows.dedup_by(|later, earlier| {
        let mut pairs = later[..K - 1].iter().zip(&earlier[..K - 1]);
        let is_same = pairs.all(|(a, b)| a.total_cmp(b).is_eq());
        if is_same {
            earlier[K - 1] += later[K - 1];
        }
        is_same
    });
    rows
}

/// Runs with their positions, by budget and size: the same however they were listed.
pub(crate) fn sorted<'a>(runs: &[(usize, &'a Run)]) -> Vec<(usize, &'a Run)> {
    let numbers = |run: &Run| {
        let budget = run.budget.unwrap_or(run.c);
        let weight = run.weight.unwrap_or(1.0);
        [budget, run.n, run.d, run.c, run.loss, weight]
    };
    let mut sorted = runs.to_vec();
    sorted.sort_by(|(_, a), (_, b)| {
        ascending(&numbers(a), &numbers(b))
            .then_with(|| (&a.group, a.seed).cmp(&(&b.group, b.seed)))
    });
    sorted
}

/// By the first number that differs.
fn ascending<const K: usize>(a: &[f64; K], b: &[f64; K]) -> Ordering {
    let pairs = a.iter().zip(b);
    pairs.fold(Ordering::Equal, |order, (a, b)| order.then(a.total_cmp(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_split_weights_are_gone() {
        let rows = vec![[2.0, 1.0, 0.5], [1.0, 3.0, 1.0], [2.0, 1.0, 1.5]];
        assert_eq!(joined(rows), [[1.0, 3.0, 1.0], [2.0, 1.0, 2.0]]);
    }

    #[test]
    fn the_last_digits_are_gone() {
        for offset in [0.3, -1.7, 12.0] {
            assert_eq!(
                rounded(offset * (1.0 + 1e-15)).to_bits(),
                rounded(offset).to_bits()
            );
            assert!((rounded(offset) - offset).abs() < 4e-8);
        }
        assert!(rounded(-1e-12).is_sign_positive());
    }
}
