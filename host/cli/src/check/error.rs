//! Why a check could not be made.

use std::{io, path::PathBuf};

use flops_fit_trial::DocumentError;

use crate::{manifest::ManifestError, plan::PlanError, plugin::NotFound, worker::WorkerError};

/// Why a check could not be made. What is wrong with a plugin is no error but a
/// finding.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The manifest, or a plugin that it names.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A `--config`.
    #[error(transparent)]
    Config(#[from] ManifestError),
    /// The library is nowhere.
    #[error(transparent)]
    Missing(#[from] NotFound),
    /// One of several exports has to be named.
    #[error("{} exports {}; name one with --{what} {}", library.display(), listed(kinds), kinds.first().map_or("KIND", String::as_str))]
    Choose {
        /// The library.
        library: PathBuf,
        /// `model`, `dataset` or `loss`.
        what: &'static str,
        /// What it exports of that sort.
        kinds: Vec<String>,
    },
    /// There is nothing to build a model for.
    #[error("{} exports no {what}, and a model is checked with a dataset and a loss; name one with --{what} LIBRARY:KIND", library.display())]
    Lacking {
        /// The library.
        library: PathBuf,
        /// `dataset`, `model` or `loss`.
        what: &'static str,
    },
    /// `--size` where the model's configuration holds it.
    #[error("--size {size}: a library has no size_param; give it with --config model.KEY={size}")]
    Size {
        /// The size.
        size: i64,
    },
    /// The model refuses every size that was asked about.
    #[error("the model refuses size {size}: {reason}")]
    Refused {
        /// The size.
        size: i64,
        /// Its words.
        reason: String,
    },
    /// The worker can't be started.
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
    /// The question can't be written.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

fn listed(kinds: &[String]) -> String {
    let kinds: Vec<String> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
    kinds.join(", ")
}
