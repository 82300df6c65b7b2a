//! Rolling hold-out: would a method have foretold the largest budgets?
//!
//! The largest budget is left out, then the two largest, and so on while enough
//! remain to fit laws, up to twenty. Every method is fitted to what remains and asked for N* at
//! each budget left out. The judge is a curve through that budget's own runs, the
//! one whose minimum counts there: the **regret** is the curve's loss at the N that
//! the method recommends less its lowest loss, and the other score is the error in
//! ln N*.

mod judge;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use crate::bootstrap::parallel;
use crate::fit::fit;
use crate::frontier::Frontier;
use crate::method::Method;
use crate::sample::Sample;

use judge::Judge;

/// Fewest budgets that laws are fitted to.
const FEWEST: usize = 2;
/// The same where there are two more: laws of two budgets say little of those of five.
const ENOUGH: usize = 3;
/// Most rounds: what the smallest of many budgets say of the largest tells little.
const ROUNDS: usize = 20;

/// How well each method foretold the largest budgets from the smaller ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Holdout {
    /// One entry for each number of budgets left out, fewest first.
    pub rounds: Vec<Round>,
    /// The scores of every method that was fitted in some round.
    pub scores: BTreeMap<Method, Score>,
}

/// What the laws of some budgets say about the larger ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// The budgets that were fitted, in FLOPs as used.
    pub fitted: Vec<f64>,
    /// The budgets left out that have a minimum to compare with.
    pub tests: Vec<Test>,
}

/// One budget that was left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// FLOPs as used.
    pub c: f64,
    /// N at the minimum of the budget's own curve.
    pub n: f64,
    /// Standard error of that ln N.
    pub ln_n_se: f64,
    /// Loss at that minimum.
    pub loss: f64,
    /// Its standard error.
    pub loss_se: f64,
    /// What each method said; methods without a law in this round are missing.
    pub methods: BTreeMap<Method, Answer>,
}

/// What one method said about a budget that it had not seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Its N*.
    pub n: f64,
    /// ln of that over N at the minimum of the budget's own curve.
    pub ln_n_error: f64,
    /// Its L* less the loss at that minimum.
    pub loss_error: f64,
    /// Loss at its N* less the lowest loss, both on the budget's own curve, which is
    /// continued beyond its ends by the parabola of its minimum's curvature.
    pub regret: f64,
    /// Whether its N* lies outside the sizes that were trained there.
    pub outside: bool,
}

/// One method over all tests.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Tests that it answered.
    pub tests: usize,
    /// Tests of rounds in which it had no law.
    pub missed: usize,
    /// Answers outside the sizes that were trained.
    pub outside: usize,
    /// Mean regret, in units of the loss.
    pub regret: f64,
    /// Root mean square of the error in ln N*.
    pub ln_n_error: f64,
    /// Root mean square of the error in L*.
    pub loss_error: f64,
}

impl Holdout {
    /// Leaves out budget after budget; `None` where that leaves too few, or no
    /// budget left out has a minimum to compare with.
    pub(crate) fn run(
        sample: &Sample,
        methods: &[Method],
        threads: Option<NonZeroUsize>,
    ) -> Option<Self> {
        let judges: Vec<Option<Judge>> = sample.isoflop().budgets.iter().map(Judge::of).collect();
        let budgets: Vec<f64> = sample.budgets().collect();
        let is_many = budgets.len() >= ENOUGH + 2;
        let enough = if is_many { ENOUGH } else { FEWEST };
        let first = enough.max(budgets.len().saturating_sub(ROUNDS));
        let mut rounds: Vec<Round> = (first..budgets.len())
            .rev()
            .map(|kept| Round {
                fitted: budgets[..kept].to_vec(),
                tests: judges[kept..].iter().flatten().map(Judge::test).collect(),
            })
            .filter(|round| !round.tests.is_empty())
            .collect();
        let subsets: Vec<Sample> = rounds
            .iter()
            .map(|round| up_to(sample, round.fitted.len()))
            .collect();
        let answers = parallel::map(rounds.len() * methods.len(), threads, |index| {
            let (round, method) = (index / methods.len(), methods[index % methods.len()]);
            let fit = fit(method, &subsets[round]).ok()?;
            let of = |judge: &Judge| judge.answer(&fit.optimum(judge.c()));
            let kept = rounds[round].fitted.len();
            Some(judges[kept..].iter().flatten().map(of).collect::<Vec<_>>())
        });
        for (index, answers) in answers.into_iter().enumerate() {
            let method = methods[index % methods.len()];
            let tests = &mut rounds[index / methods.len()].tests;
            for (test, answer) in tests.iter_mut().zip(answers.into_iter().flatten()) {
                if let Some(answer) = answer {
                    test.methods.insert(method, answer);
                }
            }
        }
        Self::of(rounds)
    }

    /// The scores of all rounds; `None` where no method answered.
    pub(crate) fn of(rounds: Vec<Round>) -> Option<Self> {
        let scores: BTreeMap<Method, Score> = Method::ALL
            .into_iter()
            .filter_map(|method| Some((method, Score::of(method, &rounds)?)))
            .collect();
        (!scores.is_empty()).then_some(Self { rounds, scores })
    }

    /// Tests in all rounds.
    pub fn tests(&self) -> impl Iterator<Item = &Test> {
        self.rounds.iter().flat_map(|round| &round.tests)
    }
}

/// The runs of the `kept` smallest budgets, and those between them.
fn up_to(sample: &Sample, kept: usize) -> Sample {
    let largest = sample.budgets[..kept]
        .iter()
        .flat_map(|budget| &budget.rows)
        .map(|&row| sample.ln_c[row])
        .fold(f64::NEG_INFINITY, f64::max);
    sample.subset(|row| match sample.budget[row] {
        Some(budget) => budget < kept,
        None => sample.ln_c[row] <= largest,
    })
}

impl Score {
    fn of(method: Method, rounds: &[Round]) -> Option<Self> {
        let tests = || rounds.iter().flat_map(|round| &round.tests);
        let answers: Vec<&Answer> = tests()
            .filter_map(|test| test.methods.get(&method))
            .collect();
        if answers.is_empty() {
            return None;
        }
        let count = answers.len() as f64;
        let root_mean_square = |error: fn(&Answer) -> f64| {
            let squares: f64 = answers.iter().map(|&answer| error(answer).powi(2)).sum();
            (squares / count).sqrt()
        };
        Some(Self {
            tests: answers.len(),
            missed: tests().count() - answers.len(),
            outside: answers.iter().filter(|answer| answer.outside).count(),
            regret: answers.iter().map(|answer| answer.regret).sum::<f64>() / count,
            ln_n_error: root_mean_square(|answer| answer.ln_n_error),
            loss_error: root_mean_square(|answer| answer.loss_error),
        })
    }
}
