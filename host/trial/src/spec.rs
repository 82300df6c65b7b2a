//! What one trial is to train.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{FORMAT, Schedule, Simulation, TrainSettings, TrialId};

/// `trial.json`: the recipe decides the outcome, the run settings do not.
///
/// A trial may be a *branch*: a cool-down that leaves a run at a constant rate, its
/// *trunk*, which other branches share. It ends as it would have, had it trained alone.
/// A trunk has a specification too, in a folder of its own; it is no trial, since
/// nothing is measured at its end.
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
    /// FLOPs this trial was planned to spend; 0 of a trunk.
    pub budget: f64,
    /// Optimizer steps: `budget` over the FLOPs of a step, rounded; 0 of a trunk, which
    /// goes as far as its branches ask.
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
    /// The trunk that a branch leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trunk: Option<TrialId>,
}

impl Recipe {
    /// The trunk that this run could leave before it cools down: all that decides the
    /// steps before, and nothing of where or how they end.
    #[must_use]
    pub fn to_trunk(&self) -> Self {
        Self {
            budget: 0.0,
            steps: 0,
            units: 0,
            train: TrainSettings {
                schedule: Schedule::Constant,
                eval_units: 0,
                ..self.train.clone()
            },
            trunk: None,
            ..self.clone()
        }
    }
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
    /// FLOP/s of a large matrix product on one thread or device of this trial, as it was
    /// measured when the sweep was planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gemm: Option<f64>,
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
    /// The trial that diverged and that this one tries again, with half the learning
    /// rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<TrialId>,
    /// Seconds of training between two checkpoints.
    #[serde(default = "checkpoint_interval")]
    pub checkpoint_interval: f64,
    /// The user's own program that trains, where it is not `flops-fit-worker`: its
    /// command, as the manifest has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Vec<String>>,
    /// Of a trunk: the steps after which branches leave it, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<u64>,
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

    /// Whether it is that of a trunk.
    pub fn is_trunk(&self) -> bool {
        self.recipe.steps == 0
    }

    /// The trunk that it leaves, and the steps that are done by then.
    pub fn branch(&self) -> Option<(&TrialId, u64)> {
        let (recipe, trunk) = (&self.recipe, self.recipe.trunk.as_ref()?);
        let cooldown = recipe.train.schedule.cooldown_steps(recipe.steps);
        Some((trunk, recipe.steps - cooldown))
    }

    /// Units (tokens, images) in one optimizer step.
    pub fn units_per_step(&self) -> u64 {
        self.recipe.train.batch_examples * self.run.units_per_example
    }
}
