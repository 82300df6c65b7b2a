//! The curve of a budget that was left out, as a judge of what was foretold.

use std::collections::BTreeMap;

use super::{Answer, Test};
use crate::frontier::Optimum;
use crate::isoflop::{BudgetFit, Curve, Minimum};

/// A budget's own curve and its minimum.
pub(super) struct Judge<'a> {
    c: f64,
    curve: &'a Curve,
    minimum: &'a Minimum,
}

impl<'a> Judge<'a> {
    /// The judge of a budget; `None` without a minimum that counts.
    pub(super) fn of(budget: &'a BudgetFit) -> Option<Self> {
        let minimum = budget.outcome.minimum()?;
        Some(Self {
            c: budget.c,
            curve: &budget.fit(minimum.method)?.curve,
            minimum,
        })
    }

    /// FLOPs as used.
    pub(super) fn c(&self) -> f64 {
        self.c
    }

    /// The budget as a test without answers.
    pub(super) fn test(&self) -> Test {
        Test {
            c: self.c,
            n: self.minimum.n.estimate,
            ln_n_se: self.minimum.ln_n_se,
            loss: self.minimum.loss.estimate,
            loss_se: self.minimum.loss_se,
            methods: BTreeMap::new(),
        }
    }

    /// What to think of an optimum that was foretold for this budget; `None` where it
    /// is not made of numbers.
    pub(super) fn answer(&self, foretold: &Optimum) -> Option<Answer> {
        let n = foretold.n;
        let ln_n_error = (n / self.minimum.n.estimate).ln();
        let loss_error = foretold.loss - self.minimum.loss.estimate;
        let regret = self.regret(n);
        let is_answer = [ln_n_error, loss_error, regret]
            .into_iter()
            .all(f64::is_finite);
        is_answer.then_some(Answer {
            n,
            ln_n_error,
            loss_error,
            regret,
            outside: !(self.curve.range().0..=self.curve.range().1).contains(&n),
        })
    }

    fn regret(&self, n: f64) -> f64 {
        let u = (n.ln() - self.curve.center) / self.curve.half_width;
        let end = u.clamp(-1.0, 1.0);
        let beyond = (u - end).abs();
        // A cubic may turn down again before its end: no reward for that.
        let rise = (self.curve.derivative(end, 1) * end.signum()).max(0.0);
        let bend = self.minimum.curvature.estimate * self.curve.half_width.powi(2);
        let at_end = self.curve.derivative(end, 0) - self.minimum.loss.estimate;
        (at_end + rise * beyond + bend * beyond.powi(2) / 2.0).max(0.0)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use crate::run::Run;
    use crate::sample::Sample;

    use super::*;

    /// One budget whose losses are 2 + (ln N − ln 1e6)²/8.
    fn sample() -> Sample {
        let runs: Vec<Run> = (-3..=3)
            .map(|i| {
                let n = 1e6 * (0.7 * f64::from(i)).exp();
                let loss = 2.0 + (n / 1e6).ln().powi(2) / 8.0 + 1e-9 * f64::from(i % 2);
                Run::new(n, 1e18 / (6.0 * n), 1e18, loss)
            })
            .collect();
        Sample::new(&runs).unwrap()
    }

    fn optimum(n: f64) -> Optimum {
        Optimum {
            c: 1e18,
            n,
            d: 1e18 / (6.0 * n),
            loss: 2.5,
        }
    }

    #[test]
    fn regret_is_read_off_the_curve_and_goes_on_beyond_it() {
        let sample = sample();
        let judge = Judge::of(&sample.isoflop().budgets[0]).unwrap();
        for (ln_ratio, outside) in [
            (0.0, false),
            (1.0, false),
            (-2.0, false),
            (3.0, true),
            (-4.0, true),
        ] {
            let answer = judge.answer(&optimum(1e6 * f64::exp(ln_ratio))).unwrap();
            assert!(
                (answer.regret - ln_ratio * ln_ratio / 8.0).abs() < 1e-6,
                "{answer:?}"
            );
            assert!((answer.ln_n_error - ln_ratio).abs() < 1e-6);
            assert!((answer.loss_error - 0.5).abs() < 1e-6, "{answer:?}");
            assert_eq!(answer.outside, outside);
        }
        assert_eq!(judge.answer(&optimum(f64::NAN)), None);
        assert_eq!(judge.answer(&optimum(f64::INFINITY)), None);
    }
}
