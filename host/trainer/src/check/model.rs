//! Parameters, their number, their gradients, and whether they learn.

use flops_fit_trial::{CheckName, Failure, Finding};
use tch::Tensor;

use super::{
    compare::not_finite,
    subject::{Subject, Trained},
};
use crate::{contract, plugin::Batch};

/// Steps that are taken between two looks at the gradients.
const STEPS: u64 = 3;

/// Steps on one batch after which its loss must have fallen.
const LEARNING_STEPS: u64 = 10;

/// Each parameter is a tensor that the host can hold, and drives the output.
pub(super) fn parameters(subject: &Subject, trained: &Trained) -> Result<Finding, Failure> {
    let instance = trained.build(&subject.data, subject.seed)?;
    // All batches at once: what only some examples use is used by one of them.
    let batch = joined(&subject.batches);
    contract::check_parameters_drive_output(instance.model(), &instance.flat, &batch)?;
    let buffers = instance.buffers()?.len();
    Ok(Finding::pass(
        CheckName::Parameters,
        format!(
            "{} parameters of {} elements, {buffers} buffers; each parameter drives the output",
            instance.flat.segments.len(),
            instance.flat.numel()
        ),
    )
    .figure("elements", instance.flat.numel() as f64))
}

fn joined(batches: &[Batch]) -> Batch {
    let join = |of: fn(&Batch) -> &[Tensor]| {
        let count = batches.first().map_or(0, |batch| of(batch).len());
        (0..count)
            .map(|i| {
                let parts: Vec<_> = batches.iter().map(|batch| &of(batch)[i]).collect();
                Tensor::cat(&parts, 0)
            })
            .collect()
    };
    Batch {
        inputs: join(|batch| &batch.inputs),
        targets: join(|batch| &batch.targets),
    }
}

/// N: declared, counted by the built model, and not more than it holds.
pub(super) fn count(subject: &Subject, trained: &Trained) -> Result<Finding, Failure> {
    const CHECK: CheckName = CheckName::Count;
    const FIX: &str = "mend profile() or num_params(): the fit's N is the one that is declared";
    let instance = trained.build(&subject.data, subject.seed)?;
    let (declared, actual) = (trained.n, instance.model().num_params()?);
    if declared != actual {
        let found = format!("N = {declared} was declared, the built model counts {actual}");
        return Ok(Finding::fail(CHECK, found, FIX));
    }
    let elements = instance.flat.numel() as u64;
    if actual > elements {
        let found = format!("N = {actual}, and all parameters together have {elements} elements");
        return Ok(Finding::fail(CHECK, found, FIX));
    }
    let further = trained.further(&subject.data)?;
    if let Some((config, declared, built)) = further.iter().find(|(_, d, b)| d != b) {
        let found =
            format!("with {config} N = {declared} was declared, the built model counts {built}");
        return Ok(Finding::fail(CHECK, found, FIX));
    }
    let how = if trained.profiled {
        "declared by profile() and counted by the built model"
    } else {
        "counted by the built model; with a profile() it would not be built to be counted"
    };
    let sizes = match further.len() {
        0 => String::new(),
        more => format!("; so at {more} further sizes"),
    };
    Ok(Finding::pass(
        CHECK,
        format!("N = {actual} of {elements} elements, {how}{sizes}"),
    )
    .figure("n", actual as f64))
}

/// Gradients of several batches, before and after a few steps: each parameter
/// gets one, and all of it is finite.
pub(super) fn gradients(subject: &Subject, trained: &Trained) -> Result<Finding, Failure> {
    const CHECK: CheckName = CheckName::Gradients;
    let mut instance = trained.build(&subject.data, subject.seed)?;
    let count = instance.flat.segments.len();
    let (mut present, mut nonzero) = (vec![false; count], vec![false; count]);
    let mut step = 0;
    for _ in 0..2 {
        for batch in &subject.batches {
            let found = instance.gradients(&trained.loss, batch, step)?;
            if !found.mean.is_finite() {
                let found = format!(
                    "the loss of a batch is {} after {step} small steps",
                    found.mean
                );
                return Ok(Finding::fail(
                    CHECK,
                    found,
                    "look at the scale of initial weights and outputs, and for a division by zero or a logarithm of it",
                ));
            }
            for (i, gradient) in found.by_leaf.iter().enumerate() {
                if !gradient.defined() {
                    continue;
                }
                present[i] = true;
                let spoilt = not_finite(gradient);
                if spoilt > 0 {
                    return Ok(Finding::fail(
                        CHECK,
                        format!(
                            "{spoilt} of {} elements of the gradient of `{}` are no finite number",
                            gradient.numel(),
                            instance.flat.segments[i].name
                        ),
                        "look for a square root, a norm or a logarithm at zero in its way to the loss",
                    ));
                }
                nonzero[i] |= gradient.count_nonzero(None).int64_value(&[]) > 0;
            }
        }
        for batch in subject.batches.iter().cycle().take(STEPS as usize) {
            instance.step(&trained.loss, batch, step)?;
            step += 1;
        }
    }
    let named = |flags: &[bool]| -> Vec<String> {
        let without = flags.iter().zip(&instance.flat.segments);
        without
            .filter(|(flag, _)| !**flag)
            .map(|(_, segment)| format!("`{}`", segment.name))
            .collect()
    };
    let absent = named(&present);
    if !absent.is_empty() {
        return Ok(Finding::fail(
            CHECK,
            format!(
                "no gradient reaches {}, although it drives the output",
                absent.join(", ")
            ),
            "look for a detach(), a no_grad block or an integer tensor in its way to the loss",
        ));
    }
    let zero = named(&nonzero);
    if !zero.is_empty() {
        return Ok(Finding::warn(
            CHECK,
            format!(
                "the gradient of {} is exactly zero in {} batches, before and after {STEPS} steps",
                zero.join(", "),
                subject.batches.len()
            ),
            "it will not learn: look for a factor of zero, or a unit that is never active",
        ));
    }
    Ok(Finding::pass(
        CHECK,
        format!(
            "present and finite for all {count} parameters in {} batches, before and after {STEPS} steps",
            subject.batches.len()
        ),
    ))
}

/// A few small steps on one batch make its loss fall, under one draw of
/// whatever the model draws.
pub(super) fn learning(subject: &Subject, trained: &Trained) -> Result<Finding, Failure> {
    let mut instance = trained.build(&subject.data, subject.seed)?;
    let batch = &subject.batches[0];
    let first = instance.step(&trained.loss, batch, 0)?;
    for step in 1..LEARNING_STEPS {
        instance.step(&trained.loss, batch, step)?;
    }
    let last = instance.gradients(&trained.loss, batch, 0)?.mean;
    let found = format!("{LEARNING_STEPS} small steps on one batch: loss {first:.5} to {last:.5}");
    Ok(if last < first {
        Finding::pass(CheckName::Learning, found)
    } else {
        Finding::warn(
            CheckName::Learning,
            found,
            "a loss that does not fall on one batch will not fall on many: look at lr_scale, at signs, and at what forward returns",
        )
    })
}
