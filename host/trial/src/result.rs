//! How a trial ended.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Failure, Refusal, Resumed, RunSettings, TrialId};

/// `result.json`, written once, last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialResult {
    /// Version of this file.
    pub format: u32,
    /// The trial.
    pub id: TrialId,
    /// Completed, diverged or failed.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What it ran on; recorded, not part of the id.
    pub environment: Environment,
    /// Where the time went.
    pub timing: Timing,
}

/// The ways in which a trial ends; a trunk is grown, or diverges, or fails.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Outcome {
    /// Trained to the end and evaluated.
    Completed {
        /// What was measured.
        measured: Measured,
    },
    /// A trunk has come as far as it was asked to, and was saved where branches leave it.
    Grown {
        /// Optimizer steps that are done.
        steps: u64,
        /// Units (tokens, images) seen in them.
        units: u64,
    },
    /// The loss left the numbers that mean anything.
    Diverged {
        /// Optimizer step at which it was found, from 1.
        step: u64,
        /// The training loss there, absent if it was not a number.
        loss: Option<f64>,
        /// What was seen.
        reason: String,
    },
    /// Something went wrong.
    Failed {
        /// What.
        failure: Failure,
    },
}

/// Everything measured of a completed trial. N, D and C are counted, never
/// derived from one another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// N: the parameters that the model counts for the fit.
    pub n: f64,
    /// Further counts of N by name.
    pub counts: BTreeMap<String, f64>,
    /// D: units (tokens, images) really seen in training.
    pub d: f64,
    /// C: FLOPs per unit in force times units seen.
    pub c: f64,
    /// FLOPs paid for it: those of `c`, save what a branch shares with the one that left
    /// its trunk before.
    pub spent: f64,
    /// Unique units of the training split, absent if it never repeats.
    pub unique: Option<f64>,
    /// Mean held-out loss per unit, in the loss's own unit (nats for text).
    pub loss: f64,
    /// Standard error of that mean over the held-out examples' batches.
    pub loss_se: f64,
    /// Further held-out metrics by name.
    pub metrics: BTreeMap<String, f64>,
    /// Mean training loss over the last tenth of the steps; of a branch, as far as it
    /// trained them itself.
    pub train_loss: f64,
    /// Peak learning rate used.
    pub lr: f64,
    /// Optimizer steps taken.
    pub steps: u64,
    /// Units of the held-out set.
    pub eval_units: u64,
}

/// What a trial ran on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Environment {
    /// Version of flops-fit-worker.
    pub worker: String,
    /// Version of libtorch.
    pub libtorch: String,
    /// Devices.
    pub devices: Vec<String>,
    /// Intra-op threads.
    pub threads: u32,
    /// Examples in one forward pass.
    pub micro_batch: Option<u64>,
    /// Attempt number, from 0.
    pub attempt: u32,
    /// SHA-256 of each plugin library by path.
    pub libraries: BTreeMap<String, String>,
    /// Where it was continued after an interruption; empty if it never was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed: Vec<Resumed>,
    /// Checkpoints that the last attempt could not go on from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refusal>,
}

impl Environment {
    /// What was planned for a trial; the rest is for whoever runs it to say.
    pub fn planned(run: &RunSettings) -> Self {
        Self {
            devices: run.devices.clone(),
            threads: run.threads,
            micro_batch: run.micro_batch,
            attempt: run.attempt,
            ..Self::default()
        }
    }
}

/// Where a trial's wall time went, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Timing {
    /// Start of the process to the first training step.
    pub startup: f64,
    /// Training.
    pub train: f64,
    /// Held-out evaluation.
    pub evaluate: f64,
}
