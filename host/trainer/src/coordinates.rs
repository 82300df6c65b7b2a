//! The coordinate check (Yang et al. 2022, appendix D.1): how far outputs move in the
//! first steps, which should not depend on the size.
//!
//! Outputs are what can be seen of any model from outside: the `RMS` is over all
//! floating outputs of a forward pass over held-out examples.

use flops_fit_plugin::{Context, DataDescription, Mode, Split};
use flops_fit_trial::{CoordinatesRequest, Failure, OutputMoves, Part, Phase, WantedComponent};
use serde_json::Value;
use tch::{Device, Kind, TchError, Tensor};

use crate::{
    AdamWState, FlatParameters, Order, backward, describe,
    order::mix,
    parent,
    plugin::{Batch, Dataset, Library, Loss, Model, ModelKind, refused},
};

/// Most held-out examples that are looked at.
const EXAMPLES: u64 = 64;

/// Trains every size of `request` with every seed, for its few steps.
///
/// # Errors
/// The first failure of a plugin.
pub fn coordinates(request: &CoordinatesRequest) -> Result<Vec<Vec<OutputMoves>>, Failure> {
    let (models, datasets, losses) = (
        open(Part::Model, &request.model)?,
        open(Part::Dataset, &request.dataset)?,
        open(Part::Loss, &request.loss)?,
    );
    let base_dir = request.base_dir.to_string_lossy();
    let dataset = datasets.dataset(&request.dataset.kind, &request.dataset.config, &base_dir)?;
    let data = dataset.description().clone();
    describe::check_data(datasets.name(), &data)?;
    let count = EXAMPLES.min(data.held_out_examples.unwrap_or(EXAMPLES));
    let draws: Vec<_> = Order::held_out(data.held_out_examples, count).collect();
    let probe = Probe {
        request,
        model: models.model(&request.model.kind)?,
        loss: losses.loss(&request.loss.kind, &request.loss.config, &data)?,
        held_out: dataset.batch(Split::HeldOut, &draws)?,
        data,
        dataset,
    };
    let by_seed = |config: &Value| {
        let seeds = request.seeds.iter();
        seeds.map(|&seed| probe.moves(config, seed)).collect()
    };
    let sizes = request.sizes.iter().map(by_seed);
    let sizes = sizes.collect::<Result<Vec<_>, Failure>>()?;
    probe.loss.close()?;
    probe.dataset.close()?;
    Ok(sizes)
}

fn open(part: Part, wanted: &WantedComponent) -> Result<Library, Failure> {
    parent::enter(part, Phase::Load);
    Library::open(&wanted.library)
}

/// What all sizes share.
struct Probe<'a> {
    request: &'a CoordinatesRequest,
    model: ModelKind,
    loss: Loss,
    dataset: Dataset,
    data: DataDescription,
    held_out: Batch,
}

impl Probe<'_> {
    /// Trains one size with one seed.
    fn moves(&self, config: &Value, seed: u64) -> Result<OutputMoves, Failure> {
        let request = self.request;
        tch::manual_seed(seed as i64);
        let model = self.model.build(config, &self.data, Device::Cpu, seed)?;
        let mut flat = FlatParameters::adopt(model.plugin(), model.parameters()?)?;
        let mut adamw = AdamWState::new(&request.optimizer, &flat)?;
        let order = Order::new(self.data.train_examples, seed);
        let before = self.outputs(&model)?;
        let mut moves = OutputMoves {
            initial: rms(&before).map_err(host)?,
            changes: Vec::new(),
        };
        for step in 0..request.steps {
            let drawn = step * request.batch_examples..(step + 1) * request.batch_examples;
            let draws: Vec<_> = drawn.map(|k| order.draw(k)).collect();
            let batch = self.dataset.batch(Split::Train, &draws)?;
            let context = Context {
                mode: Mode::Train,
                seed: mix(mix(seed).wrapping_add(step)),
                step,
            };
            let found = backward::gradients(&model, &self.loss, flat.leaves(), &batch, context)?;
            flat.accumulate(&found.by_leaf, found.units)?;
            adamw.step(&mut flat, request.lr, 1.0, 1.0 / found.units)?;
            let after = self.outputs(&model)?;
            let change = after.iter().zip(&before).map(|(a, b)| a.f_sub(b));
            let change = change.collect::<Result<Vec<_>, _>>();
            let change = change.and_then(|change| rms(&change));
            let change = change.map_err(host)?;
            if !change.is_finite() {
                break;
            }
            moves.changes.push(change);
        }
        model.close()?;
        Ok(moves)
    }

    /// The floating outputs on held-out examples.
    fn outputs(&self, model: &Model) -> Result<Vec<Tensor>, Failure> {
        let _no_grad = tch::no_grad_guard();
        let context = Context {
            mode: Mode::Eval,
            seed: 0,
            step: 0,
        };
        let outputs = model.forward(&self.held_out.inputs, context)?.into_iter();
        Ok(outputs.filter(Tensor::is_floating_point).collect())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what map_err hands over")]
fn host(error: TchError) -> Failure {
    refused(Phase::Forward, &error)
}

/// Over all elements of all tensors.
fn rms(tensors: &[Tensor]) -> Result<f64, TchError> {
    let squares = tensors
        .iter()
        .map(|tensor| tensor.f_square()?.f_sum(Kind::Double)?.f_double_value(&[]));
    let sum: f64 = squares.sum::<Result<_, _>>()?;
    let count: usize = tensors.iter().map(Tensor::numel).sum();
    Ok((sum / count.max(1) as f64).sqrt())
}
