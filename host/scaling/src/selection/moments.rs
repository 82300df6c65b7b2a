//! Errors of several methods in the same sweeps, and the average of methods that they
//! leave the smallest error.

use std::collections::BTreeMap;

use nalgebra::{DMatrix, DVector};

use crate::bootstrap::spread;
use crate::method::Method;

/// Share of the errors at each end that is brought in to the value there, so that a few
/// refits in the wrong basin don't decide a moment.
const ENDS: f64 = 0.02;

/// The errors of each method, sweep by sweep.
#[derive(Debug, Clone, Default)]
pub(crate) struct Errors(BTreeMap<Method, Vec<f64>>);

impl Errors {
    /// An error that is missing or no number counts as the method's largest; methods
    /// with less than half of them are left out.
    pub(super) fn new(of: impl Iterator<Item = (Method, Vec<Option<f64>>)>) -> Self {
        Self(
            of.filter_map(|(m, errors)| Some((m, whole(&errors)?)))
                .collect(),
        )
    }

    /// Whether nothing was rehearsed, or no method got through.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Mean of the product of two methods' errors: a squared error where they are the
    /// same. `None` where one of them is left out.
    pub(crate) fn moment(&self, a: Method, b: Method) -> Option<f64> {
        let (a, b) = (self.0.get(&a)?, self.0.get(&b)?);
        let products: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
        Some(products / a.len() as f64)
    }

    /// Mean square of a method's distance from the average with some weights, over the
    /// methods that are not left out.
    pub(crate) fn distance(&self, method: Method, weights: &BTreeMap<Method, f64>) -> Option<f64> {
        let own = self.0.get(&method)?;
        let present = || {
            let each = weights.iter();
            each.filter_map(|(method, weight)| Some((self.0.get(method)?, weight)))
        };
        let total: f64 = present().map(|(_, weight)| weight).sum();
        let average = |sweep: usize| {
            let weighted = present().map(|(errors, weight)| weight * errors[sweep]);
            weighted.sum::<f64>() / total
        };
        let squares = own
            .iter()
            .enumerate()
            .map(|(sweep, error)| (error - average(sweep)).powi(2));
        (total > 0.0).then(|| squares.sum::<f64>() / own.len() as f64)
    }
}

fn whole(errors: &[Option<f64>]) -> Option<Vec<f64>> {
    let is_number = |error: &f64| error.is_finite();
    let mut sorted: Vec<f64> = errors.iter().copied().flatten().filter(is_number).collect();
    if sorted.is_empty() || 2 * sorted.len() < errors.len() {
        return None;
    }
    sorted.sort_by(f64::total_cmp);
    let [low, high] = [ENDS, 1.0 - ENDS].map(|share| spread::quantile(&sorted, share));
    let largest = if -low > high { low } else { high };
    let each = errors
        .iter()
        .map(|error| error.filter(is_number).unwrap_or(largest));
    Some(each.map(|error| error.clamp(low, high)).collect())
}

/// The weights w >= 0, adding up to 1, with the smallest `w′·M·w`: every subset of the
/// methods is tried, its weights in proportion to `M⁻¹·1`. One entry a row of `moments`.
pub(super) fn smallest(moments: &DMatrix<f64>) -> DVector<f64> {
    let count = moments.nrows();
    let even = DVector::from_element(count, 1.0 / count as f64);
    let mut best = (f64::INFINITY, even);
    for subset in 1_u32..1 << count {
        let members: Vec<usize> = (0..count).filter(|&i| subset >> i & 1 == 1).collect();
        let block = DMatrix::from_fn(members.len(), members.len(), |i, j| {
            moments[(members[i], members[j])]
        });
        let Some(shares) = within(&block) else {
            continue;
        };
        let square = (shares.transpose() * block * &shares)[0];
        if square < best.0 {
            let mut weights = DVector::zeros(count);
            for (&member, share) in members.iter().zip(shares.iter()) {
                weights[member] = *share;
            }
            best = (square, weights);
        }
    }
    best.1
}

/// Weights over all of some methods; `None` where one would not be above 0.
fn within(block: &DMatrix<f64>) -> Option<DVector<f64>> {
    let ones = DVector::from_element(block.nrows(), 1.0);
    if block.nrows() == 1 {
        return Some(ones);
    }
    let shares = block.clone().cholesky()?.solve(&ones);
    let is_share = |share: &f64| *share > 0.0 && share.is_finite();
    shares.iter().all(is_share).then(|| &shares / shares.sum())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const CUBIC: Method = Method::IsoflopCubic;
    const MSE: Method = Method::ParametricMse;

    #[test]
    fn moments_of_errors() {
        let often = |of: [Option<f64>; 4]| of.repeat(50);
        let errors = Errors::new(
            [
                (CUBIC, often([Some(2.0), Some(-2.0), Some(2.0), None])),
                (MSE, often([Some(1.0), Some(-1.0), Some(1.0), Some(-1.0)])),
                (
                    Method::Envelope,
                    often([Some(1.0), None, None, Some(f64::NAN)]),
                ),
            ]
            .into_iter(),
        );
        let near = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-12;
        assert!(near(errors.moment(CUBIC, CUBIC), 4.0));
        // 2, 2, 2 and, for the one that is missing, the largest: -2 times -1 or 2 times -1.
        let shared = errors.moment(CUBIC, MSE);
        assert!(near(shared, 1.0) || near(shared, 2.0), "{shared:?}");
        assert_eq!(errors.moment(CUBIC, Method::Envelope), None);
        let alone = BTreeMap::from([(MSE, 1.0)]);
        assert!(near(errors.distance(MSE, &alone), 0.0));
        let apart = errors.distance(CUBIC, &alone).unwrap();
        assert!((apart - (4.0 + 1.0 - 2.0 * shared.unwrap())).abs() < 1e-12);
        assert_eq!(errors.distance(Method::Envelope, &alone), None);
    }

    #[test]
    fn independent_errors_share_by_their_variances() {
        let found = smallest(&DMatrix::from_diagonal(&DVector::from_vec(vec![1.0, 4.0])));
        assert!((found[0] - 0.8).abs() < 1e-12 && (found[1] - 0.2).abs() < 1e-12);
    }

    #[test]
    fn errors_that_contain_anothers_add_nothing() {
        // The second errs by the first's error and twice as much of its own.
        let found = smallest(&DMatrix::from_row_slice(2, 2, &[1.0, 1.0, 1.0, 5.0]));
        assert_eq!(found.as_slice(), [1.0, 0.0]);
        // Without any error the first is followed, though nothing can be inverted.
        let found = smallest(&DMatrix::from_row_slice(2, 2, &[0.0, 0.0, 0.0, 1.0]));
        assert_eq!(found.as_slice(), [1.0, 0.0]);
    }
}
