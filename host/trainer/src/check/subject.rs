//! What is checked: the opened parts, and models built of them.

use flops_fit_plugin::{Context, DataDescription, Draw, Mode, Split};
use flops_fit_trial::{
    AdamW, CheckName, CheckRequest, Failure, Finding, SizeOutcome, WantedComponent, WantedTrained,
};
use serde_json::Value;
use tch::{Device, Tensor};

use crate::{
    AdamWState, FlatParameters, Order,
    backward::{self, Gradients},
    describe,
    order::mix,
    plugin::{Batch, Dataset, Library, Loss, Model, ModelKind},
};

/// Fewest examples in a batch that a check looks at.
const FEWEST_EXAMPLES: u64 = 4;

/// Units of a step where nobody says.
const BATCH_UNITS: u64 = 512;

/// Rate of the steps that checks take: small beside any weights, so that
/// nothing diverges that is sound.
const LR: f64 = 1e-3;

const OPTIMIZER: AdamW = AdamW {
    beta1: 0.9,
    beta2: 0.95,
    eps: 1e-12,
    weight_decay: 0.0,
};

/// The libraries.
pub(super) struct Opened {
    dataset: Library,
    trained: Option<(Library, Library)>,
}

/// What is checked.
pub(super) struct Subject {
    dataset_library: Library,
    wanted: WantedComponent,
    base_dir: String,
    /// The dataset.
    pub(super) dataset: Dataset,
    pub(super) data: DataDescription,
    /// Training examples in the order of a trial.
    pub(super) order: Order,
    pub(super) seed: u64,
    /// Examples of a trial's optimizer step.
    pub(super) batch_examples: u64,
    /// Batches of training examples, all different, once `batches` has passed.
    pub(super) batches: Vec<Batch>,
    /// Model and loss, unless the dataset is checked alone.
    pub(super) trained: Option<Trained>,
}

/// Model and loss.
pub(super) struct Trained {
    kind: ModelKind,
    loss_library: Library,
    wanted: WantedTrained,
    /// The loss.
    pub(super) loss: Loss,
    /// N that was declared.
    pub(super) n: u64,
    /// Training FLOPs per unit in force.
    pub(super) flops_per_unit: f64,
    /// Whether the model said so.
    pub(super) flops_from_model: bool,
    /// Whether N was declared without building.
    pub(super) profiled: bool,
}

impl Opened {
    pub(super) fn open(request: &CheckRequest) -> Result<(Finding, Self), Failure> {
        let dataset = Library::open(&request.dataset.library)?;
        let trained = match &request.trained {
            None => None,
            Some(wanted) => Some((
                Library::open(&wanted.model.library)?,
                Library::open(&wanted.loss.library)?,
            )),
        };
        let mut names = vec![format!("{} {}", dataset.name(), dataset.version())];
        if let Some((model, loss)) = &trained {
            names.extend([model, loss].map(|l| format!("{} {}", l.name(), l.version())));
        }
        names.sort();
        names.dedup();
        let found = format!("{}: opened, tables of the right layout", names.join(", "));
        Ok((
            Finding::pass(CheckName::Load, found),
            Self { dataset, trained },
        ))
    }

    /// Opens the dataset, builds the loss, counts the model.
    pub(super) fn describe(self, request: &CheckRequest) -> Result<(Finding, Subject), Failure> {
        let base_dir = request.base_dir.to_string_lossy().into_owned();
        let open = || {
            let wanted = &request.dataset;
            self.dataset
                .dataset(&wanted.kind, &wanted.config, &base_dir)
        };
        let dataset = open()?;
        let data = dataset.description().clone();
        describe::check_data(self.dataset.name(), &data)?;
        let again = open()?;
        let prints = [dataset.fingerprint()?, again.fingerprint()?];
        let described_again = again.description().clone();
        again.close()?;
        let trained = match (&request.trained, self.trained) {
            (Some(wanted), Some((model, loss))) => {
                Some(Trained::describe(wanted.clone(), &model, loss, &data)?)
            }
            _ => None,
        };
        let finding = if prints[0].is_empty() || prints[0] != prints[1] {
            Finding::fail(
                CheckName::Describe,
                format!(
                    "the dataset's fingerprint is {:?}, opened again {:?}",
                    prints[0], prints[1]
                ),
                "return a hash of the content from fingerprint(), nothing of the process, the time or an address",
            )
        } else if described_again != data {
            Finding::fail(
                CheckName::Describe,
                "the dataset's description differs when it is opened again",
                "let description() depend on configuration and content alone",
            )
        } else {
            Finding::pass(CheckName::Describe, described(&data, trained.as_ref()))
        };
        let subject = Subject {
            dataset_library: self.dataset,
            wanted: request.dataset.clone(),
            base_dir,
            order: Order::new(data.train_examples, request.seed),
            seed: request.seed,
            batch_examples: batch_examples(&data, request.batch_units),
            batches: Vec::new(),
            dataset,
            data,
            trained,
        };
        Ok((finding, subject))
    }
}

