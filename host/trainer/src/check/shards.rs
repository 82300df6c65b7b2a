//! Parts of a batch, weighted by their units, give what the whole gives: what
//! micro-batches and devices rest on.

use flops_fit_plugin::Mode;
use flops_fit_trial::{CheckName, Failure, Finding};
use tch::Tensor;

use super::{
    compare::{all_same, distance},
    data::row_of,
    subject::{Instance, Subject, Trained},
};
use crate::plugin::{Batch, Loss};

const CHECK: CheckName = CheckName::Shards;

/// Rounding that a loss and the outputs of one example may differ by, relative.
const ROUNDING: f64 = 1e-4;

/// The same for the sum of many gradients.
const GRADIENT_ROUNDING: f64 = 1e-3;

/// Gradients below this share of the largest are rounding themselves.
const NOTHING: f64 = 1e-6;

/// What a loss is.
const FIX: &str = "return the mean over `units`, and as `units` the number that it is the mean of: parts are weighted by it";

/// A batch against one example of it and the rest.
pub(super) fn shards(subject: &Subject, trained: &Trained) -> Result<Finding, Failure> {
    let instance = trained.build(&subject.data, subject.seed)?;
    let whole = &subject.batches[0];
    let examples = subject.examples() as i64;
    let cuts = [(0, 1), (1, examples - 1)];
    if let Some(finding) = loss_adds_up(&instance, &trained.loss, whole, cuts)? {
        return Ok(finding);
    }
    let apart = rows_apart(&instance, whole, cuts, Mode::Eval)?;
    if apart > ROUNDING {
        return Ok(Finding::fail(
            CHECK,
            format!(
                "in evaluation an example's outputs change with the rest of its batch, by {apart:.1e} of their size"
            ),
            "compute each example from its own inputs; in Mode::Eval batch norm uses its running statistics",
        ));
    }
    let pass = |seed| instance.outputs(&whole.inputs, Mode::Train, seed);
    let one = pass(0)?;
    if !all_same(&one, &pass(0)?) || !all_same(&one, &pass(1)?) {
        let found = format!(
            "loss and evaluation of {examples} examples add up from 1 and {}; training passes draw at random, so gradients were not compared",
            examples - 1
        );
        return Ok(Finding::pass(CHECK, found));
    }
    let apart = rows_apart(&instance, whole, cuts, Mode::Train)?;
    if apart > ROUNDING {
        return Ok(Finding::warn(
            CHECK,
            format!(
                "in training an example's outputs change with the rest of its batch, by {apart:.1e} of their size"
            ),
            "batch norm does that: results then depend on run.micro_batch; a norm over each example alone does not",
        ));
    }
    gradients_add_up(&instance, &trained.loss, whole, cuts)
}

/// The loss of the same outputs, whole and in parts; `None` if it adds up or
/// the outputs can't be cut.
fn loss_adds_up(
    instance: &Instance,
    loss: &Loss,
    whole: &Batch,
    cuts: [(i64, i64); 2],
) -> Result<Option<Finding>, Failure> {
    let examples = cuts[0].1 + cuts[1].1;
    let outputs = instance.outputs(&whole.inputs, Mode::Eval, 0)?;
    if outputs
        .iter()
        .any(|output| output.size().first() != Some(&examples))
    {
        return Ok(None);
    }
    let _no_grad = tch::no_grad_guard();
    let of = |outputs: &[Tensor], targets: &[Tensor]| {
        let value = loss.compute(instance.model(), outputs, targets, Mode::Eval)?;
        Ok::<_, Failure>((value.mean.double_value(&[]), value.units as f64))
    };
    let (mean, units) = of(&outputs, &whole.targets)?;
    let (mut sum, mut parts) = (0.0, 0.0);
    for (start, len) in cuts {
        let cut: Vec<Tensor> = outputs.iter().map(|o| o.narrow(0, start, len)).collect();
        let (mean, units) = of(&cut, &row_of(whole, start, len).targets)?;
        sum += mean * units;
        parts += units;
    }
    if parts.total_cmp(&units).is_ne() {
        let found =
            format!("the loss of {examples} examples has {units} units, of its parts {parts}");
        return Ok(Some(Finding::fail(CHECK, found, FIX)));
    }
    let joined = sum / parts;
    let apart = (joined - mean).abs();
    // NaN is apart from everything.
    if apart <= ROUNDING * mean.abs() + f64::from(f32::EPSILON) {
        return Ok(None);
    }
    let found = format!(
        "the loss of {examples} examples is {mean:.6}, of its parts by their units {joined:.6}"
    );
    Ok(Some(Finding::fail(CHECK, found, FIX)))
}

