//! What a search has found.

use std::{fmt, path::PathBuf};

use flops_fit_scaling::Prediction;

use crate::{
    manifest::Manifest,
    output::Output,
    plan::{self, Estimate, Plan, Prepared},
    report::{
        self, Analysis, ForecastError, ReportError,
        runs::{self, Row},
    },
    sweep::Tally,
};

/// A plan, and what came of it.
#[derive(Debug)]
pub struct Outcome {
    prepared: Prepared,
    estimate: Estimate,
    answer: Answer,
}

/// What came of a plan.
#[derive(Debug)]
pub enum Answer {
    /// It was to be a plan only.
    Planned,
    /// The search was stopped; the next one goes on.
    Interrupted(Tally),
    /// Trained, but no law can be fitted.
    Unfitted(Tally, ReportError),
    /// Trained and fitted.
    Fitted(Tally, Box<Analysis>),
}

/// Why there are no laws.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// Only a plan was asked for.
    #[error("this is a plan; run the search without `plan_only` to have it trained")]
    Planned,
    /// It was stopped.
    #[error("the search was interrupted; run it again to go on")]
    Interrupted,
    /// No law can be fitted.
    #[error("{reason}")]
    Unfitted {
        /// Why not.
        reason: String,
    },
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutcomeError {
    /// There are no laws to answer from.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// The laws don't reach there.
    #[error(transparent)]
    Forecast(#[from] ForecastError),
    /// A figure or file can't be made.
    #[error(transparent)]
    Report(#[from] ReportError),
}

impl Outcome {
    pub(super) fn new(prepared: Prepared, manifest: &Manifest, answer: Answer) -> Self {
        Self {
            estimate: prepared.estimate(manifest),
            prepared,
            answer,
        }
    }

    /// The grid.
    pub fn plan(&self) -> &Plan {
        &self.prepared.plan
    }

    /// What is still to be trained, and how long that is likely to take.
    pub fn estimate(&self) -> Estimate {
        self.estimate
    }

    /// Where everything is written.
    pub fn output(&self) -> &Output {
        &self.prepared.output
    }

    /// What came of the plan.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// What became of the trials, if any were to be trained.
    pub fn tally(&self) -> Option<&Tally> {
        match &self.answer {
            Answer::Planned => None,
            Answer::Interrupted(tally) | Answer::Unfitted(tally, _) | Answer::Fitted(tally, _) => {
                Some(tally)
            }
        }
    }

    /// Everything that the runs say.
    ///
    /// # Errors
    /// [`NoAnswer`] where there are no laws.
    pub fn analysis(&self) -> Result<&Analysis, NoAnswer> {
        match &self.answer {
            Answer::Fitted(_, analysis) => Ok(analysis),
            Answer::Planned => Err(NoAnswer::Planned),
            Answer::Interrupted(_) => Err(NoAnswer::Interrupted),
            Answer::Unfitted(_, error) => Err(NoAnswer::Unfitted {
                reason: error.to_string(),
            }),
        }
    }

    /// One row a trial, in the order of the plan, as the trials' folders have them now.
    pub fn runs(&self) -> Vec<Row> {
        runs::collect(self.output(), self.plan())
    }

    /// The compute-optimal N, D and loss at each budget of `analysis.targets`, with
    /// 95 % intervals. Empty where runs could be read but no law carries them to other
    /// budgets.
    ///
    /// # Errors
    /// [`NoAnswer`] where there are no laws.
    pub fn chinchilla_table(&self) -> Result<&[Prediction], NoAnswer> {
        Ok(&self.analysis()?.fits.predictions)
    }

    /// The same at `c` FLOPs, whether trained at or not.
    ///
    /// # Errors
    /// [`OutcomeError`] where there are no laws, or `c` is no number above 0.
    pub fn predict(&self, c: f64) -> Result<Prediction, OutcomeError> {
        let forecast = report::predict(self.analysis()?, &[c])?;
        Ok(forecast.predictions[0].clone())
    }

    /// Draws the figures and `report.html`; returns the files, the report first.
    ///
    /// # Errors
    /// [`OutcomeError`] where there are no laws, or a file can't be written.
    pub fn plot(&self) -> Result<Vec<PathBuf>, OutcomeError> {
        Ok(report::visualize(self.output(), self.analysis()?)?)
    }
}

/// The plan, or the tables.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = || plan::render(self.plan(), &self.estimate, None, self.output());
        match &self.answer {
            Answer::Planned => f.write_str(&plan()),
            Answer::Fitted(_, analysis) => {
                f.write_str(&report::render(analysis, report::Format::Text))
            }
            Answer::Interrupted(_) | Answer::Unfitted(..) => match self.analysis() {
                Err(error) => write!(f, "{}\n{error}", plan()),
                Ok(_) => Ok(()),
            },
        }
    }
}