fn batch_examples(data: &DataDescription, units: Option<u64>) -> u64 {
    let share = units.unwrap_or(BATCH_UNITS) as f64 / data.units_per_example.max(1) as f64;
    (share.round() as u64).max(1)
}

fn described(data: &DataDescription, trained: Option<&Trained>) -> String {
    let count = |examples: Option<u64>| {
        examples.map_or_else(|| "unbounded".to_owned(), |count| count.to_string())
    };
    let mut text = format!(
        "{} examples to train on, {} held out, {} units each",
        count(data.train_examples),
        count(data.held_out_examples),
        data.units_per_example
    );
    if let Some(trained) = trained {
        text = format!(
            "N = {}, {:.4e} FLOPs a unit ({}); {text}",
            trained.n,
            trained.flops_per_unit,
            if trained.flops_from_model {
                "the model's"
            } else {
                "6N"
            }
        );
    }
    text
}

impl Subject {
    /// The dataset opened once more.
    pub(super) fn dataset_again(&self) -> Result<Dataset, Failure> {
        let wanted = &self.wanted;
        self.dataset_library
            .dataset(&wanted.kind, &wanted.config, &self.base_dir)
    }

    /// Examples in a batch of a check.
    pub(super) fn examples(&self) -> u64 {
        self.batch_examples.max(FEWEST_EXAMPLES)
    }

    /// Draws of the training batch number `number`, of `examples` examples.
    pub(super) fn draws(&self, number: u64, examples: u64) -> Vec<Draw> {
        (number * examples..(number + 1) * examples)
            .map(|k| self.order.draw(k))
            .collect()
    }

    /// Draws of held-out examples, as many as in a batch or as there are.
    pub(super) fn held_out_draws(&self) -> Vec<Draw> {
        let count = self.data.held_out_examples;
        let wanted = self.examples().min(count.unwrap_or(u64::MAX));
        Order::held_out(count, wanted).collect()
    }

    /// The training batch number `number`.
    pub(super) fn batch(&self, number: u64) -> Result<Batch, Failure> {
        self.dataset
            .batch(Split::Train, &self.draws(number, self.examples()))
    }
}

impl Trained {
    fn describe(
        wanted: WantedTrained,
        model: &Library,
        loss_library: Library,
        data: &DataDescription,
    ) -> Result<Self, Failure> {
        let loss = loss_library.loss(&wanted.loss.kind, &wanted.loss.config, data)?;
        let kind = model.model(&wanted.model.kind)?;
        let plugin = model.name().to_owned();
        let profiled = kind.profile(&wanted.model.config, data)?.is_some();
        match describe::count(&kind, &plugin, &wanted.model.config, data)? {
            SizeOutcome::Accepted {
                n,
                flops_per_unit,
                flops_from_model,
                ..
            } => Ok(Self {
                kind,
                loss_library,
                wanted,
                loss,
                n,
                flops_per_unit,
                flops_from_model,
                profiled,
            }),
            SizeOutcome::Refused { key, reason } => Err(Failure::Config {
                plugin,
                what: "model".to_owned(),
                key,
                message: reason,
            }),
        }
    }

