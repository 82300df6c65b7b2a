//! Checks that need a model that is built, before a step is spent on it.
//!
//! What they keep true: the model is as it was before. Parameters and buffers
//! are put back, and passes in training mode, which may move running
//! statistics, are made only where evaluation has left a question.

use flops_fit_plugin::{Context, Mode};
use flops_fit_trial::{Failure, Phase};
use tch::{TchError, Tensor};

use crate::{
    FlatParameters,
    plugin::{Batch, Model, refused},
};

/// Examples of the first look, which is enough for nearly every model.
const FEW: u64 = 4;

/// Examples of the widest look.
const MANY: u64 = 64;

/// Examples that the check is made with, for a micro-batch of `micro`: several,
/// since a parameter may be used by some examples only (an expert, a class), and
/// no more than memory was planned for.
pub(crate) fn probe_examples(micro: u64) -> u64 {
    micro.clamp(FEW, MANY)
}

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
///
/// Each parameter is shifted alone and the outputs compared, first over a few
/// examples in evaluation, which leaves a sound model untouched. What seems
/// idle is looked at again: over all examples; in training mode, where further
/// outputs may appear; and from a point where nothing is zero, since a readout
/// that starts at zero hides everything before it.
pub(crate) fn check_parameters_drive_output(
    model: &Model,
    flat: &FlatParameters,
    batch: &Batch,
) -> Result<(), Failure> {
    let _no_grad = tch::no_grad_guard();
    let all = &batch.inputs;
    let few = all
        .iter()
        .map(|input| input.f_narrow(0, 0, input.size()[0].min(FEW as i64)));
    let few = few.collect::<Result<Vec<_>, _>>().map_err(host)?;
    let pass = |mode, inputs| {
        let context = Context {
            mode,
            seed: 0,
            step: 0,
        };
        move || model.forward(inputs, context)
    };
    let mut idle = idle(flat, 0..flat.segments.len(), &pass(Mode::Eval, &few))?;
    if !idle.is_empty() {
        idle = self::idle(flat, idle, &pass(Mode::Eval, all))?;
    }
    if !idle.is_empty() {
        let state = Kept::of(model, flat)?;
        let train = pass(Mode::Train, all);
        let looked_at = self::idle(flat, idle, &train).and_then(|idle| {
            if idle.is_empty() {
                return Ok(idle);
            }
            for leaf in flat.leaves() {
                shift(leaf).map_err(host)?;
            }
            self::idle(flat, idle, &train)
        });
        state.put_back(flat)?;
        idle = looked_at?;
    }
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

/// Parameters and buffers as they were.
pub(crate) struct Kept {
    params: Tensor,
    buffers: Vec<(Tensor, Tensor)>,
}

impl Kept {
    pub(crate) fn of(model: &Model, flat: &FlatParameters) -> Result<Self, Failure> {
        let buffers = model.buffers()?.into_iter();
        let buffers = buffers.map(|b| Ok((b.tensor.f_detach_copy()?, b.tensor)));
        Ok(Self {
            params: flat.params.f_detach_copy().map_err(host)?,
            buffers: buffers.collect::<Result<_, _>>().map_err(host)?,
        })
    }

    pub(crate) fn put_back(self, flat: &FlatParameters) -> Result<(), Failure> {
        let _no_grad = tch::no_grad_guard();
        let put_back = flat.params.shallow_clone().f_copy_(&self.params);
        put_back.map_err(host)?;
        flat.refresh()?;
        for (was, buffer) in self.buffers {
            let put_back = buffer.f_detach().and_then(|mut b| b.f_copy_(&was));
            put_back.map_err(host)?;
        }
        Ok(())
    }
}

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
        let kept = leaf.f_detach_copy().map_err(host)?;
        shift(leaf).map_err(host)?;
        let after = forward();
        let put_back = leaf.f_detach().and_then(|mut leaf| leaf.f_copy_(&kept));
        put_back.map_err(host)?;
        // Tensors that can't be compared are not the same.
        let same = |(a, b): (&Tensor, &Tensor)| a.f_equal(b).unwrap_or(false);
        if before.iter().zip(&after?).all(same) {
            idle.push(index);
        }
    }
    Ok(idle)
}

/// Changes every element, by an amount of its own.
fn shift(leaf: &Tensor) -> Result<(), TchError> {
    let options = (leaf.kind(), leaf.device());
    let ramp = Tensor::f_linspace(0.1, 0.2, leaf.numel() as i64, options)?;
    let ramp = ramp.f_view(leaf.size().as_slice())?;
    let shifted = leaf.f_mul_scalar(1.5)?.f_add(&ramp)?;
    leaf.f_detach()?.f_copy_(&shifted)
}

#[expect(clippy::needless_pass_by_value, reason = "what map_err hands over")]
fn host(error: TchError) -> Failure {
    // It is as large with any batch.
    refused(Phase::Build, &error)
}
