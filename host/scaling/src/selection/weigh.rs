//! Weights from the rehearsal and from hold-out scores.

use std::collections::BTreeMap;

use super::moments::Errors;
use super::rehearsal::Rehearsal;
use super::shares::{Shares, Tested};
use super::{Choice, reason};
use crate::frontier::Optimum;
use crate::holdout::{Answer, Holdout, Test};
use crate::method::Method;

/// Methods with their weights: a [recommendation](super::Recommendation) without laws.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weighed {
    pub(crate) method: Method,
    pub(crate) choice: Choice,
    /// For N*, D* and D*/N*.
    pub(crate) size: Shares,
    /// For L*.
    pub(crate) loss: Shares,
    pub(crate) reason: String,
}

/// Weighs the methods that have a law, by their errors at `c` FLOPs, where the loss is
/// about `loss`; `None` where there is none.
pub(crate) fn weigh(
    methods: &[Method],
    rehearsal: Option<&Rehearsal>,
    holdout: Option<&Holdout>,
    c: f64,
    loss: f64,
) -> Option<Weighed> {
    let answers = rehearsal.map(|rehearsal| rehearsal.at(c));
    let in_rehearsal = |quantity: fn(&Optimum) -> f64| {
        let answers = answers.as_ref();
        answers.map_or_else(Errors::default, |answers| answers.errors(quantity))
    };
    let tested = tested(methods, holdout);
    if tested.is_empty() {
        return None;
    }
    let tests = |judge: fn(&Test) -> f64, error: fn(&Answer) -> f64| -> Vec<Tested> {
        let of = |test: &Test| Tested {
            judge: judge(test).powi(2),
            squares: test
                .methods
                .iter()
                .map(|(method, answer)| (*method, error(answer).powi(2)))
                .collect(),
        };
        holdout
            .into_iter()
            .flat_map(Holdout::tests)
            .map(of)
            .collect()
    };
    let size = Shares::of(
        &tested,
        &in_rehearsal(|optimum| optimum.n.ln()),
        &tests(|test| test.ln_n_se, |answer| answer.ln_n_error),
        1.0,
    );
    let loss = Shares::of(
        &tested,
        &in_rehearsal(|optimum| optimum.loss),
        &tests(|test| test.loss_se, |answer| answer.loss_error),
        loss,
    );
    let by_weight = |a: &(&Method, &f64), b: &(&Method, &f64)| a.1.total_cmp(b.1);
    let (&method, _) = size.weights.iter().max_by(by_weight)?;
    let choice = match size.weights.len() {
        1 => Choice::Winner,
        _ => Choice::Average,
    };
    Some(Weighed {
        reason: reason::sentence(&size.weights, holdout),
        method,
        choice,
        size,
        loss,
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
            size: self.size.following(method),
            loss: self.loss.following(method),
        }
    }

    /// The shares in N*.
    pub(crate) fn weights(&self) -> &BTreeMap<Method, f64> {
        &self.size.weights
    }
}

/// The methods that answered half of the tests or more with a size inside the grid; all
/// where none did, or no test was made.
fn tested(methods: &[Method], holdout: Option<&Holdout>) -> Vec<Method> {
    let is_tested = |method: &Method| {
        holdout.is_none_or(|holdout| {
            let score = holdout.scores.get(method);
            score.is_some_and(|score| {
                2 * (score.outside + score.missed) <= score.tests + score.missed
            })
        })
    };
    let tested: Vec<Method> = methods.iter().copied().filter(is_tested).collect();
    if tested.is_empty() {
        methods.to_vec()
    } else {
        tested
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::holdout::Round;

    const CUBIC: Method = Method::IsoflopCubic;
    const MSE: Method = Method::ParametricMse;

    /// A hold-out in which each method erred alike in every one of some tests.
    fn holdout(tests: usize, errors: &[(Method, f64)]) -> Holdout {
        let answer = |error: f64| Answer {
            n: 1e6 * error.exp(),
            ln_n_error: error,
            loss_error: -error / 10.0,
            regret: error.powi(2) / 8.0,
            outside: error.abs() > 2.0,
        };
        let test = Test {
            c: 1e20,
            n: 1e6,
            ln_n_se: 0.0,
            loss: 2.0,
            loss_se: 0.0,
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

    fn weighed(holdout: Option<&Holdout>) -> Weighed {
        weigh(&[CUBIC, MSE], None, holdout, 1e21, 2.0).unwrap()
    }

    #[test]
    fn without_anything_to_go_by_all_count_alike() {
        let found = weighed(None);
        assert_eq!(found.choice, Choice::Average);
        assert!((found.weights()[&CUBIC] - 0.5).abs() < 1e-12);
        assert!(found.reason.contains("too few budgets"), "{}", found.reason);
        assert!(weigh(&[], None, None, 1e21, 2.0).is_none());
    }

    #[test]
    fn the_method_that_did_better_leads_for_sizes_and_for_losses() {
        let found = weighed(Some(&holdout(4, &[(CUBIC, 0.05), (MSE, 1.0)])));
        assert_eq!(found.method, CUBIC);
        assert!(found.loss.weights[&CUBIC] > 0.6, "{found:?}");
        let asked = found.asking(MSE);
        assert_eq!((asked.method, asked.choice), (MSE, Choice::Asked));
        assert_eq!(asked.loss.weights, BTreeMap::from([(MSE, 1.0)]));
    }

    #[test]
    fn answers_outside_the_grid_and_missing_ones_have_no_weight() {
        for tests in [
            holdout(3, &[(CUBIC, 0.3), (MSE, 2.5)]),
            holdout(3, &[(CUBIC, 0.3)]),
        ] {
            let found = weighed(Some(&tests));
            assert_eq!((found.method, found.choice), (CUBIC, Choice::Winner));
            assert!(found.size.plausibility.keys().eq([&CUBIC]), "{found:?}");
        }
        // Where all failed, all are weighed.
        let all = weighed(Some(&holdout(3, &[(CUBIC, 2.6), (MSE, 2.5)])));
        assert_eq!(all.size.plausibility.len(), 2);
    }
}
