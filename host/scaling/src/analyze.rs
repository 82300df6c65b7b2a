//! From finished runs to laws and predictions.

mod around;
mod study;

use std::collections::BTreeMap;

use crate::analysis::{Analysis, BootstrapReport, Disagreement, Options, Prediction, SCHEMA};
use crate::bootstrap::Cloud;
use crate::canonical;
use crate::design::{Size, next_run};
use crate::ensemble::{Ensemble, Member};
use crate::fit::Fit;
use crate::frontier::Frontier;
use crate::holdout::Holdout;
use crate::median::median;
use crate::method::Method;
use crate::quality::{self, Flag, Screened};
use crate::run::{Run, RunError};
use crate::sample::Sample;
use crate::selection::{Rehearsal, weigh};
use crate::unfit::Unfit;

use around::Around;
use study::Study;

/// How far beyond the largest budget methods are compared.
const DECADE: f64 = 10.0;

/// Runs or options that can't be analysed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AnalysisError {
    /// Nothing to fit.
    #[error("no finished runs to fit; train some, or check that their losses were read")]
    NoRuns,
    /// A run with an impossible number.
    #[error(transparent)]
    InvalidRun(#[from] RunError),
    /// A target that is no budget.
    #[error("target budget {found}: expected a finite number of FLOPs above 0")]
    InvalidTarget {
        /// What was given.
        found: f64,
    },
    /// A method that was asked for and has no law.
    #[error("{method} was asked for and has no law: {unfit}")]
    NoLaw {
        /// The method.
        method: Method,
        /// Why.
        unfit: Unfit,
    },
    /// A limit on repeats that leaves nothing.
    #[error("limit of {found} passes over the data: expected a number above 0")]
    InvalidRepeatLimit {
        /// What was given.
        found: f64,
    },
}

/// Screens the runs, fits every method, puts intervals on what it says, tests it by
/// hold-out, and joins the methods into one recommendation.
///
/// A method without a law stays in the result with the reason. With no law at all
/// there is no recommendation and `predictions` is empty.
///
/// # Errors
/// [`AnalysisError`] when there is no run, an option makes no sense, or, without
/// quality checks, a number of a run is not finite and positive.
pub fn analyze(runs: &[Run], options: &Options) -> Result<Analysis, AnalysisError> {
    analyze_sweep(runs, options, &[])
}

/// The same with advice that keeps to `sizes`, those that can be trained; without any
/// it takes every size.
///
/// # Errors
/// As [`analyze`].
pub fn analyze_sweep(
    runs: &[Run],
    options: &Options,
    sizes: &[Size],
) -> Result<Analysis, AnalysisError> {
    let mut analysis = answer(runs, options, Extent::Whole)?;
    analysis.advice = next_run(&analysis, runs, sizes);
    Ok(analysis)
}

/// How much of an analysis is made: all of it costs several times its predictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Extent {
    /// Predictions at the targets and what is followed.
    Predictions,
    /// Every method's own answer too, and what is only drawn.
    Answer,
    /// What stands beside the answer too.
    Whole,
}

