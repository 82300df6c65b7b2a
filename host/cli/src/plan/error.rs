//! Why no plan could be made.

use std::{io, path::PathBuf, time::Duration};

use flops_fit_scaling::GridError;
use flops_fit_trial::{DocumentError, Failure};

use crate::{
    manifest::{ManifestError, Place},
    plugin::PluginError,
    worker::WorkerError,
};

/// Why no plan could be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The manifest is wrong.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A plugin's file is wrong.
    #[error(transparent)]
    Plugin(PluginError),
    /// There is no worker, or it can't do its work here.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// The worker can't be started.
    #[error("starting {}: {source}", worker.display())]
    Start {
        /// The worker.
        worker: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A plugin failed while it was asked about its sizes.
    #[error("{place}: {failure}")]
    Failed {
        /// Where the manifest names the plugin.
        place: Box<Place>,
        /// How.
        failure: Box<Failure>,
    },
    /// Grid and sizes don't go together.
    #[error("{place}: {source}")]
    Grid {
        /// Where the sizes or budgets are written.
        place: Box<Place>,
        /// What is wrong.
        source: GridError,
    },
    /// The worker did not answer.
    #[error(
        "{who} did not answer within {} s; raise run.start_limit if reading the data really takes that long",
        limit.as_secs_f64()
    )]
    Silent {
        /// `run.start_limit`.
        limit: Duration,
        /// The plugin that was called then, where the worker could still say so; else
        /// whoever was asked.
        who: String,
    },
    /// A file of the output folder.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Ctrl-C.
    #[error("interrupted; nothing was started")]
    Interrupted,
}

impl From<PluginError> for PlanError {
    fn from(error: PluginError) -> Self {
        match error {
            PluginError::Manifest(error) => Self::Manifest(error),
            error => Self::Plugin(error),
        }
    }
}
