//! From finished runs to laws and predictions, in one serialisable value.

use serde::{Deserialize, Serialize};

use crate::isoflop::{BudgetFit, Isoflop, Method, Minimum, Noise};
use crate::laws::{Laws, Prediction};
use crate::quality::{self, Checks, Flag, LeftOut, MAX_REPEATS, Screened};
use crate::run::{Run, RunError};
use crate::sample::Sample;
use crate::table;

/// What to analyse and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// Runs that saw their data more often are left out; `None` keeps all.
    pub max_repeats: Option<f64>,
    /// Whether doubtful runs are left out, each with its reason; without checks
    /// every row is fitted as given, repeats included.
    pub quality_checks: bool,
    /// Budgets to predict, in FLOPs; empty for half decades from the smallest
    /// measured budget to two decades beyond the largest.
    pub targets: Vec<f64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_repeats: Some(MAX_REPEATS),
            quality_checks: true,
            targets: Vec::new(),
        }
    }
}

/// Everything that the runs say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// Runs that were given.
    pub runs: usize,
    /// Runs that no fit uses, and why.
    pub left_out: Vec<LeftOut>,
    /// What is kept and doubtful.
    #[serde(default)]
    pub flags: Vec<Flag>,
    /// Spread of a run around its budget's curve.
    pub noise: Option<Noise>,
    /// One entry a budget, smallest first, with every curve fitted to it.
    pub budgets: Vec<BudgetFit>,
    /// Laws by each estimator that found minima at two or more budgets; the
    /// default estimator first.
    pub estimates: Vec<Estimate>,
}

impl Analysis {
    /// The estimate to follow, where there is one.
    pub fn recommended(&self) -> Option<&Estimate> {
        self.estimates.first()
    }

    /// The estimate by one estimator.
    pub fn estimate(&self, estimator: Estimator) -> Option<&Estimate> {
        self.estimates.iter().find(|e| e.estimator == estimator)
    }
}

/// One way from runs to laws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimator {
    /// `IsoFLOP` minima, at each budget from the cubic where it has one, else from
    /// the parabola.
    Isoflop,
    /// `IsoFLOP` minima by cubics alone.
    IsoflopCubic,
    /// `IsoFLOP` minima by parabolas alone: the classic estimator, biased where
    /// the loss depends on N and D with different exponents.
    IsoflopParabola,
    /// `IsoFLOP` minima by parabolas through the sizes near each minimum.
    IsoflopWindowed,
}

impl Estimator {
    const ALL: [Self; 4] = [
        Self::Isoflop,
        Self::IsoflopCubic,
        Self::IsoflopParabola,
        Self::IsoflopWindowed,
    ];

    fn minimum(self, fit: &BudgetFit) -> Option<&Minimum> {
        let by = |method| fit.fit(method).and_then(|curve| curve.outcome.minimum());
        match self {
            Self::Isoflop => fit.outcome.minimum(),
            Self::IsoflopCubic => by(Method::Cubic),
            Self::IsoflopParabola => by(Method::Parabola),
            // Where all sizes are near the minimum the window is the whole curve.
            Self::IsoflopWindowed => by(Method::WindowedParabola).or_else(|| by(Method::Parabola)),
        }
    }
}

/// Laws by one estimator and what they predict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// How the laws were found.
    pub estimator: Estimator,
    /// The laws.
    pub laws: Laws,
    /// Predictions at the target budgets.
    pub predictions: Vec<Prediction>,
}

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
    /// A limit on repeats that leaves nothing.
    #[error("limit of {found} passes over the data: expected a number above 0")]
    InvalidRepeatLimit {
        /// What was given.
        found: f64,
    },
}

/// Groups the runs into budgets, fits every curve and law, and predicts.
///
/// Budgets without a minimum that counts stay in the result with their diagnosis
/// and are left out of the laws; with fewer than two minima there are no laws and
/// `estimates` is empty.
///
/// # Errors
/// [`AnalysisError`] when there is no run, an option makes no sense, or, without
/// quality checks, a number of a run is not finite and positive.
pub fn analyze(runs: &[Run], options: &Options) -> Result<Analysis, AnalysisError> {
    if runs.is_empty() {
        return Err(AnalysisError::NoRuns);
    }
    if let Some(&found) = options
        .targets
        .iter()
        .find(|c| !(c.is_finite() && **c > 0.0))
    {
        return Err(AnalysisError::InvalidTarget { found });
    }
    if let Some(found) = options
        .max_repeats
        .filter(|limit| limit.is_nan() || *limit <= 0.0)
    {
        return Err(AnalysisError::InvalidRepeatLimit { found });
    }
    let checks = Checks {
        enabled: options.quality_checks,
        max_repeats: options.max_repeats,
    };
    let Screened {
        kept,
        left_out,
        flags,
    } = quality::screen(runs, checks)?;
    let Isoflop { noise, budgets, .. } = Sample::of(&kept)?.isoflop().clone();
    let estimates = Estimator::ALL
        .into_iter()
        .filter_map(|estimator| {
            let minima: Vec<(f64, &Minimum)> = budgets
                .iter()
                .filter_map(|fit| Some((fit.c, estimator.minimum(fit)?)))
                .collect();
            let laws = Laws::fit(&minima, noise.as_ref()?)?;
            let predictions = if options.targets.is_empty() {
                table::rows(&laws, crate::laws::FAR)
            } else {
                table::rows_at(&laws, &options.targets)
            };
            Some(Estimate {
                estimator,
                laws,
                predictions,
            })
        })
        .collect();
    Ok(Analysis {
        runs: runs.len(),
        left_out,
        flags,
        noise,
        budgets,
        estimates,
    })
}
