//! Batches, and what model and loss make of them.

use std::collections::BTreeMap;

use tch::Tensor;

use super::generator;
use crate::{Batch, Context, Dataset, Draw, Error, Loss, LossValue, Mode, Model, Result, Split};

/// Examples that a split without an end counts as.
const UNBOUNDED: u64 = 1 << 32;

/// A batch of examples that lie evenly over the split, from the `seed`-th on.
/// The same arguments ask for the same draws.
///
/// # Errors
/// What [`Dataset::batch`] returns, and a split that has no examples.
pub fn draw<D: Dataset>(dataset: &D, split: Split, examples: u64, seed: u64) -> Result<Batch> {
    let data = dataset.description();
    let bounded = match split {
        Split::Train => data.train_examples,
        Split::HeldOut => data.held_out_examples,
    };
    let count = bounded.unwrap_or(UNBOUNDED);
    if count == 0 {
        return Err(Error::new(format!("the split {split:?} has no examples")));
    }
    let stride = (count / examples.max(1)).max(1);
    let draws: Vec<Draw> = (0..examples)
        .map(|i| Draw {
            index: (seed % count + i * stride) % count,
            seed: seed.wrapping_add(i),
        })
        .collect();
    dataset.batch(split, &draws)
}

/// A forward and backward pass.
#[derive(Debug)]
pub struct Pass {
    /// The mean loss.
    pub loss: f64,
    /// Units that it is the mean of.
    pub units: u64,
    /// Gradients by parameter; one that the loss does not depend on has none.
    pub gradients: BTreeMap<String, Tensor>,
}

/// One pass in training mode, with `seed` in its context. No parameter is
/// changed and no gradient is left in one.
///
/// # Errors
/// What the model, the loss or the backward pass returns.
pub fn pass<M: Model, L: Loss>(model: &M, loss: &L, batch: &Batch, seed: u64) -> Result<Pass> {
    let value = compute(model, loss, batch, Mode::Train, seed)?;
    let parameters = model.parameters();
    let leaves: Vec<&Tensor> = parameters.iter().map(|p| &p.tensor).collect();
    let gradients = Tensor::f_run_backward(&[&value.mean], &leaves, false, false)?;
    Ok(Pass {
        loss: value.mean.f_double_value(&[])?,
        units: value.units,
        gradients: parameters
            .into_iter()
            .map(|parameter| parameter.name)
            .zip(gradients)
            .filter(|(_, gradient)| gradient.defined())
            .collect(),
    })
}

/// One pass in evaluation mode, which records no graph; metrics come with it.
///
/// # Errors
/// What the model or the loss returns.
pub fn evaluate<M: Model, L: Loss>(model: &M, loss: &L, batch: &Batch) -> Result<LossValue> {
    let _no_grad = tch::no_grad_guard();
    compute(model, loss, batch, Mode::Eval, 0)
}

fn compute<M: Model, L: Loss>(
    model: &M,
    loss: &L,
    batch: &Batch,
    mode: Mode,
    seed: u64,
) -> Result<LossValue> {
    let _alone = generator();
    let context = Context {
        mode,
        seed,
        step: 0,
    };
    let outputs = model.forward(&batch.inputs, &context)?;
    loss.compute(&outputs, &batch.targets, mode)
}