    /// Builds the model from `seed`, as a trial does.
    pub(super) fn build(&self, data: &DataDescription, seed: u64) -> Result<Instance, Failure> {
        tch::manual_seed(seed as i64);
        let model = self
            .kind
            .build(&self.wanted.model.config, data, Device::Cpu, seed)?;
        let model = Closing(Some(model));
        let flat = FlatParameters::adopt(model.get().plugin(), model.get().parameters()?)?;
        let adamw = AdamWState::new(&OPTIMIZER, &flat)?;
        Ok(Instance { model, flat, adamw })
    }

    /// N of the other sizes: declared, and built.
    pub(super) fn further(
        &self,
        data: &DataDescription,
    ) -> Result<Vec<(Value, u64, u64)>, Failure> {
        let count = |config: &Value| -> Result<Option<(Value, u64, u64)>, Failure> {
            let Some(profile) = self.kind.profile(config, data)? else {
                return Ok(None);
            };
            let model = Closing(Some(self.kind.build(config, data, Device::Cpu, 0)?));
            let built = model.get().num_params()?;
            Ok(Some((config.clone(), profile.n, built)))
        };
        let counts = self.wanted.further.iter().map(count);
        counts.filter_map(Result::transpose).collect()
    }

    /// The loss built once more.
    pub(super) fn loss_again(&self, data: &DataDescription) -> Result<Loss, Failure> {
        let wanted = &self.wanted.loss;
        self.loss_library.loss(&wanted.kind, &wanted.config, data)
    }
}

/// A model that is freed when it is no longer looked at.
struct Closing(Option<Model>);

impl Closing {
    fn get(&self) -> &Model {
        self.0.as_ref().expect("there until it is closed")
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        if let Some(model) = self.0.take() {
            // Whether it goes well is a check of its own.
            let _ = model.close();
        }
    }
}

/// A model that can take steps.
pub(super) struct Instance {
    model: Closing,
    pub(super) flat: FlatParameters,
    adamw: AdamWState,
}

impl Instance {
    pub(super) fn model(&self) -> &Model {
        self.model.get()
    }

    /// Gradients of one batch in training mode, as in step `step`.
    pub(super) fn gradients(
        &self,
        loss: &Loss,
        batch: &Batch,
        step: u64,
    ) -> Result<Gradients, Failure> {
        let context = Context {
            mode: Mode::Train,
            seed: mix(step),
            step,
        };
        backward::gradients(self.model(), loss, self.flat.leaves(), batch, context)
    }

    /// One optimizer step; the loss before it.
    pub(super) fn step(&mut self, loss: &Loss, batch: &Batch, step: u64) -> Result<f64, Failure> {
        let found = self.gradients(loss, batch, step)?;
        self.flat.accumulate(&found.by_leaf, found.units)?;
        self.adamw
            .step(&mut self.flat, LR, 1.0, 1.0 / found.units)?;
        Ok(found.mean)
    }

    /// A forward pass without a graph.
    pub(super) fn outputs(
        &self,
        inputs: &[Tensor],
        mode: Mode,
        seed: u64,
    ) -> Result<Vec<Tensor>, Failure> {
        let _no_grad = tch::no_grad_guard();
        let context = Context {
            mode,
            seed,
            step: 0,
        };
        self.model().forward(inputs, context)
    }

    /// Copies of the parameters, by name.
    pub(super) fn parameters(&self) -> Vec<(String, Tensor)> {
        let named = self.flat.segments.iter().zip(self.flat.leaves());
        named
            .map(|(segment, leaf)| (segment.name.clone(), leaf.detach().copy()))
            .collect()
    }

    /// Copies of the buffers, by name.
    pub(super) fn buffers(&self) -> Result<Vec<(String, Tensor)>, Failure> {
        let buffers = self.model().buffers()?.into_iter();
        Ok(buffers
            .map(|b| (b.name, b.tensor.detach().copy()))
            .collect())
    }

    /// Frees the model; a panic in its drop comes back.
    pub(super) fn close(mut self) -> Result<(), Failure> {
        let model = self.model.0.take();
        model.map_or(Ok(()), Model::close)
    }
}
