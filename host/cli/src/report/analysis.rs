//! `analysis.json`: everything that the finished runs say.
//!
//! The file holds the fits of [`flops_fit_scaling`] together with the runs they
//! were made from, so that the table, the plots and predictions need it alone.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use flops_fit_scaling::analysis::SCHEMA;
use flops_fit_scaling::batch::{Batch, EXPONENT};
use flops_fit_scaling::design::Size;
use flops_fit_scaling::{self as scaling, AnalysisError, Run, quantity};
use flops_fit_trial::{DocumentError, parse_json, parse_sealed, read_document, write_sealed};
use serde::{Deserialize, Serialize};

use super::note::{self, Note};
use super::runs::{Row, Status};
use crate::plan::PlannedTuning;

/// What the sweep is called and counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Name of the sweep.
    pub sweep: String,
    /// What D counts, in the plural: `tokens` or `images`.
    pub unit: String,
}

/// How many rows there are of each status, without those that tune the learning rate: of
/// these some are meant to diverge.
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
        for row in rows.iter().filter(|row| !row.tuning) {
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

/// Why an `analysis.json` could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system said no, or a newer flops-fit has written it.
    #[error(transparent)]
    Document(DocumentError),
    /// It is torn, or something else.
    #[error("{} is not a file that flops-fit wrote: {source}; {AGAIN}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Where the parser stopped.
        source: serde_json::Error,
    },
    /// Something has changed it since.
    #[error("{} is not as flops-fit wrote it: {why}; {AGAIN}", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
        /// What gives it away.
        why: &'static str,
    },
    /// Another version of flops-fit wrote it.
    #[error("{}: its schema is {found}, this flops-fit reads {SCHEMA}; {AGAIN}", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its schema; 1 where it names none.
        found: u32,
    },
}

/// What mends it in any case.
const AGAIN: &str = "run `flops-fit analyze` on the runs again";

impl From<DocumentError> for ReadError {
    fn from(error: DocumentError) -> Self {
        match error {
            DocumentError::Foreign { path, source } => Self::Foreign { path, source },
            DocumentError::Altered { path, why } => Self::Altered { path, why },
            error => Self::Document(error),
        }
    }
}

/// What is read of a file before the rest.
#[derive(Deserialize)]
struct Head {
    schema: Option<u32>,
}

/// The contents of `analysis.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// What was swept.
    #[serde(flatten)]
    pub subject: Subject,
    /// Version of this file, curves, laws and predictions.
    #[serde(flatten)]
    pub fits: scaling::Analysis,
    /// How the trials ended.
    pub trials: Tally,
    /// The runs that were analysed, in the order that positions in `fits` mean.
    pub points: Vec<Run>,
    /// How the learning rate was tuned, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<PlannedTuning>,
    /// How the batch grew with D, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Batch>,
    /// What a reader should know before trusting the numbers.
    pub notes: Vec<Note>,
}

impl Analysis {
    /// Fits the completed rows.
    ///
    /// # Errors
    /// When no row is completed, or, without quality checks, a number in one can't
    /// be fitted.
    pub fn of(
        rows: &[Row],
        subject: Subject,
        options: &scaling::Options,
    ) -> Result<Self, AnalysisError> {
        Self::of_sweep(rows, subject, options, &[])
    }

    /// The same with advice that keeps to `sizes`, those that can be trained; without
    /// any it takes every size.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn of_sweep(
        rows: &[Row],
        subject: Subject,
        options: &scaling::Options,
        sizes: &[Size],
    ) -> Result<Self, AnalysisError> {
        let points: Vec<Run> = rows.iter().filter_map(Row::to_run).collect();
        let trials = Tally::of(rows);
        let fits = scaling::analyze_sweep(&points, options, sizes)?;
        let notes = note::all(&trials, &points, &fits);
        Ok(Self {
            subject,
            fits,
            trials,
            points,
            learning_rate: None,
            batch: None,
            notes,
        })
    }

    /// Takes up how the learning rate was tuned; where that is not known, how many of
    /// `rows`, those that the analysis was made of, are left out since they tuned it.
    pub fn tell_of_tuning(&mut self, tuning: Option<&PlannedTuning>, rows: &[Row]) {
        let told = match (tuning, rows.iter().filter(|row| row.tuning).count()) {
            (Some(tuning), _) => tuning.told(),
            (None, 0) => Vec::new(),
            (None, 1) => vec!["1 run tuned the learning rate and is not fitted".to_owned()],
            (None, runs) => vec![format!(
                "{runs} runs tuned the learning rate and are not fitted"
            )],
        };
        let notes = told.into_iter().map(|text| Note::LearningRate { text });
        self.notes.extend(notes);
        self.learning_rate = tuning.cloned();
    }

    /// Takes up how the batch grew with D, where it did, and what that comes to for the
    /// models that are predicted.
    pub fn tell_of_batch(&mut self, batch: Option<Batch>) {
        self.batch = batch;
        if let Some(text) = batch.and_then(|batch| self.batches(&batch)) {
            self.notes.push(Note::Batch { text });
        }
    }

    fn batches(&self, batch: &Batch) -> Option<String> {
        let at = |d: f64| {
            let units = batch.units_at(d);
            let rate = quantity::ratio(batch.rate_factor(units));
            format!("{} a step and lr × {rate}", quantity::count(units as f64))
        };
        let mut text = format!(
            "the batch went as D^{EXPONENT} and lr as its root, from {} {} a step in a trial of {}",
            quantity::count(batch.units() as f64),
            self.subject.unit,
            quantity::count(batch.grows_from?)
        );
        if let Some(last) = self.fits.predictions.last() {
            let _ = write!(
                text,
                "; the model for {} FLOPs wants {}",
                quantity::flops(last.c),
                at(last.d)
            );
        }
        Some(text)
    }

    /// Writes into each completed row that no fit uses why that is so. `rows` are
    /// those that the analysis was made of.
    pub fn annotate(&self, rows: &mut [Row]) {
        let completed = rows.iter_mut().filter(|row| row.to_run().is_some());
        let mut left_out = self.fits.left_out.iter().peekable();
        for (position, row) in completed.enumerate() {
            if let Some(one) = left_out.next_if(|one| one.run == position) {
                row.reason = Some(format!(
                    "left out: {}",
                    note::reason(&one.reason, &self.points)
                ));
            }
        }
    }

    /// Reads an `analysis.json`.
    ///
    /// # Errors
    /// When the file can't be read, is not as it was written, or is of another schema.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        Self::parse(path, &read_document(path)?)
    }

    /// Reads `text`, which is that of an `analysis.json` at `path`.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn parse(path: &Path, text: &[u8]) -> Result<Self, ReadError> {
        let Head { schema } = parse_json(path, text)?;
        if schema != Some(SCHEMA) {
            return Err(ReadError::Schema {
                path: path.to_owned(),
                found: schema.unwrap_or(1),
            });
        }
        // The positions and counts of a changed one could be those of nothing.
        Ok(parse_sealed(path, text)?)
    }

    /// Writes it, with its checksum.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn write(&self, path: &Path) -> Result<(), DocumentError> {
        write_sealed(path, self)
    }

    /// Whether no fit uses the run at a position of `points`.
    pub fn is_left_out(&self, row: usize) -> bool {
        let left_out = &self.fits.left_out;
        left_out.binary_search_by_key(&row, |one| one.run).is_ok()
    }

    /// `tokens per parameter`, in the sweep's own unit.
    pub fn ratio_name(&self) -> String {
        format!("{} per parameter", self.subject.unit)
    }
}

#[cfg(test)]
mod tests;
