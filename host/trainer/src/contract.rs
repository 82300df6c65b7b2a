//! Checks that need a model that is built, before a step is spent on it.

use flops_fit_plugin::{Context, Mode};
use flops_fit_trial::Failure;
use tch::Tensor;

use crate::{
    FlatParameters,
    plugin::{Batch, Model},
};

/// The model counts the parameters that it declared when it was planned.
pub(crate) fn check_count(model: &Model, declared: u64) -> Result<(), Failure> {
    let actual = model.num_params()?;
    if actual == declared {
        return Ok(());
    }
    Err(Failure::ContractViolation {
        plugin: model.plugin().to_owned(),
        rule: format!(
            "it declared N = {declared}, the model it built has N = {actual}; mend profile() or num_params()"
        ),
    })
}

/// Every parameter drives the output: the host moves their storage, and a model
/// that computes from copies made earlier would train into thin air.
pub(crate) fn check_parameters_drive_output(
    model: &Model,
    flat: &FlatParameters,
    batch: &Batch,
) -> Result<(), Failure> {
    let _no_grad = tch::no_grad_guard();
    let forward = || model.forward(&batch.inputs, PROBE);
    let idle = idle(flat, 0..flat.segments.len(), &forward)?;
    if idle.is_empty() {
        return Ok(());
    }
    // A readout that starts at zero hides everything before it. Look again from
    // a point where nothing is zero.
    let kept = flat.params.copy();
    for leaf in flat.leaves() {
        shift(leaf);
    }
    let idle = self::idle(flat, idle, &forward)?;
    flat.params.shallow_clone().copy_(&kept);
    let Some(&first) = idle.first() else {
        return Ok(());
    };
    Err(Failure::ContractViolation {
        plugin: model.plugin().to_owned(),
        rule: format!(
            "parameter `{}` does not drive the model's output; forward must read the tensors that \
             parameters() returns, not copies made earlier, and unused ones must not be returned",
            flat.segments[first].name
        ),
    })
}

/// The pass that is compared: no randomness, nothing learnt.
const PROBE: Context = Context {
    mode: Mode::Train,
    seed: 0,
    step: 0,
};

/// Those of `parameters` that can be shifted, each alone, without any effect.
fn idle(
    flat: &FlatParameters,
    parameters: impl IntoIterator<Item = usize>,
    forward: &impl Fn() -> Result<Vec<Tensor>, Failure>,
) -> Result<Vec<usize>, Failure> {
    let before = forward()?;
    let mut idle = Vec::new();
    for index in parameters {
        let leaf = &flat.leaves()[index];
        let kept = leaf.copy();
        shift(leaf);
        let after = forward();
        leaf.detach().copy_(&kept);
        // Tensors that can't be compared are not the same.
        let same = |(a, b): (&Tensor, &Tensor)| a.f_equal(b).unwrap_or(false);
        if before.iter().zip(&after?).all(same) {
            idle.push(index);
        }
    }
    Ok(idle)
}

/// Changes every element, by an amount of its own.
fn shift(leaf: &Tensor) {
    let options = (leaf.kind(), leaf.device());
    let ramp = Tensor::linspace(0.1, 0.2, leaf.numel() as i64, options);
    let shifted = leaf * 1.5 + ramp.view(leaf.size().as_slice());
    leaf.detach().copy_(&shifted);
}