/// The analysis without advice.
pub(crate) fn answer(
    runs: &[Run],
    options: &Options,
    extent: Extent,
) -> Result<Analysis, AnalysisError> {
    check(runs, options)?;
    let screened = quality::screen(runs, options.checks())?;
    let sample = Sample::of(&canonical::sorted(&screened.kept))?;
    let study = Study::of(&sample, options);
    let members = study.members();
    let methods: Vec<Method> = members.iter().map(|member| member.fit.method()).collect();
    let holdout = Holdout::run(&sample, &methods, options.bootstrap.threads);
    let fits: Vec<&Fit<'_>> = members.iter().map(|member| member.fit).collect();
    let rehearsal = Rehearsal::run(&fits, &options.bootstrap);
    let beyond = DECADE * study.measured.1;
    let loss = median(fits.iter().map(|fit| fit.optimum(beyond).loss)).unwrap_or(f64::NAN);
    let mut weighed = weigh(&methods, rehearsal.as_ref(), holdout.as_ref(), beyond, loss);
    if let Some(method) = options.method {
        study.law_of(method)?;
        weighed = weighed.map(|weighed| weighed.asking(method));
    }
    let ensemble = weighed
        .as_ref()
        .map(|weighed| Ensemble::new(&members, weighed, rehearsal.as_ref()));
    let predict = |targets: &[f64]| -> Vec<Prediction> {
        let at = |c: &f64| Some(ensemble.as_ref()?.predict(*c, study.measured));
        targets.iter().filter_map(at).collect()
    };
    let predictions = predict(&study.targets);
    let is_answer = extent >= Extent::Answer;
    let frontier = if is_answer {
        predict(&study.frontier())
    } else {
        Vec::new()
    };
    let farthest = study.farthest().filter(|_| is_answer);
    let found = farthest.zip(ensemble.as_ref());
    let whole = extent == Extent::Whole;
    let asked = found.zip(weighed.as_ref()).filter(|_| whole);
    let around = asked.map_or_else(Around::default, |((c, ensemble), weighed)| {
        let followed = (weighed.method, weighed.weights());
        let at = ensemble.predict(c, study.measured);
        Around::of(&at, &members, followed, runs, &screened, options)
    });
    let Screened {
        left_out,
        mut flags,
        ..
    } = screened;
    flags.extend(quality::hardly_bent(sample.isoflop()));
    flags.extend(study.unanswered.iter().map(|&c| Flag::Unanswered { c }));
    Ok(Analysis {
        schema: SCHEMA,
        options: options.clone(),
        runs: runs.len(),
        left_out,
        flags,
        noise: sample.isoflop().noise,
        budgets: sample.isoflop().budgets.clone(),
        methods: if is_answer {
            study.results(runs.len())
        } else {
            BTreeMap::new()
        },
        holdout,
        recommended: ensemble
            .as_ref()
            .map(|ensemble| ensemble.recommendation(study.measured)),
        predictions,
        frontier,
        disagreement: found
            .and_then(|(c, ensemble)| disagreement(&ensemble.predict(c, study.measured), &members)),
        bootstrap: BootstrapReport {
            scheme: options.bootstrap.scheme,
            draws: options.bootstrap.draws,
            seed: options.bootstrap.seed,
            cloud: farthest.filter(|_| !members.is_empty()).map(|c| {
                let draws = members.iter();
                Cloud::of(c, draws.map(|member| (member.fit.method(), member.draws)))
            }),
        },
        detours: around.detours,
        influence: around.influence,
        conventions: around.conventions,
        advice: None,
    })
}

fn check(runs: &[Run], options: &Options) -> Result<(), AnalysisError> {
    if runs.is_empty() {
        return Err(AnalysisError::NoRuns);
    }
    let is_budget = |c: &&f64| !(c.is_finite() && **c > 0.0);
    if let Some(&found) = options.targets.iter().find(is_budget) {
        return Err(AnalysisError::InvalidTarget { found });
    }
    let is_limit = |limit: &f64| limit.is_nan() || *limit <= 0.0;
    if let Some(found) = options.max_repeats.filter(is_limit) {
        return Err(AnalysisError::InvalidRepeatLimit { found });
    }
    Ok(())
}

/// The methods' N* beside one another at a prediction's compute.
fn disagreement(at: &Prediction, members: &[Member<'_, '_>]) -> Option<Disagreement> {
    let said = || {
        let said = members
            .iter()
            .map(|m| (m.fit.method(), m.fit.optimum(at.c).n));
        said.filter(|(_, n)| n.is_finite())
    };
    let lowest = said().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let highest = said().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let interval = at.unwidened.map(|bounds| bounds.n);
    (lowest.0 != highest.0).then(|| Disagreement {
        c: at.c,
        lowest,
        highest,
        interval,
        exceeds: interval.is_some_and(|[low, high]| lowest.1 < low || highest.1 > high),
    })
}
