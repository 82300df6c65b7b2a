//! How far a model's outputs move in its first steps, at several sizes: what
//! `flops-fit check --transfer` asks the worker.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{AdamW, Failure, WantedComponent};

/// The question: a file that `flops-fit-worker coordinates` reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoordinatesRequest {
    /// Version of this file.
    pub format: u32,
    /// The model, without its size.
    pub model: WantedComponent,
    /// Its configuration at each size.
    pub sizes: Vec<Value>,
    /// The dataset.
    pub dataset: WantedComponent,
    /// The loss.
    pub loss: WantedComponent,
    /// Folder that relative paths in a configuration start from.
    pub base_dir: PathBuf,
    /// Examples in an optimizer step.
    pub batch_examples: u64,
    /// Optimizer steps.
    pub steps: u64,
    /// Learning rate of all of them.
    pub lr: f64,
    /// The optimizer's constants.
    pub optimizer: AdamW,
    /// Seeds of initialisation and data order: each size is trained once with each.
    pub seeds: Vec<u64>,
    /// Intra-op threads on the CPU.
    pub threads: u32,
}

/// The answer: a file that `flops-fit-worker coordinates` writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum CoordinatesResponse {
    /// Every size was trained.
    Measured {
        /// Version of this file.
        format: u32,
        /// By size, then by seed, in the order of the question.
        sizes: Vec<Vec<OutputMoves>>,
    },
    /// Something is wrong with a plugin or its configuration.
    Failed {
        /// Version of this file.
        format: u32,
        /// What.
        failure: Failure,
    },
}

/// How far the outputs on held-out data have moved from where they began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputMoves {
    /// RMS of the outputs at initialisation.
    pub initial: f64,
    /// RMS of their change since then, after each step. Shorter than the steps where
    /// it was no finite number any more.
    pub changes: Vec<f64>,
}
