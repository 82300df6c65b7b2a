//! Weights from the bootstrap and from hold-out scores.

use std::collections::BTreeMap;

use super::{Choice, prior, reason};
use crate::coverage::median;
use crate::holdout::Holdout;
use crate::method::Method;

/// Hold-out tests that the bootstrap and the prior count as much as.
const PRIOR_TESTS: f64 = 4.0;
/// Share of the weight from which a method is followed alone.
const ALONE: f64 = 0.9;
/// Share below which a method is not followed at all.
const LEAST: f64 = 0.02;

/// A method that has a law.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) method: Method,
    /// Variance of its ln N* a decade beyond the runs by the bootstrap, where it has
    /// draws.
    pub(crate) variance: Option<f64>,
}

/// Methods with their weights: a [recommendation](super::Recommendation) without laws.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weighed {
    pub(crate) method: Method,
    pub(crate) choice: Choice,
    pub(crate) weights: BTreeMap<Method, f64>,
    pub(crate) plausibility: BTreeMap<Method, f64>,
    pub(crate) expected_error: BTreeMap<Method, f64>,
    pub(crate) reason: String,
}

/// Weighs the methods that have a law; `None` where there is none.
pub(crate) fn weigh(candidates: &[Candidate], holdout: Option<&Holdout>) -> Option<Weighed> {
    let squares: BTreeMap<Method, Vec<f64>> = candidates
        .iter()
        .map(|candidate| (candidate.method, squares(candidate.method, holdout)))
        .collect();
    let typical = typical(candidates, &squares);
    let tested = candidates.iter().filter(|c| is_tested(c.method, holdout));
    let tested: Vec<&Candidate> = tested.collect();
    let weighed: Vec<&Candidate> = if tested.is_empty() {
        candidates.iter().collect()
    } else {
        tested
    };
    let expected: BTreeMap<Method, f64> = weighed
        .iter()
        .map(|candidate| {
            let variance = candidate.variance.unwrap_or(typical);
            let before = PRIOR_TESTS * variance * prior::handicap(candidate.method);
            let seen = &squares[&candidate.method];
            let total = before + seen.iter().sum::<f64>();
            (candidate.method, total / (PRIOR_TESTS + seen.len() as f64))
        })
        .filter(|(_, square)| square.is_finite())
        .collect();
    let smallest = expected.values().copied().fold(f64::INFINITY, f64::min);
    // Without noise a method of the right form may have no error at all.
    let share = |square: f64| {
        if square > smallest {
            smallest / square
        } else {
            1.0
        }
    };
    let plausibility = shares(
        expected
            .iter()
            .map(|(&method, &square)| (method, share(square))),
    );
    let (&method, &largest) = plausibility.iter().max_by(|a, b| a.1.total_cmp(b.1))?;
    let (choice, weights) = if largest >= ALONE {
        (Choice::Winner, BTreeMap::from([(method, 1.0)]))
    } else {
        let kept = plausibility.iter().filter(|(_, share)| **share >= LEAST);
        let kept = kept.map(|(&method, &share)| (method, share));
        (Choice::Average, shares(kept))
    };
    Some(Weighed {
        reason: reason::sentence(&weights, holdout),
        method,
        choice,
        weights,
        plausibility,
        expected_error: expected
            .into_iter()
            .map(|(method, square)| (method, square.sqrt()))
            .collect(),
    })
}

impl Weighed {
    /// The same with `method` followed because it was asked for; by the shares of the
    /// others their disagreement still counts.
    pub(crate) fn asking(self, method: Method) -> Self {
        Self {
            reason: format!("{method}, as asked for; else {}", self.reason),
            method,
            choice: Choice::Asked,
            weights: BTreeMap::from([(method, 1.0)]),
            ..self
        }
    }
}

/// The squared errors of ln N* in the tests that a method answered, less the variance
/// of the judge's own minimum.
fn squares(method: Method, holdout: Option<&Holdout>) -> Vec<f64> {
    let tests = holdout.into_iter().flat_map(Holdout::tests);
    tests
        .filter_map(|test| {
            let error = test.methods.get(&method)?.ln_n_error;
            Some((error.powi(2) - test.ln_n_se.powi(2)).max(0.0))
        })
        .collect()
}

/// Whether a method answered half of the tests or more with a size inside the grid;
/// where none was made, nobody failed.
fn is_tested(method: Method, holdout: Option<&Holdout>) -> bool {
    holdout.is_none_or(|holdout| {
        let score = holdout.scores.get(&method);
        score.is_some_and(|score| 2 * (score.outside + score.missed) <= score.tests + score.missed)
    })
}

