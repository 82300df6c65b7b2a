//! The dataset's side of the interface.

use std::path::Path;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tch::Tensor;

use crate::{DataDescription, Result};

/// A source of examples.
///
/// It has no order and no state: the host draws indices (shuffling, epochs,
/// sharding, the held-out set, resume are its own), and asks for exactly those.
/// The same draws must give the same bytes in every process. Batches are made
/// on a background thread.
pub trait Dataset: Sized + Send + 'static {
    /// The `[dataset.config]` table.
    type Config: Serialize + DeserializeOwned;

    /// Opens the data. Many workers may do so at the same moment.
    fn build(config: &Self::Config, place: &Place<'_>) -> Result<Self>;

    /// What the data are.
    fn description(&self) -> DataDescription;

    /// A hash of the content (not of its path): part of every trial's id.
    fn fingerprint(&self) -> String;

    /// The examples that were drawn, as one batch, on the CPU.
    fn batch(&self, split: Split, draws: &[Draw]) -> Result<Batch>;

    /// The part of the configuration that decides a trial's outcome, for its
    /// id. Leave out paths and caches: the fingerprint stands for the content.
    fn identity(config: &Self::Config) -> Value {
        serde_json::to_value(config).unwrap_or_default()
    }
}

/// Where a dataset finds its files.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The manifest's folder: relative paths start here.
    pub base_dir: &'a Path,
}

/// Which part of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Split {
    /// Trained on.
    Train,
    /// Held out, for evaluation.
    HeldOut,
}

/// One example, as the host chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    /// Index in the split, below its number of examples if that is bounded.
    pub index: u64,
    /// Seed of this example's augmentation.
    pub seed: u64,
}

/// Tensors of some examples, stacked along their first dimension.
#[derive(Debug)]
pub struct Batch {
    /// What the model's forward pass takes.
    pub inputs: Vec<Tensor>,
    /// What the loss compares its outputs with.
    pub targets: Vec<Tensor>,
}
