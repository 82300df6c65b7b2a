//! Each method's share in one quantity.

use std::collections::BTreeMap;

use nalgebra::DMatrix;

use super::moments::{self, Errors};
use crate::method::Method;

/// Hold-out tests that the rehearsal counts as much as.
const PRIOR_TESTS: f64 = 4.0;
/// Share of the weight from which a method is followed alone.
const ALONE: f64 = 0.9;
/// Share below which a method is not followed at all.
const LEAST: f64 = 0.02;
/// Median of the square of a standard normal.
const MEDIAN_SQUARE: f64 = 0.454_936;
/// An error of this share of the scale is none.
const RESOLUTION: f64 = 1e-6;

/// The methods' shares in one quantity.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shares {
    /// Share in the average; they add up to 1.
    pub(crate) weights: BTreeMap<Method, f64>,
    /// In inverse proportion to the squared error that is expected; they add up to 1.
    pub(crate) plausibility: BTreeMap<Method, f64>,
    /// Root of that.
    pub(crate) expected_error: BTreeMap<Method, f64>,
}

/// One hold-out test of the quantity.
#[derive(Debug)]
pub(super) struct Tested {
    /// Variance of what the methods are held against.
    pub(super) judge: f64,
    /// Squared errors of the methods that answered.
    pub(super) squares: BTreeMap<Method, f64>,
}

impl Shares {
    /// `scale` is what an error is to be thought of in proportion to. A method that found
    /// no law in half of the rehearsal has no share, unless that is true of all. At least
    /// one method.
    pub(super) fn of(methods: &[Method], errors: &Errors, tests: &[Tested], scale: f64) -> Self {
        let through =
            |method: &Method| errors.is_empty() || errors.moment(*method, *method).is_some();
        let methods: Vec<Method> = methods.iter().copied().filter(through).collect();
        let moment = |a: Method, b: Method| errors.moment(a, b).map(|both| both / scale.powi(2));
        let rehearsed: BTreeMap<Method, f64> = methods
            .iter()
            .map(|&method| {
                let square = moment(method, method).unwrap_or(1.0);
                (method, square.max(RESOLUTION.powi(2)))
            })
            .collect();
        let surprise = surprises(&rehearsed, tests, scale);
        let expected = |method: &Method| rehearsed[method] * surprise[method];
        let entry = |i: usize, j: usize| {
            let (one, other) = (methods[i], methods[j]);
            if i == j {
                rehearsed[&one].max(expected(&one))
            } else {
                moment(one, other).unwrap_or(0.0)
            }
        };
        let weights = moments::smallest(&DMatrix::from_fn(methods.len(), methods.len(), entry));
        let plausible = methods
            .iter()
            .map(|method| (*method, 1.0 / expected(method)));
        let errors = methods
            .iter()
            .map(|method| (*method, expected(method).sqrt() * scale));
        Self {
            weights: followed(methods.iter().copied().zip(weights.iter().copied())),
            plausibility: to_one(plausible),
            expected_error: errors.collect(),
        }
    }

    /// The same with one method followed, whatever its share.
    pub(super) fn following(self, method: Method) -> Self {
        Self {
            weights: BTreeMap::from([(method, 1.0)]),
            ..self
        }
    }
}

/// The methods worth following: one alone where it has nearly all of the weight.
fn followed(weights: impl Iterator<Item = (Method, f64)> + Clone) -> BTreeMap<Method, f64> {
    match weights.clone().find(|(_, weight)| *weight >= ALONE) {
        Some((method, _)) => BTreeMap::from([(method, 1.0)]),
        None => to_one(weights.filter(|(_, weight)| *weight >= LEAST)),
    }
}

/// How many times larger than in the rehearsal each method's squared error is to be
/// expected, by its hold-out tests.
///
/// How far ahead a test looks, and from how few budgets, is not what was rehearsed, so
/// one factor for all methods and tests is found by which their errors are the usual ones:
/// the median of error² / (factor · rehearsed + judge) is that of a standard normal's
/// square. A method that errs more than the others, in proportion to what was rehearsed, has its mean
/// of that ratio above 1. It is shrunk towards 1 as if some tests had said so.
fn surprises(
    rehearsed: &BTreeMap<Method, f64>,
    tests: &[Tested],
    scale: f64,
) -> BTreeMap<Method, f64> {
    let ratios = |factor: f64, method: Method| {
        let own = factor * rehearsed[&method];
        tests.iter().filter_map(move |test| {
            let square = test.squares.get(&method)?;
            Some(square / (own * scale.powi(2) + test.judge))
        })
    };
    // Of two middle ones the lower: what is usual is told by those that err less.
    let all = |ln_factor: f64| -> f64 {
        let each = rehearsed.keys();
        let mut all: Vec<f64> = each
            .flat_map(|&method| ratios(ln_factor.exp(), method))
            .collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len().saturating_sub(1) / 2)
            .copied()
            .unwrap_or(0.0)
    };
    // From 1e-9 to 1e9: the ratios fall as the factor rises.
    let (mut low, mut high) = (-20.0, 20.0);
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if all(middle) > MEDIAN_SQUARE {
            low = middle;
        } else {
            high = middle;
        }
    }
    let factor = f64::midpoint(low, high).exp();
    let surprise = |method: Method| {
        let (count, sum) = ratios(factor, method)
            .fold((0.0, 0.0), |(count, sum), ratio| (count + 1.0, sum + ratio));
        (PRIOR_TESTS + sum) / (PRIOR_TESTS + count)
    };
    let each = rehearsed.keys();
    each.map(|&method| (method, surprise(method))).collect()
}

