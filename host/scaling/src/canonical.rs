//! Rows in a form that neither units nor order nor the splitting of weights reaches.
//!
//! An objective with kinks can have many basins of nearly the same depth, and a search
//! from far away ends in one or the other by the last digit of its sums. So a search
//! works on rows whose offsets are rounded, that are sorted, and of which equal ones
//! are joined; what it finds is then finished on the rows themselves.

use std::cmp::Ordering;

/// Offsets in ln N and ln D are rounded to this: far above the rounding of sums, far
/// below anything that a loss responds to.
const RESOLUTION: f64 = 1.0 / (1 << 24) as f64;

/// An offset in ln N or ln D, rounded; never -0.
pub(crate) fn rounded(offset: f64) -> f64 {
    (offset / RESOLUTION).round() * RESOLUTION + 0.0
}

/// The rows in ascending order, with those joined that differ in the last number at
/// most: their weight, which adds up.
pub(crate) fn joined<const K: usize>(mut rows: Vec<[f64; K]>) -> Vec<[f64; K]> {
    rows.sort_by(|a, b| {
        let pairs = a.iter().zip(b);
        pairs.fold(Ordering::Equal, |order, (a, b)| order.then(a.total_cmp(b)))
    });
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