/// How far the outputs of the parts are from those of the whole; 0 where they
/// can't be cut.
fn rows_apart(
    instance: &Instance,
    whole: &Batch,
    cuts: [(i64, i64); 2],
    mode: Mode,
) -> Result<f64, Failure> {
    let examples = cuts[0].1 + cuts[1].1;
    let outputs = instance.outputs(&whole.inputs, mode, 0)?;
    let mut apart = 0.0_f64;
    for (start, len) in cuts {
        let part = instance.outputs(&row_of(whole, start, len).inputs, mode, 0)?;
        let pairs = outputs.iter().zip(&part);
        for (a, b) in pairs.filter(|(a, _)| a.size().first() == Some(&examples)) {
            // Beside the whole tensor: one example's outputs may all be near zero.
            let scale = a.abs().max().double_value(&[]).max(f64::MIN_POSITIVE);
            let cut = a.narrow(0, start, len);
            let own = cut.abs().max().double_value(&[]);
            apart = apart.max(distance(&cut, b) * (own / scale));
        }
    }
    Ok(apart)
}

fn gradients_add_up(
    instance: &Instance,
    loss: &Loss,
    whole: &Batch,
    cuts: [(i64, i64); 2],
) -> Result<Finding, Failure> {
    let of_whole = instance.gradients(loss, whole, 0)?;
    let mut sums: Vec<Option<Tensor>> = of_whole.by_leaf.iter().map(|_| None).collect();
    let mut units = 0.0;
    for (start, len) in cuts {
        let part = instance.gradients(loss, &row_of(whole, start, len), 0)?;
        units += part.units;
        for (sum, gradient) in sums.iter_mut().zip(&part.by_leaf) {
            if gradient.defined() {
                let weighted = gradient * part.units;
                *sum = Some(
                    sum.take()
                        .map_or_else(|| weighted.shallow_clone(), |s| s + &weighted),
                );
            }
        }
    }
    let norm = |t: &Tensor| t.norm().double_value(&[]);
    let defined = of_whole.by_leaf.iter().filter(|g| g.defined());
    let largest = defined.map(norm).fold(0.0, f64::max);
    for ((gradient, sum), segment) in of_whole
        .by_leaf
        .iter()
        .zip(sums)
        .zip(&instance.flat.segments)
    {
        let apart = match (gradient.defined(), sum) {
            (true, Some(sum)) => norm(&(gradient - sum / units)),
            (true, None) => norm(gradient),
            (false, Some(sum)) => norm(&sum),
            (false, None) => 0.0,
        };
        let scale = if gradient.defined() {
            norm(gradient)
        } else {
            0.0
        };
        if apart <= GRADIENT_ROUNDING * scale + NOTHING * largest {
            continue;
        }
        return Ok(Finding::fail(
            CHECK,
            format!(
                "the gradient of `{}` over the whole batch differs from that of its parts by {:.1e} of its size",
                segment.name,
                apart / scale.max(f64::MIN_POSITIVE)
            ),
            "let the loss be a mean over examples, none of which knows of the others",
        ));
    }
    let examples = cuts[0].1 + cuts[1].1;
    Ok(Finding::pass(
        CHECK,
        format!(
            "loss, outputs and gradients of {examples} examples add up from 1 and {}",
            examples - 1
        ),
    ))
}
