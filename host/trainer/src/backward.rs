//! Forward and backward of one micro-batch.

use flops_fit_plugin::{Context, Mode};
use flops_fit_trial::{Failure, Part, Phase};
use tch::Tensor;

use crate::{
    parent,
    plugin::{Batch, Loss, Model, is_out_of_memory},
};

/// What one micro-batch gives.
pub(crate) struct Gradients {
    /// Mean loss.
    pub(crate) mean: f64,
    /// Units that it is the mean of.
    pub(crate) units: f64,
    /// ∂mean/∂leaf in the order of the leaves; undefined where the loss does
    /// not depend on one.
    pub(crate) by_leaf: Vec<Tensor>,
}

/// Runs `batch` through model and loss and differentiates by `leaves`.
pub(crate) fn gradients(
    model: &Model,
    loss: &Loss,
    leaves: &[Tensor],
    batch: &Batch,
    context: Context,
) -> Result<Gradients, Failure> {
    let outputs = model.forward(&batch.inputs, context)?;
    model.check_differentiable(&outputs)?;
    let value = loss.compute(model, &outputs, &batch.targets, Mode::Train)?;
    parent::enter(Part::Model, Phase::Backward);
    let failed = |error| failed(model.plugin(), &error);
    let by_leaf = Tensor::f_run_backward(&[&value.mean], leaves, false, false).map_err(failed)?;
    // A device that works on its own is waited for here, and says what went wrong there.
    let mean = value.mean.f_double_value(&[]).map_err(failed)?;
    Ok(Gradients {
        mean,
        units: value.units as f64,
        by_leaf,
    })
}

fn failed(plugin: &str, error: &tch::TchError) -> Failure {
    let detail = error.to_string();
    if is_out_of_memory(&detail) {
        return Failure::OutOfMemory {
            plugin: Some(plugin.to_owned()),
            phase: Phase::Backward,
            detail,
        };
    }
    Failure::Plugin {
        plugin: plugin.to_owned(),
        phase: Phase::Backward,
        message: detail,
    }
}