/// A squared error for methods that have no draws: the middle of the other methods'
/// variances, else of the squared errors in the tests.
fn typical(candidates: &[Candidate], squares: &BTreeMap<Method, Vec<f64>>) -> f64 {
    let variances = median(candidates.iter().filter_map(|candidate| candidate.variance));
    let errors = median(squares.values().flatten().copied());
    [variances, errors]
        .into_iter()
        .find(|value| value.is_finite())
        .unwrap_or(1.0)
}

/// The shares made to add up to 1.
fn shares(of: impl Iterator<Item = (Method, f64)>) -> BTreeMap<Method, f64> {
    let mut shares: BTreeMap<Method, f64> = of.collect();
    let total: f64 = shares.values().sum();
    for share in shares.values_mut() {
        *share /= total;
    }
    shares
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::holdout::{Answer, Round, Test};

    /// A hold-out in which each method erred alike in every one of some tests.
    fn holdout(tests: usize, errors: &[(Method, f64)]) -> Holdout {
        let answer = |error: f64| Answer {
            n: 1e6 * error.exp(),
            ln_n_error: error,
            regret: error.powi(2) / 8.0,
            outside: error.abs() > 2.0,
        };
        let test = Test {
            c: 1e20,
            n: 1e6,
            ln_n_se: 0.0,
            methods: errors
                .iter()
                .map(|&(m, error)| (m, answer(error)))
                .collect(),
        };
        Holdout::of(vec![Round {
            fitted: vec![1e18, 1e19],
            tests: vec![test; tests],
        }])
        .unwrap()
    }

    fn candidates(of: &[(Method, f64)]) -> Vec<Candidate> {
        let one = |&(method, variance)| Candidate {
            method,
            variance: Some(variance),
        };
        of.iter().map(one).collect()
    }

    const CUBIC: Method = Method::IsoflopCubic;
    const MSE: Method = Method::ParametricMse;

    #[test]
    fn without_tests_the_less_noisy_method_leads_and_the_prior_holds_it_back() {
        let equal = weigh(&candidates(&[(CUBIC, 0.01), (MSE, 0.01)]), None).unwrap();
        assert_eq!(equal.method, CUBIC);
        let noisy = weigh(&candidates(&[(CUBIC, 1.0), (MSE, 0.01)]), None).unwrap();
        assert_eq!(noisy.method, MSE);
        assert!((noisy.weights.values().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(noisy.reason.contains("hold-out"), "{}", noisy.reason);
    }

    #[test]
    fn a_method_that_failed_its_tests_loses_its_weight() {
        let both = candidates(&[(CUBIC, 0.04), (MSE, 0.01)]);
        let tests = holdout(4, &[(CUBIC, 0.05), (MSE, 1.0)]);
        let found = weigh(&both, Some(&tests)).unwrap();
        assert_eq!((found.method, found.choice), (CUBIC, Choice::Winner));
        assert!(found.expected_error[&MSE] > 0.7, "{found:?}");
        // One test alone is not believed as much.
        let once = weigh(&both, Some(&holdout(1, &[(CUBIC, 0.05), (MSE, 1.0)]))).unwrap();
        assert!(once.plausibility[&MSE] > found.plausibility[&MSE]);
    }

    #[test]
    fn answers_outside_the_grid_and_missing_ones_have_no_weight() {
        let both = candidates(&[(CUBIC, 0.04), (MSE, 0.01)]);
        for tests in [
            holdout(3, &[(CUBIC, 0.3), (MSE, 2.5)]),
            holdout(3, &[(CUBIC, 0.3)]),
        ] {
            let found = weigh(&both, Some(&tests)).unwrap();
            assert!(found.plausibility.keys().eq([&CUBIC]), "{found:?}");
        }
        // Where all failed, all are weighed.
        let all = weigh(&both, Some(&holdout(3, &[(CUBIC, 2.6), (MSE, 2.5)]))).unwrap();
        assert_eq!(all.plausibility.len(), 2);
    }

    #[test]
    fn no_error_at_all_takes_all_the_weight() {
        let none = candidates(&[(CUBIC, 0.01), (MSE, 0.0)]);
        let found = weigh(&none, Some(&holdout(2, &[(CUBIC, 0.1), (MSE, 0.0)]))).unwrap();
        assert_eq!((found.method, found.choice), (MSE, Choice::Winner));
        assert!(weigh(&[], None).is_none());
    }
}
