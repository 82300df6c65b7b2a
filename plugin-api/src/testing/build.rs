//! From configurations to models, datasets and losses, as the host does it.

use std::path::Path;

use serde_json::Value;
use tch::Device;

use super::generator;
use crate::{DataDescription, Dataset, Loss, Model, ModelContext, Place, Result, config};

/// The three `config` tables of a manifest.
#[derive(Debug, Clone)]
pub struct Configs {
    /// `[model.config]`, with the size.
    pub model: Value,
    /// `[dataset.config]`.
    pub dataset: Value,
    /// `[loss.config]`.
    pub loss: Value,
}

/// Builds a model on the CPU. libtorch's generator has been seeded with `seed`
/// before, which is in the context too.
///
/// # Errors
/// The key and the sentence with which serde or [`Model::build`] refuses `config`.
pub fn build_model<M: Model>(config: &Value, data: &DataDescription, seed: u64) -> Result<M> {
    let config = config::parse(&config.to_string())?;
    let context = ModelContext {
        data,
        device: Device::Cpu,
        seed,
    };
    let _alone = generator();
    tch::manual_seed(seed as i64);
    M::build(&config, &context)
}

/// Opens a dataset. Relative paths start at the folder in which the test runs,
/// which for `cargo test` is that of the package's `Cargo.toml`.
///
/// # Errors
/// The key and the sentence with which serde or [`Dataset::build`] refuses `config`.
pub fn build_dataset<D: Dataset>(config: &Value) -> Result<D> {
    let place = Place {
        base_dir: Path::new("."),
    };
    D::build(&config::parse(&config.to_string())?, &place)
}

/// Prepares a loss.
///
/// # Errors
/// The key and the sentence with which serde or [`Loss::build`] refuses `config`.
pub fn build_loss<L: Loss>(config: &Value, data: &DataDescription) -> Result<L> {
    L::build(&config::parse(&config.to_string())?, data)
}
