//! The loss's side of the interface.

use serde::{Serialize, de::DeserializeOwned};
use tch::Tensor;

use crate::{DataDescription, Mode, Result};

/// What is minimised, and reported as L.
pub trait Loss: Sized + 'static {
    /// The `[loss.config]` table.
    type Config: Serialize + DeserializeOwned;

    /// Prepares the loss for a dataset.
    fn build(config: &Self::Config, data: &DataDescription) -> Result<Self>;

    /// The mean loss of one micro-batch.
    fn compute(&self, outputs: &[Tensor], targets: &[Tensor], mode: Mode) -> Result<LossValue>;
}

/// A loss and what it averages over.
#[derive(Debug)]
pub struct LossValue {
    /// Scalar: the mean over `units`; differentiable in training.
    pub mean: Tensor,
    /// How many units (tokens, images) the mean is over. Micro-batches and
    /// devices are weighted by it.
    pub units: u64,
    /// Further scalars by name, means over the same units; asked for in
    /// evaluation only.
    pub metrics: Vec<(String, f64)>,
}
