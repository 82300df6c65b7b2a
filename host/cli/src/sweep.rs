//! Trains what a plan lists and nothing that is trained already.
//!
//! Each trial is one worker process. What became of it is read from its
//! `result.json` and from nowhere else: a worker that ends without one has
//! failed, whatever its exit status. The parent writes a result only for a
//! worker that left none, or for a branch that lost its trunk, and completes that
//! of a program of the user's. A simulated trial takes no process; a trunk is a
//! process of its own.

mod ending;
mod executor;
mod limit;
mod micro_batches;
mod observer;
mod placement;
mod program;
mod retry;
mod select;
mod simulated;
mod trial;
mod trunks;
mod watch;

use std::{io, path::PathBuf};

use flops_fit_trial::{DocumentError, TrialId};
use serde::Serialize;

pub use micro_batches::MicroBatches;
pub use observer::{Callback, Event, Observer};
pub use placement::{Assignment, Candidate, Machine};
pub use select::{Rebuilt, Selection, select};
pub use simulated::simulate;
pub use trial::Trial;

use crate::{
    interrupt::Interrupt,
    manifest::{Limits, Run},
    trainer::Trainer,
    worker::WorkerError,
};

/// Why a sweep stopped as a whole. A failed trial is no such reason.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// A library changed while the plugin's version did not.
    #[error(
        "{} changed since {trials} trials were trained with it, but plugin {plugin} is still version {version}; raise the version, or run once more with --accept-rebuilt (their results still stand) or --retrain (they don't)",
        library.display()
    )]
    Rebuilt {
        /// The library.
        library: PathBuf,
        /// The plugin's name.
        plugin: String,
        /// Its version, unchanged.
        version: String,
        /// Trials that were trained with the old file.
        trials: usize,
    },
    /// The worker can't be started at all.
    #[error("starting {}: {source}", worker.display())]
    Start {
        /// The worker.
        worker: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The worker can't do its work here.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// A trial's file.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

/// How trials are run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Trials at once.
    pub jobs: usize,
    /// When a trial is given up.
    pub limits: Limits,
    /// How often a trial whose worker died or hung is started again.
    pub retries: u32,
    /// Whether a trunk's checkpoints stay that no trial is still to leave from.
    pub keep_branches: bool,
    /// What trials run on.
    pub machine: Machine,
}

impl Settings {
    /// Those of a manifest.
    pub fn of(run: &Run) -> Self {
        Self {
            jobs: run.jobs,
            limits: run.limits,
            retries: run.retries,
            keep_branches: run.keep_branches,
            machine: Machine::of(run),
        }
    }
}

/// What became of the trials of a sweep.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Tally {
    /// Trials whose results were there before.
    pub kept: usize,
    /// Trials completed now.
    pub completed: usize,
    /// Trials that diverged now.
    pub diverged: usize,
    /// Trials that failed.
    pub failed: Vec<FailedTrial>,
    /// Whether the user stopped it.
    pub interrupted: bool,
    /// Trials that are still to be trained.
    pub pending: usize,
    /// Wall seconds.
    pub seconds: f64,
}

impl Tally {
    /// Takes what became of the next round; `kept` trials of its plan had results before
    /// the first.
    pub(crate) fn go_on(&mut self, round: Self, kept: usize) {
        self.kept = kept;
        self.completed += round.completed;
        self.diverged += round.diverged;
        self.failed.extend(round.failed);
        self.interrupted = round.interrupted;
        self.pending = round.pending;
        self.seconds += round.seconds;
    }
}

/// A trial that failed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailedTrial {
    /// The trial.
    pub id: TrialId,
    /// Which it is, in words.
    pub label: String,
    /// What happened.
    pub reason: String,
    /// Its worker's log.
    pub log: PathBuf,
}

/// Trains the selection.
///
/// When a file can't be written, by this process or by a worker, nothing more is
/// started, and what runs already is waited for: it has taken the room for its result
/// when it began. The same where a worker's libraries can't be loaded any more.
///
/// What is found out about micro-batches goes into `micro_batches`, for what the same run
/// trains afterwards.
///
/// # Errors
/// [`SweepError`] if no worker can be started or a file can't be written.
/// Failed trials are part of the [`Tally`].
pub fn train(
    selection: Selection,
    settings: &Settings,
    trainer: &Trainer,
    micro_batches: &mut MicroBatches,
    observer: &mut dyn Observer,
    interrupt: &Interrupt,
) -> Result<Tally, SweepError> {
    executor::Executor::new(
        selection,
        settings,
        trainer,
        micro_batches,
        observer,
        interrupt,
    )
    .run()
}
