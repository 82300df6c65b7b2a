//! Why a study could not be made.

use std::path::PathBuf;

use flops_fit_trial::DocumentError;

use crate::{
    manifest::Place, output::LockError, plan::PlanError, report::plots::PlotError,
    sweep::SweepError,
};

/// Why a study could not be made.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "most variants are the error that they wrap")]
pub enum TransferError {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Sweep(#[from] SweepError),
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error(transparent)]
    Plot(#[from] PlotError),
    #[error("{place}: a simulation has no learning rate")]
    Simulated { place: Box<Place> },
    #[error("the model refuses {size_param} = {size}: {reason}; name others with --sizes")]
    Refused {
        size_param: String,
        size: i64,
        reason: String,
    },
    #[error(
        "{found} of the sizes can be trained, and a study compares two at least; name them with --sizes"
    )]
    FewSizes { found: usize },
    #[error("a trial failed: {label}: {reason}\n  log: {}", log.display())]
    Failed {
        label: String,
        reason: String,
        log: PathBuf,
    },
    #[error("interrupted; the same command goes on")]
    Interrupted,
}