/// The shares made to add up to 1.
fn to_one(of: impl Iterator<Item = (Method, f64)>) -> BTreeMap<Method, f64> {
    let mut shares: BTreeMap<Method, f64> = of.collect();
    let total: f64 = shares.values().sum();
    for share in shares.values_mut() {
        *share /= total;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUBIC: Method = Method::IsoflopCubic;
    const PARABOLA: Method = Method::IsoflopParabola;
    const MSE: Method = Method::ParametricMse;
    const ALL: [Method; 3] = [CUBIC, PARABOLA, MSE];

    /// Errors that move together, of these sizes.
    fn errors(sizes: [f64; 3]) -> Errors {
        let of = |size: f64| [Some(size), Some(-size)].repeat(50);
        Errors::new(ALL.into_iter().zip(sizes.map(of)))
    }

    fn tests(count: usize, errors: [f64; 3], judge: f64) -> Vec<Tested> {
        let squares = ALL.into_iter().zip(errors.map(|error: f64| error.powi(2)));
        let test = || Tested {
            judge,
            squares: squares.clone().collect(),
        };
        (0..count).map(|_| test()).collect()
    }

    #[test]
    fn the_method_with_the_least_error_in_rehearsal_is_followed() {
        let found = Shares::of(&ALL, &errors([0.4, 0.2, 0.1]), &[], 1.0);
        assert_eq!(found.weights, BTreeMap::from([(MSE, 1.0)]));
        assert!((found.expected_error[&CUBIC] - 0.4).abs() < 1e-12);
        assert!(found.plausibility[&MSE] > 0.7);
    }

    #[test]
    fn failing_the_tests_takes_weight_away() {
        let rehearsed = errors([0.4, 0.2, 0.1]);
        let as_expected = tests(4, [0.2, 0.1, 0.05], 0.0);
        let found = Shares::of(&ALL, &rehearsed, &as_expected, 1.0);
        assert_eq!(found.weights, BTreeMap::from([(MSE, 1.0)]));
        let failed = |count| Shares::of(&ALL, &rehearsed, &tests(count, [0.2, 0.1, 0.5], 0.0), 1.0);
        let (once, often) = (failed(1), failed(6));
        assert!(often.expected_error[&MSE] > once.expected_error[&MSE]);
        assert!(often.expected_error[&MSE] > 0.2, "{often:?}");
        assert!(often.plausibility[&PARABOLA] > often.plausibility[&MSE]);
        // The same errors against minima that are not known any better say little.
        let vague = Shares::of(&ALL, &rehearsed, &tests(6, [0.2, 0.1, 0.5], 0.25), 1.0);
        assert!(vague.expected_error[&MSE] < 0.15, "{vague:?}");
    }

    #[test]
    fn a_method_that_gets_through_few_rehearsals_has_no_share() {
        let laws = |errors: [Option<f64>; 5]| errors.repeat(20);
        let some = Some(0.2);
        let rehearsed = Errors::new(
            [
                (CUBIC, laws([some, None, None, None, some])),
                (PARABOLA, laws([some, some, None, None, some])),
                (MSE, laws([some, Some(-0.2), some, some, Some(-0.2)])),
            ]
            .into_iter(),
        );
        let found = Shares::of(&ALL, &rehearsed, &[], 1.0);
        assert!(!found.plausibility.contains_key(&CUBIC), "{found:?}");
        assert!(found.plausibility.contains_key(&PARABOLA));
    }

    #[test]
    fn the_unit_does_not_matter() {
        let found = |unit: f64| {
            let rehearsed = errors([0.4 * unit, 0.2 * unit, 0.1 * unit]);
            let tests = tests(
                3,
                [0.2 * unit, 0.1 * unit, 0.3 * unit],
                (0.1 * unit).powi(2),
            );
            Shares::of(&ALL, &rehearsed, &tests, unit).weights
        };
        for unit in [1e-150, 1e150] {
            for (method, weight) in found(unit) {
                assert!((weight / found(1.0)[&method] - 1.0).abs() < 1e-9, "{unit}");
            }
        }
    }

    #[test]
    fn no_error_at_all_takes_all_the_weight() {
        let found = Shares::of(
            &ALL,
            &errors([0.1, 0.1, 0.0]),
            &tests(2, [0.1, 0.1, 0.0], 0.0),
            1.0,
        );
        assert_eq!(found.weights, BTreeMap::from([(MSE, 1.0)]));
    }

    #[test]
    fn without_rehearsal_the_tests_decide() {
        let none = Errors::default();
        let alike = Shares::of(&ALL, &none, &[], 1.0);
        assert!((alike.weights[&CUBIC] - 1.0 / 3.0).abs() < 1e-12);
        let found = Shares::of(&ALL, &none, &tests(3, [0.1, 0.1, 1.0], 0.0), 1.0);
        assert!(found.weights[&CUBIC] > 3.0 * found.weights.get(&MSE).copied().unwrap_or(0.0));
    }
}
