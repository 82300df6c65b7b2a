//! `analysis.json`: everything that the finished runs say.
//!
//! The file holds the fits of [`flops_fit_scaling`] together with the runs they
//! were made from, so that the table, the plots and predictions need it alone.

use std::path::Path;

use flops_fit_scaling::{self as scaling, AnalysisError, Run};
use flops_fit_trial::{DocumentError, FORMAT, read_json, write_json};
use serde::{Deserialize, Serialize};

use super::note::{self, Note};
use super::runs::{Row, Status};

/// What the sweep is called and counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Name of the sweep.
    pub sweep: String,
    /// What D counts, in the plural: `tokens` or `images`.
    pub unit: String,
}

/// How many rows there are of each status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Trained and evaluated.
    pub completed: usize,
    /// Failed.
    pub failed: usize,
    /// Diverged.
    pub diverged: usize,
    /// Sizes that the plan left out.
    pub skipped: usize,
    /// Not trained yet.
    pub pending: usize,
}

impl Tally {
    fn of(rows: &[Row]) -> Self {
        let mut tally = Self::default();
        for row in rows {
            *match row.status {
                Status::Completed => &mut tally.completed,
                Status::Failed => &mut tally.failed,
                Status::Diverged => &mut tally.diverged,
                Status::Skipped => &mut tally.skipped,
                Status::Pending => &mut tally.pending,
            } += 1;
        }
        tally
    }
}

/// The contents of `analysis.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// Version of this file.
    pub format: u32,
    /// What was swept.
    #[serde(flatten)]
    pub subject: Subject,
    /// How the trials ended.
    pub trials: Tally,
    /// The runs that were analysed, in the order that positions in `fits` mean.
    pub points: Vec<Run>,
    /// Curves, laws and predictions.
    #[serde(flatten)]
    pub fits: scaling::Analysis,
    /// What a reader should know before trusting the numbers.
    pub notes: Vec<Note>,
}

impl Analysis {
    /// Fits the completed rows.
    ///
    /// # Errors
    /// When no row is completed, or a number in one can't be fitted.
    pub fn of(
        rows: &[Row],
        subject: Subject,
        options: &scaling::Options,
    ) -> Result<Self, AnalysisError> {
        let points: Vec<Run> = rows.iter().filter_map(Row::to_run).collect();
        let fits = scaling::analyze(&points, options)?;
        let trials = Tally::of(rows);
        let notes = note::all(&trials, &points, &fits);
        Ok(Self {
            format: FORMAT,
            subject,
            trials,
            points,
            fits,
            notes,
        })
    }

    /// Reads an `analysis.json`.
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

    /// `tokens per parameter`, in the sweep's own unit.
    pub fn ratio_name(&self) -> String {
        format!("{} per parameter", self.subject.unit)
    }
}

#[cfg(test)]
mod tests;
