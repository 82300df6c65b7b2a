//! The model's side of the interface.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tch::{Device, Tensor};

use crate::{DataDescription, Result};

/// A trainable model.
///
/// The host re-points the storage of the tensors that [`parameters`] and
/// [`buffers`] return into buffers of its own, and updates them there. So
/// [`forward`] must read those very tensors: no cached transposes, no copies
/// made in [`build`].
///
/// [`parameters`]: Model::parameters
/// [`buffers`]: Model::buffers
/// [`forward`]: Model::forward
/// [`build`]: Model::build
pub trait Model: Sized + 'static {
    /// The `[model.config]` table. Its serialised form, defaults filled in, is
    /// part of the trial's id; use `#[serde(deny_unknown_fields)]`, so that a
    /// misspelt key is an error.
    type Config: Serialize + DeserializeOwned;

    /// Builds and initialises the model. Draw randomness from libtorch's
    /// default generator, which the host has just seeded, or from
    /// `context.seed`. Refuse a size that can't be built with
    /// [`Error::config`](crate::Error::config): the planner then leaves it out.
    fn build(config: &Self::Config, context: &ModelContext<'_>) -> Result<Self>;

    /// All trainable tensors (leaves, contiguous, distinct), always in the same
    /// order.
    fn parameters(&self) -> Vec<Parameter>;

    /// Further tensors that are state: saved in checkpoints, not trained.
    fn buffers(&self) -> Vec<Buffer> {
        Vec::new()
    }

    /// The forward pass over one micro-batch of the dataset's inputs; what it
    /// returns is handed to the loss.
    fn forward(&self, inputs: &[Tensor], context: &Context) -> Result<Vec<Tensor>>;

    /// N for the fit. All trainable parameters unless you say otherwise; for a
    /// language model leave the input embedding out, which makes the exponents
    /// stable.
    fn num_params(&self) -> u64 {
        self.parameters()
            .iter()
            .map(|p| p.tensor.numel() as u64)
            .sum()
    }

    /// Counts without building, so that hundreds of sizes can be planned at
    /// once. `None`: the host builds the model to count, and takes 6N FLOPs per
    /// token.
    fn profile(config: &Self::Config, data: &DataDescription) -> Result<Option<Profile>> {
        let _ = (config, data);
        Ok(None)
    }
}

/// What a model is built for.
#[derive(Debug, Clone, Copy)]
pub struct ModelContext<'a> {
    /// The dataset.
    pub data: &'a DataDescription,
    /// Where its tensors live.
    pub device: Device,
    /// The trial's seed.
    pub seed: u64,
}

/// What a forward pass is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// Training or evaluation.
    pub mode: Mode,
    /// Seed of this pass, for dropout and the like: derive all randomness from it.
    pub seed: u64,
    /// Optimizer steps done so far.
    pub step: u64,
}

/// Training or evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A gradient will be asked for.
    Train,
    /// No graph is recorded.
    Eval,
}

/// A trainable tensor with its multipliers.
#[derive(Debug)]
pub struct Parameter {
    /// Unique name; checkpoints go by it.
    pub name: String,
    /// The tensor that the forward pass reads (`shallow_clone` it).
    pub tensor: Tensor,
    /// The learning rate's factor for this tensor.
    pub lr_scale: f64,
    /// The weight decay's factor: 0 for none.
    pub decay_scale: f64,
}

impl Parameter {
    /// A parameter with both multipliers 1.
    pub fn new(name: impl Into<String>, tensor: &Tensor) -> Self {
        Self {
            name: name.into(),
            tensor: tensor.shallow_clone(),
            lr_scale: 1.0,
            decay_scale: 1.0,
        }
    }

    /// Sets the learning rate's factor.
    #[must_use]
    pub fn lr_scale(self, lr_scale: f64) -> Self {
        Self { lr_scale, ..self }
    }

    /// Sets the weight decay's factor.
    #[must_use]
    pub fn decay_scale(self, decay_scale: f64) -> Self {
        Self {
            decay_scale,
            ..self
        }
    }
}

/// A tensor that is state but not trained.
#[derive(Debug)]
pub struct Buffer {
    /// Unique name; checkpoints go by it.
    pub name: String,
    /// The tensor that the forward pass reads (`shallow_clone` it).
    pub tensor: Tensor,
}

/// Counts of a model at one size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// N for the fit: what [`Model::num_params`] will return.
    pub n: u64,
    /// FLOPs of the forward pass per unit (token, image), a multiply-add being
    /// two. The host counts a training step as three of it. `None`: 2N, which
    /// is allowed for tokens only.
    pub forward_flops_per_unit: Option<f64>,
    /// Further counts of N by name, recorded with every run, so that a fit can
    /// be redone under another convention.
    pub counts: BTreeMap<String, f64>,
}
