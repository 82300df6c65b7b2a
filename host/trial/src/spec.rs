//! What one trial is to train.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{FORMAT, Simulation, TrainSettings, TrialId};

/// `trial.json`: the recipe decides the outcome, the run settings do not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialSpec {
    /// Version of this file.
    pub format: u32,
    /// Hash of the recipe.
    pub id: TrialId,
    /// Everything that is meant to decide the outcome.
    pub recipe: Recipe,
    /// Where and how it runs.
    pub run: RunSettings,
}

/// Everything that is meant to decide a trial's outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The model, at this trial's size.
    pub model: Component,
    /// The dataset.
    pub dataset: Component,
    /// The dataset's own hash of its content.
    pub fingerprint: String,
    /// The loss.
    pub loss: Component,
    /// Value of the size parameter.
    pub size: i64,
    /// FLOPs this trial was planned to spend.
    pub budget: f64,
    /// Optimizer steps: `budget` over the FLOPs of a step, rounded.
    pub steps: u64,
    /// Units (tokens, images) seen in training: steps · batch · units an example.
    pub units: u64,
    /// Training settings.
    pub train: TrainSettings,
    /// Seed of initialisation, data order and augmentation.
    pub seed: u64,
    /// The law that takes the place of training, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulation: Option<Simulation>,
}

/// One export of a plugin with its canonical configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The plugin's declared name.
    pub plugin: String,
    /// The plugin's declared version.
    pub version: String,
    /// Which of its exports.
    pub kind: String,
    /// Its configuration with defaults filled in, without what does not decide
    /// the outcome (paths, caches).
    pub config: Value,
}

/// Where and how a trial runs; none of it is meant to change the outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSettings {
    /// The model's library and configuration, as the worker opens them.
    pub model: Load,
    /// The dataset's.
    pub dataset: Load,
    /// The loss's.
    pub loss: Load,
    /// Folder that relative paths in a configuration start from.
    pub base_dir: PathBuf,
    /// N that the model declared for this size when it was planned.
    pub declared_n: u64,
    /// Further counts of N by name, recorded with the result.
    pub counts: BTreeMap<String, f64>,
    /// Training FLOPs per unit in force (three times the forward pass).
    pub flops_per_unit: f64,
    /// Units in one example.
    pub units_per_example: u64,
    /// Devices of this trial, such as `cpu` or `cuda:0`.
    pub devices: Vec<String>,
    /// Intra-op threads on the CPU.
    pub threads: u32,
    /// Examples in one forward pass; the whole batch where absent.
    pub micro_batch: Option<u64>,
    /// Attempt number, from 0.
    pub attempt: u32,
    /// Seconds of training between two checkpoints.
    #[serde(default = "checkpoint_interval")]
    pub checkpoint_interval: f64,
    /// The user's own program that trains, where it is not `flops-fit-worker`: its
    /// command, as the manifest has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Vec<String>>,
}

/// That of trials planned before there were checkpoints.
fn checkpoint_interval() -> f64 {
    300.0
}

/// One library and the configuration handed to its export. Of a program, the library
/// is its script; where nothing is trained, path and hash are empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Absolute path of the file.
    pub library: PathBuf,
    /// SHA-256 of the file when it was planned, in hexadecimal.
    pub sha256: String,
    /// Configuration as given (for the model: with the size set).
    pub config: Value,
}

impl TrialSpec {
    /// A specification named by its recipe.
    pub fn new(recipe: Recipe, run: RunSettings) -> Self {
        Self {
            format: FORMAT,
            id: TrialId::of(&recipe),
            recipe,
            run,
        }
    }
}
