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
    let context = Context {
        mode: Mode::Train,
        seed: 0,
        step: 0,
    };
    let before = model.forward(&batch.inputs, context)?;
    for (leaf, segment) in flat.leaves().iter().zip(&flat.segments) {
        let kept = leaf.copy();
        let mut view = leaf.detach();
        let ramp = Tensor::linspace(0.1, 0.2, kept.numel() as i64, (kept.kind(), kept.device()));
        view.copy_(&(&kept * 1.5 + ramp.view(kept.size().as_slice())));
        let after = model.forward(&batch.inputs, context);
        view.copy_(&kept);
        // Tensors that can't be compared are not the same.
        let same = |(a, b): (&Tensor, &Tensor)| a.f_equal(b).unwrap_or(false);
        if before.iter().zip(&after?).all(same) {
            return Err(Failure::ContractViolation {
                plugin: model.plugin().to_owned(),
                rule: format!(
                    "parameter `{}` does not drive the model's output; forward must read the tensors that \
                     parameters() returns, not copies made earlier, and unused ones must not be returned",
                    segment.name
                ),
            });
        }
    }
    Ok(())
}
