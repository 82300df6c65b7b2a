//! A forecast on paper: what the laws expect at budgets nobody has trained yet,
//! in a file that can be written before the runs that test it.

use std::path::Path;

use flops_fit_scaling::{AnalysisError, Options, Prediction, Recommendation, analyze};
use flops_fit_trial::{DocumentError, FORMAT, read_json, write_json};
use serde::{Deserialize, Serialize};

use super::analysis::{Analysis, Subject};
use super::note::{NoLaws, recommended};

/// Predictions and what they rest on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Version of this file.
    pub format: u32,
    /// What was swept.
    #[serde(flatten)]
    pub subject: Subject,
    /// Which methods were followed and why.
    pub recommended: Recommendation,
    /// Budgets behind them, ascending, in FLOPs as used.
    pub budgets: Vec<f64>,
    /// Runs behind them.
    pub runs: usize,
    /// One entry a target, in the order asked for.
    pub predictions: Vec<Prediction>,
}

/// Why there is no forecast.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ForecastError {
    /// There are no laws to extrapolate.
    #[error("{0}; see the notes of `flops-fit table`")]
    NoLaws(#[from] NoLaws),
    /// A target that is no budget.
    #[error(transparent)]
    Target(#[from] AnalysisError),
}

/// What the recommendation expects at each of `targets`, in FLOPs. Where the analysis was
/// of other targets, it is made again, of the same runs with the same options.
///
/// # Errors
/// When there are no laws, or a target is not a finite number above 0.
pub fn predict(analysis: &Analysis, targets: &[f64]) -> Result<Forecast, ForecastError> {
    let asked = &analysis.fits.options;
    let fits = if asked.targets == targets {
        analysis.fits.clone()
    } else {
        let options = Options {
            targets: targets.to_vec(),
            ..asked.clone()
        };
        analyze(&analysis.points, &options)?
    };
    Ok(Forecast {
        format: FORMAT,
        subject: analysis.subject.clone(),
        recommended: recommended(&fits)?.clone(),
        budgets: fits.budgets.iter().map(|budget| budget.c).collect(),
        runs: analysis.points.len() - fits.left_out.len(),
        predictions: fits.predictions,
    })
}

impl Forecast {
    /// Reads a forecast.
    ///
    /// # Errors
    /// When the file can't be read, is torn, or comes from a newer flops-fit.
    pub fn read(path: &Path) -> Result<Self, DocumentError> {
        read_json(path)
    }

    /// Writes it.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn write(&self, path: &Path) -> Result<(), DocumentError> {
        write_json(path, self)
    }
}
