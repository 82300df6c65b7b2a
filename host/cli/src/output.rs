//! The output folder of a sweep: where each of its files is.
//!
//! ```text
//! outputs/<name>/
//!   manifest.toml            resolved copy: defaults and overrides written out
//!   rate.json                what budgets given as times are, where there are any
//!   tuning.json              the learning rate that was tuned, and what was tried for it
//!   plan.json                the grid: budgets, sizes, N, D, steps, cost, trials
//!   decisions.jsonl          each round of an adaptive sweep, and why it was laid out
//!   trials/<id>/             trial.json progress.jsonl checkpoint/ result.json worker.log
//!   trunks/<id>/             the same and branches/, where trials share a trunk
//!   tensorboard/             event files of the trials, with output.tensorboard
//!   analysis.json runs.csv table.{md,tex,csv} plots/ report.html
//!   .lock                    held by the command that writes here
//! ```
//!
//! Architecture invariant: what happened is what `trials/<id>/result.json`
//! says. Everything else in here can be derived again, save what was decided while there
//! were other results: rates and rounds.

mod holder;
mod kept;
mod lock;

use std::path::{Path, PathBuf};

use flops_fit_trial::{DocumentError, TrialDir, TrialId};

pub use holder::Holder;
pub(crate) use kept::Kept;
pub use lock::{Lock, LockError};

/// `outputs/<name>/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output(PathBuf);

impl Output {
    /// The output folder at `path`, which need not exist yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Whether `path` is a folder that `plan` has filled.
    pub fn is_one(path: &Path) -> bool {
        path.join("plan.json").is_file()
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// `manifest.toml`: defaults and overrides written out.
    pub fn manifest(&self) -> PathBuf {
        self.0.join("manifest.toml")
    }

    /// `plan.json`.
    pub fn plan(&self) -> PathBuf {
        self.0.join("plan.json")
    }

    /// `decisions.jsonl`: of an adaptive sweep, a line for each decision.
    pub fn decisions(&self) -> PathBuf {
        self.0.join("decisions.jsonl")
    }

    /// `trials/`.
    pub fn trials(&self) -> PathBuf {
        self.0.join("trials")
    }

    /// `trials/<id>/`.
    pub fn trial(&self, id: &TrialId) -> TrialDir {
        TrialDir::under(&self.0, id)
    }

    /// `trunks/<id>/`.
    pub fn trunk(&self, id: &TrialId) -> TrialDir {
        TrialDir::of_trunk(&self.0, id)
    }

    /// Makes `trunks/`, but not the folder that it is in.
    ///
    /// # Errors
    /// If it can't be made.
    pub(crate) fn make_trunks(&self) -> Result<(), DocumentError> {
        make_folder(&self.0.join("trunks"))
    }

    /// `analysis.json`.
    pub fn analysis(&self) -> PathBuf {
        self.0.join("analysis.json")
    }

    /// `runs.csv`.
    pub fn runs_csv(&self) -> PathBuf {
        self.0.join("runs.csv")
    }

    /// `table.md`.
    pub fn table(&self) -> PathBuf {
        self.0.join("table.md")
    }

    /// `plots/`.
    pub fn plots(&self) -> PathBuf {
        self.0.join("plots")
    }

    /// `report.html`.
    pub fn report(&self) -> PathBuf {
        self.0.join("report.html")
    }

    /// `tensorboard/`: a folder of event files for each trial.
    pub fn tensorboard(&self) -> PathBuf {
        self.0.join("tensorboard")
    }

    /// `rate.json`: what budgets given as times are in FLOPs.
    pub fn rate(&self) -> PathBuf {
        self.0.join("rate.json")
    }

    /// `tuning.json`: the learning rate that was found, and what was tried for it.
    pub fn tuning(&self) -> PathBuf {
        self.0.join("tuning.json")
    }

    /// `.lock`.
    pub fn lock_file(&self) -> PathBuf {
        self.0.join(".lock")
    }
}

/// Makes the folder at `path`, unless it is there, but not the one that it is in.
///
/// # Errors
/// If it can't be made.
pub(crate) fn make_folder(path: &Path) -> Result<(), DocumentError> {
    match std::fs::create_dir(path) {
        Err(source) if !path.is_dir() => Err(DocumentError::Io {
            action: "making",
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}
