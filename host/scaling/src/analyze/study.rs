//! Every method on one sample, and what it is asked for.

use std::collections::BTreeMap;

use super::AnalysisError;
use crate::analysis::{FAR, FittedMethod, MethodResult, Options, is_far};
use crate::bootstrap::{Draws, parallel};
use crate::ensemble::Member;
use crate::fit::{Fit, fit};
use crate::frontier::Frontier;
use crate::method::Method;
use crate::sample::Sample;
use crate::table;
use crate::unfit::Unfit;

/// Points of the frontier.
const FRONTIER: usize = 25;

/// A method's fit and its draws, or why it has none.
type Drawn<'s> = Result<(Fit<'s>, Draws), Unfit>;

/// Every method on one sample.
pub(super) struct Study<'s> {
    fits: Vec<(Method, Drawn<'s>)>,
    /// Smallest and largest budget in FLOPs as used; of the runs where they have none.
    pub(super) measured: (f64, f64),
    /// What is predicted.
    pub(super) targets: Vec<f64>,
    /// Targets so far away that some method's answer is no number.
    pub(super) unanswered: Vec<f64>,
}

impl<'s> Study<'s> {
    pub(super) fn of(sample: &'s Sample, options: &Options) -> Self {
        let bootstrap = &options.bootstrap;
        let measured = measured(sample);
        let targets = if options.targets.is_empty() && !sample.is_empty() {
            table::half_decades(measured, FAR)
        } else {
            options.targets.clone()
        };
        // Shared by three methods: made before several threads ask for it.
        sample.isoflop();
        let fits = parallel::map(Method::ALL.len(), bootstrap.threads, |index| {
            fit(Method::ALL[index], sample)
        });
        let fits: Vec<(Method, Drawn<'s>)> = Method::ALL
            .into_iter()
            .zip(fits)
            .map(|(method, fit)| {
                let answering = fit.and_then(|fit| {
                    let answers = is_answer(&fit, measured.0) && is_answer(&fit, measured.1);
                    answers.then_some(fit).ok_or(Unfit::NoOptimum)
                });
                let drawn = answering.map(|fit| {
                    let draws = bootstrap.run(&fit);
                    (fit, draws)
                });
                (method, drawn)
            })
            .collect();
        let laws = || fits.iter().filter_map(|(_, drawn)| drawn.as_ref().ok());
        let (targets, unanswered) = targets
            .into_iter()
            .partition(|c| laws().all(|(fit, _)| is_answer(fit, *c)));
        Self {
            fits,
            measured,
            targets,
            unanswered,
        }
    }

    pub(super) fn members(&self) -> Vec<Member<'_, 's>> {
        let fitted = self
            .fits
            .iter()
            .filter_map(|(_, result)| result.as_ref().ok());
        fitted.map(|(fit, draws)| Member { fit, draws }).collect()
    }

    /// # Errors
    /// Why `method` has no law.
    pub(super) fn law_of(&self, method: Method) -> Result<(), AnalysisError> {
        let mut fits = self.fits.iter();
        match fits.find(|(other, _)| *other == method) {
            Some((_, Err(unfit))) => Err(AnalysisError::NoLaw {
                method,
                unfit: unfit.clone(),
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn results(&self, runs: usize) -> BTreeMap<Method, MethodResult> {
        let result = |result: &Result<(Fit<'s>, Draws), Unfit>| match result {
            Ok((fit, draws)) => MethodResult::Fitted(Box::new(FittedMethod::new(
                fit,
                draws,
                runs,
                self.measured,
                &self.targets,
                &self.frontier(),
            ))),
            Err(unfit) => MethodResult::Unfit {
                unfit: unfit.clone(),
            },
        };
        let all = self.fits.iter();
        all.map(|(method, found)| (*method, result(found)))
            .collect()
    }

    /// The largest target that is not too far; the largest budget where all are.
    pub(super) fn farthest(&self) -> Option<f64> {
        let near = self.targets.iter().copied();
        let near = near.filter(|c| !is_far(*c, self.measured));
        near.max_by(f64::total_cmp)
            .or(Some(self.measured.1))
            .filter(|c| c.is_finite() && *c > 0.0)
    }

    /// Compute from below the smallest budget to beyond the largest and all targets.
    pub(super) fn frontier(&self) -> Vec<f64> {
        let (first, last) = self.measured;
        let ends = self
            .targets
            .iter()
            .copied()
            .fold((first / 1.5, last * 1.5), |(low, high), c| {
                (low.min(c), high.max(c))
            });
        if ends.0 > 0.0 && ends.1.is_finite() && ends.0 < ends.1 {
            table::even(ends, FRONTIER)
        } else {
            Vec::new()
        }
    }
}

/// Smallest and largest budget in FLOPs as used, or compute of a run where C is
/// scattered; nothing sensible without runs.
fn measured(sample: &Sample) -> (f64, f64) {
    let runs = sample.ln_c.iter().map(|ln_c| ln_c.exp());
    let computes: Vec<f64> = match sample.budgets().len() {
        0 => runs.collect(),
        _ => sample.budgets().collect(),
    };
    computes
        .into_iter()
        .fold((f64::INFINITY, 0.0), |(low, high), c| {
            (low.min(c), high.max(c))
        })
}

/// Whether the law's optimum at `c` FLOPs is made of numbers.
fn is_answer(fit: &Fit<'_>, c: f64) -> bool {
    let optimum = fit.optimum(c);
    [optimum.n, optimum.d, optimum.loss]
        .into_iter()
        .all(|value| value.is_finite() && value > 0.0)
}
