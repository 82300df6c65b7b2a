//! A small training run of a reference model on data that its plugin makes up,
//! for studies of the recipe.

use std::sync::{Mutex, PoisonError};

use flops_fit_plugin::{
    Context, Dataset, Draw, Loss as _, Mode, Model, ModelContext, Place, Split, tch,
};
use flops_fit_trainer::{AdamWState, FlatParameters, ModelParameter, rate};
use flops_fit_transformer::loss::{CrossEntropy, CrossEntropyConfig};
use flops_fit_trial::{AdamW, DecayShape, Schedule};
use serde_json::Value;
use tch::{Device, Kind, Tensor};

/// Examples of a step: windows of 64 tokens, or images of 16 patches.
const BATCH: u64 = 16;

/// One configuration to train.
pub(crate) struct Study {
    pub(crate) width: i64,
    pub(crate) parametrization: &'static str,
    pub(crate) lr: f64,
    pub(crate) steps: u64,
    /// Seed of initialisation and data.
    pub(crate) seed: u64,
}

/// What came out.
pub(crate) struct Finding {
    /// Held-out loss in nats per token or image.
    pub(crate) loss: f64,
    /// RMS of the change of the logits on held-out data.
    pub(crate) logits: f64,
}

impl Study {
    /// Trains `M` and measures it, on data of `D`.
    pub(crate) fn run<M: Model, D: Dataset>(&self, model: Value, dataset: Value) -> Finding {
        tch::set_num_threads(1);
        let config = serde_json::from_value(dataset).expect("a configuration");
        let place = Place {
            base_dir: std::path::Path::new("."),
        };
        let dataset = D::build(&config, &place).expect("a dataset");
        let data = dataset.description();
        let config = serde_json::from_value(model).expect("a configuration");
        let context = ModelContext {
            data: &data,
            device: Device::Cpu,
            seed: 0,
        };
        let model = {
            // libtorch's generator is one for all tests of this program.
            static TURN: Mutex<()> = Mutex::new(());
            let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
            tch::manual_seed(self.seed as i64);
            M::build(&config, &context).expect("built")
        };
        let loss = CrossEntropy::build(&CrossEntropyConfig::default(), &data).expect("a loss");

        let parameters = model.parameters().into_iter().map(|p| ModelParameter {
            name: p.name,
            tensor: p.tensor,
            lr_scale: p.lr_scale,
            decay_scale: p.decay_scale,
        });
        let mut flat = FlatParameters::adopt("study", parameters.collect()).expect("adopted");
        let settings = AdamW {
            beta1: 0.9,
            beta2: 0.95,
            eps: 1e-12,
            weight_decay: 0.0,
        };
        let mut adamw = AdamWState::new(&settings, &flat).expect("room");
        let draws = |from: u64, count: u64| {
            (from..from + count)
                .map(|index| Draw { index, seed: 0 })
                .collect::<Vec<_>>()
        };
        let held_out = dataset
            .batch(Split::HeldOut, &draws(0, 256))
            .expect("a batch");
        let logits = |step: u64| {
            let _no_grad = tch::no_grad_guard();
            let context = Context {
                mode: Mode::Eval,
                seed: 0,
                step,
            };
            model.forward(&held_out.inputs, &context).expect("logits")
        };
        let before = logits(0);
        let schedule = Schedule::Wsd {
            decay: 0.2,
            shape: DecayShape::Linear,
        };
        for step in 0..self.steps {
            // Seeds see different stretches of an endless split.
            let first = (self.seed << 32) + step * BATCH;
            let batch = dataset
                .batch(Split::Train, &draws(first, BATCH))
                .expect("a batch");
            let context = Context {
                mode: Mode::Train,
                seed: 0,
                step,
            };
            let outputs = model.forward(&batch.inputs, &context).expect("logits");
            let value = loss
                .compute(&outputs, &batch.targets, Mode::Train)
                .expect("a loss");
            let gradients = Tensor::run_backward(&[value.mean], flat.leaves(), false, false);
            flat.accumulate(&gradients, 1.0).expect("accumulated");
            let share = rate(&schedule, (self.steps / 10).max(1), step, self.steps);
            adamw.step(&mut flat, self.lr, share, 1.0).expect("stepped");
        }
        let after = logits(self.steps);
        let value = loss
            .compute(&after, &held_out.targets, Mode::Eval)
            .expect("a loss");
        let change = &after[0] - &before[0];
        Finding {
            loss: value.mean.double_value(&[]),
            logits: change.square().mean(Kind::Double).sqrt().double_value(&[]),
        }
    }
}
