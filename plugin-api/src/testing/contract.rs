//! The rules that every plugin keeps, as far as a unit test can see.

use std::collections::BTreeSet;

use tch::{Kind, Tensor};

use super::{
    build::{Configs, build_dataset, build_loss, build_model},
    pass::{draw, evaluate, pass},
};
use crate::{Batch, DataDescription, Dataset, Error, Loss, Model, Result, Split, config};

/// Examples in a batch.
const EXAMPLES: u64 = 8;

/// Batches within which each parameter gets a gradient: one that some examples
/// alone use (an expert, a class) may go without in a single one.
const BATCHES: u64 = 4;

/// A rule that is broken.
#[derive(Debug, thiserror::Error)]
pub enum Violation {
    /// A part returned an error.
    #[error("{part}: {error}")]
    Failed {
        /// The part and what it did.
        part: &'static str,
        /// Its error.
        error: Error,
    },
    /// A batch is not stacked along the first dimension.
    #[error(
        "a batch of {EXAMPLES} examples of the split {split:?} has a tensor of shape {shape:?}; expected {EXAMPLES} along the first dimension"
    )]
    NotStacked {
        /// The split.
        split: Split,
        /// The tensor's shape.
        shape: Vec<i64>,
    },
    /// A parameter can't be trained.
    #[error(
        "parameter `{name}` is {found}; expected a contiguous fp32 leaf that requires a gradient, with a name of its own"
    )]
    Parameter {
        /// Its name.
        name: String,
        /// What is wrong with it.
        found: &'static str,
    },
    /// Counts of N differ.
    #[error(
        "profile() declares N = {declared}, the model that was built has N = {actual}; mend profile() or num_params()"
    )]
    Declared {
        /// By [`Model::profile`].
        declared: u64,
        /// By [`Model::num_params`].
        actual: u64,
    },
    /// N is impossible.
    #[error("N = {n}; expected 1 to {elements}, which is what all parameters hold")]
    Count {
        /// By [`Model::num_params`].
        n: u64,
        /// Elements of all parameters.
        elements: u64,
    },
    /// A loss can't be used.
    #[error("the loss is {loss}, a mean over {units} units; expected a finite one over 1 or more")]
    Loss {
        /// The mean.
        loss: f64,
        /// What it is over.
        units: u64,
    },
    /// A parameter is idle.
    #[error(
        "parameter `{name}` got no gradient in {BATCHES} batches; forward must read the tensors that parameters() returns, not copies, and unused ones must not be returned"
    )]
    NoGradient {
        /// Its name.
        name: String,
    },
    /// A gradient is infinite or no number.
    #[error("the gradient of parameter `{name}` is not finite")]
    NotFinite {
        /// Its name.
        name: String,
    },
    /// The same arguments gave another result.
    #[error(
        "{what} came out differently a second time; draw from libtorch's generator in Model::build alone, else from the seeds that are handed over"
    )]
    NotRepeatable {
        /// What did.
        what: String,
    },
}

/// Builds model, dataset and loss twice, puts some batches through them, and
/// compares: batches are stacked, the same draws give the same bytes, `profile`
/// declares the N that is built, loss and gradients are finite, every parameter
/// gets one, and the same seed gives the same bits.
///
/// # Errors
/// The first [`Violation`].
pub fn check<M: Model, D: Dataset, L: Loss>(configs: &Configs, seed: u64) -> Result<(), Violation> {
    let failed = |part| move |error| Violation::Failed { part, error };
    let open = || build_dataset::<D>(&configs.dataset).map_err(failed("building the dataset"));
    let (dataset, again) = (open()?, open()?);
    check_data(&dataset, &again, seed)?;

    let data = dataset.description();
    let loss: L = build_loss(&configs.loss, &data).map_err(failed("building the loss"))?;
    let build = || -> Result<M, Violation> {
        build_model(&configs.model, &data, seed).map_err(failed("building the model"))
    };
    let (model, twin) = (build()?, build()?);
    check_parameters(&model, &twin)?;
    check_count(&model, configs, &data)?;

    let mut idle: BTreeSet<String> = model.parameters().into_iter().map(|p| p.name).collect();
    for seed in (0..BATCHES).map(|i| seed.wrapping_add(i)) {
        let batch = draw(&dataset, Split::Train, EXAMPLES, seed).map_err(failed("a batch"))?;
        let run = |model| pass(model, &loss, &batch, seed).map_err(failed("a training pass"));
        let (first, second) = (run(&model)?, run(&twin)?);
        check_loss(first.loss, first.units)?;
        if first.loss.to_bits() != second.loss.to_bits() {
            return Err(not_repeatable("the loss of a training pass"));
        }
        for (name, gradient) in &first.gradients {
            let finite = gradient.isfinite().all().int64_value(&[]) == 1;
            if !finite {
                return Err(Violation::NotFinite { name: name.clone() });
            }
            let other = second.gradients.get(name);
            if !other.is_some_and(|other| same_bits(gradient, other)) {
                return Err(not_repeatable(format!("the gradient of `{name}`")));
            }
            idle.remove(name);
        }
    }
    if let Some(name) = idle.pop_first() {
        return Err(Violation::NoGradient { name });
    }
    let batch = draw(&dataset, Split::HeldOut, EXAMPLES, seed).map_err(failed("a batch"))?;
    let value = evaluate(&model, &loss, &batch).map_err(failed("an evaluation pass"))?;
    check_loss(value.mean.double_value(&[]), value.units)
}

