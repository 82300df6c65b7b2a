//! Why a checkpoint is not continued.

use serde::{Deserialize, Serialize};

use super::{Build, Checkpoint};
use crate::{FORMAT, TrialId};

/// Why a checkpoint is not continued. The trial then goes on from an older one, or
/// from its start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Refusal {
    /// A file is not as it was written.
    #[error("the checkpoint of step {step} is torn: {why}")]
    Torn {
        /// Its step.
        step: u64,
        /// What gives it away.
        why: String,
    },
    /// It is another trial's.
    #[error("the checkpoint of step {step} is of another trial, {found}")]
    OtherTrial {
        /// Its step.
        step: u64,
        /// Whose it is.
        found: TrialId,
    },
    /// It was made by other code.
    #[error(
        "the checkpoint of step {step} was made with another {part} ({made_with}, now {now}); \
         one run would mix two of them"
    )]
    OtherBuild {
        /// Its step.
        step: u64,
        /// `worker`, `libtorch`, `model library`, `dataset library` or `loss library`.
        part: String,
        /// What it was made with.
        made_with: String,
        /// What is here now.
        now: String,
    },
    /// Its tensors are not those of the model.
    #[error("the checkpoint of step {step} does not fit the model: {why}")]
    OtherTensors {
        /// Its step.
        step: u64,
        /// The first difference.
        why: String,
    },
    /// A newer flops-fit wrote it.
    #[error(
        "the checkpoint of step {step} has format {found}, this flops-fit knows up to {FORMAT}"
    )]
    Newer {
        /// Its step.
        step: u64,
        /// Its format.
        found: u64,
    },
}

/// The first reason for which trial `trial` under `build` can't go on from
/// `checkpoint`.
pub(super) fn check(
    checkpoint: &Checkpoint,
    trial: &TrialId,
    build: &Build,
) -> Result<(), Refusal> {
    let step = checkpoint.position.step;
    if checkpoint.trial != *trial {
        return Err(Refusal::OtherTrial {
            step,
            found: checkpoint.trial.clone(),
        });
    }
    let made = &checkpoint.build;
    let parts = [
        ("worker", &made.worker, &build.worker),
        ("libtorch", &made.libtorch, &build.libtorch),
        ("model library", &made.model, &build.model),
        ("dataset library", &made.dataset, &build.dataset),
        ("loss library", &made.loss, &build.loss),
    ];
    match parts.into_iter().find(|(_, made, now)| made != now) {
        None => Ok(()),
        Some((part, made_with, now)) => Err(Refusal::OtherBuild {
            step,
            part: part.to_owned(),
            made_with: made_with.clone(),
            now: now.clone(),
        }),
    }
}