fn not_repeatable(what: impl Into<String>) -> Violation {
    Violation::NotRepeatable { what: what.into() }
}

/// Batches are stacked, and the same bytes whoever makes them.
fn check_data<D: Dataset>(dataset: &D, again: &D, seed: u64) -> Result<(), Violation> {
    if dataset.fingerprint() != again.fingerprint() {
        return Err(not_repeatable("the dataset's fingerprint"));
    }
    for split in [Split::Train, Split::HeldOut] {
        let batch = |dataset| {
            draw(dataset, split, EXAMPLES, seed).map_err(|error| Violation::Failed {
                part: "a batch",
                error,
            })
        };
        let (first, second) = (tensors(batch(dataset)?), tensors(batch(again)?));
        let unstacked = first
            .iter()
            .map(Tensor::size)
            .find(|shape| shape.first() != Some(&(EXAMPLES as i64)));
        if let Some(shape) = unstacked {
            return Err(Violation::NotStacked { split, shape });
        }
        let same = first.iter().zip(&second).all(|(a, b)| same_bits(a, b));
        if !same || first.len() != second.len() {
            return Err(not_repeatable(format!("a batch of the split {split:?}")));
        }
    }
    Ok(())
}

fn tensors(batch: Batch) -> Vec<Tensor> {
    batch.inputs.into_iter().chain(batch.targets).collect()
}

/// Parameters can be trained, and a twin of the same seed has the same.
fn check_parameters<M: Model>(model: &M, twin: &M) -> Result<(), Violation> {
    let (parameters, twins) = (model.parameters(), twin.parameters());
    let mut names = BTreeSet::new();
    for parameter in &parameters {
        let (name, tensor) = (parameter.name.clone(), &parameter.tensor);
        let found = if !tensor.defined() {
            "undefined"
        } else if tensor.kind() != Kind::Float {
            "of another type"
        } else if !tensor.is_contiguous() {
            "not contiguous"
        } else if !tensor.requires_grad() || !tensor.is_leaf() {
            "no leaf that requires a gradient"
        } else if !names.insert(name.clone()) {
            "one of two of that name"
        } else {
            continue;
        };
        return Err(Violation::Parameter { name, found });
    }
    let same = |(a, b): (&crate::Parameter, &crate::Parameter)| {
        a.name == b.name && same_bits(&a.tensor, &b.tensor)
    };
    if parameters.len() != twins.len() || !parameters.iter().zip(&twins).all(same) {
        return Err(not_repeatable("a model of the same seed"));
    }
    Ok(())
}

/// N is what was declared, if it was, and can be.
fn check_count<M: Model>(
    model: &M,
    configs: &Configs,
    data: &DataDescription,
) -> Result<(), Violation> {
    let actual = model.num_params();
    let elements = model
        .parameters()
        .iter()
        .map(|p| p.tensor.numel() as u64)
        .sum();
    if !(1..=elements).contains(&actual) {
        return Err(Violation::Count {
            n: actual,
            elements,
        });
    }
    let profile = config::parse(&configs.model.to_string())
        .and_then(|config| M::profile(&config, data))
        .map_err(|error| Violation::Failed {
            part: "profile()",
            error,
        })?;
    match profile {
        Some(profile) if profile.n != actual => Err(Violation::Declared {
            declared: profile.n,
            actual,
        }),
        _ => Ok(()),
    }
}

fn check_loss(loss: f64, units: u64) -> Result<(), Violation> {
    if loss.is_finite() && units > 0 {
        Ok(())
    } else {
        Err(Violation::Loss { loss, units })
    }
}

/// Whether two tensors have the same type, shape and bits, NaN and the sign of
/// zero included.
fn same_bits(a: &Tensor, b: &Tensor) -> bool {
    let bytes = |tensor: &Tensor| {
        let flat = tensor.detach().contiguous().flatten(0, -1);
        flat.view_dtype(Kind::Uint8)
    };
    a.kind() == b.kind() && a.size() == b.size() && bytes(a).equal(&bytes(b))
}
