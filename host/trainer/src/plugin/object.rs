//! A plugin's model, dataset and loss with safe methods.

use flops_fit_plugin::{
    Context, DataDescription, DataForm, Draw, Mode, Profile, Split,
    abi::{
        AbiContext, AbiDraw, Answer, BorrowedTensor, DatasetTableRef, Handle, LossTableRef,
        ModelTableRef, OwnedTensor, RResult, RSlice, RVec,
    },
};
use flops_fit_record::What;
use flops_fit_trial::{Failure, Part, Phase};
use serde_json::Value;
use tch::{Device, Kind, Tensor};

use super::{Library, fault::failure};
use crate::parent;

/// Who is called, for the message when it goes wrong.
#[derive(Debug, Clone)]
struct Callee {
    plugin: String,
    what: What,
}

impl Callee {
    /// Calls the plugin: what has to be known should it not come back is noted
    /// first.
    fn call<T>(&self, phase: Phase, call: impl FnOnce() -> Answer<T>) -> Result<T, Failure> {
        let part = match self.what {
            What::Model => Part::Model,
            What::Dataset => Part::Dataset,
            What::Loss => Part::Loss,
        };
        parent::enter(part, phase);
        match call() {
            RResult::ROk(value) => Ok(value),
            RResult::RErr(fault) => Err(failure(&self.plugin, self.what.as_str(), phase, &fault)),
        }
    }

    fn parse<T: serde::de::DeserializeOwned>(
        &self,
        phase: Phase,
        text: &str,
    ) -> Result<T, Failure> {
        serde_json::from_str(text).map_err(|error| Failure::ContractViolation {
            plugin: self.plugin.clone(),
            rule: format!(
                "its {} answered `{text}` in {phase}, which can't be read: {error}",
                self.what
            ),
        })
    }

    /// libtorch dies of an undefined tensor.
    fn check_defined(&self, what: &str, tensors: &[Tensor]) -> Result<(), Failure> {
        match tensors.iter().position(|tensor| !tensor.defined()) {
            None => Ok(()),
            Some(index) => Err(Failure::BadTensor {
                plugin: self.plugin.clone(),
                what: format!("tensor {index} of {what}"),
                expected: "defined".to_owned(),
                got: "an undefined tensor".to_owned(),
            }),
        }
    }

    fn check_some(&self, what: &str, tensors: &[Tensor]) -> Result<(), Failure> {
        if tensors.is_empty() {
            return Err(Failure::BadTensor {
                plugin: self.plugin.clone(),
                what: what.to_owned(),
                expected: "at least one tensor".to_owned(),
                got: "none".to_owned(),
            });
        }
        self.check_defined(what, tensors)
    }
}

fn take(tensors: RVec<OwnedTensor>) -> Vec<Tensor> {
    // SAFETY: the record and the layout check say that the plugin shares this
    // process's libtorch.
    tensors.into_iter().map(|t| unsafe { t.take() }).collect()
}

fn lend(tensors: &[Tensor]) -> Vec<BorrowedTensor> {
    tensors.iter().map(BorrowedTensor::lend).collect()
}

/// A model: its functions, and once built its object.
pub struct Model {
    callee: Callee,
    table: ModelTableRef,
    handle: Handle,
}

/// One of a model's parameters.
#[derive(Debug)]
pub struct ModelParameter {
    /// Unique name.
    pub name: String,
    /// The leaf tensor that the forward pass reads.
    pub tensor: Tensor,
    /// The learning rate's factor.
    pub lr_scale: f64,
    /// The weight decay's factor.
    pub decay_scale: f64,
}

/// A tensor of a model that is state but not trained.
#[derive(Debug)]
pub struct ModelBuffer {
    /// Unique name.
    pub name: String,
    /// The tensor that the forward pass reads.
    pub tensor: Tensor,
}

/// A model's functions that need no object.
#[derive(Clone)]
pub struct ModelKind {
    callee: Callee,
    table: ModelTableRef,
}

impl Library {
    /// The model that is exported as `kind`.
    pub fn model(&self, kind: &str) -> Result<ModelKind, Failure> {
        let named = self.root.models()();
        let found = named.iter().find(|m| m.kind == kind);
        let found = found.ok_or_else(|| self.unknown_kind(What::Model, kind))?;
        Ok(ModelKind {
            callee: self.callee(What::Model),
            table: found.table,
        })
    }

    /// Opens the dataset that is exported as `kind`. `base_dir` is where
    /// relative paths start.
    pub fn dataset(&self, kind: &str, config: &Value, base_dir: &str) -> Result<Dataset, Failure> {
        let named = self.root.datasets()();
        let found = named.iter().find(|d| d.kind == kind);
        let table = found
            .ok_or_else(|| self.unknown_kind(What::Dataset, kind))?
            .table;
        let callee = self.callee(What::Dataset);
        let config = config.to_string();
        let identity = callee.call(Phase::Build, || table.identity()(config.as_str().into()))?;
        let identity = callee.parse(Phase::Build, &identity)?;
        let handle = callee.call(Phase::Build, || {
            table.build()(config.as_str().into(), base_dir.into())
        })?;
        let mut dataset = Dataset {
            callee,
            table,
            handle,
            identity,
            description: None,
        };
        let text = dataset
            .callee
            .call(Phase::Build, || table.description()(handle))?;
        dataset.description = Some(dataset.callee.parse(Phase::Build, &text)?);
        Ok(dataset)
    }

    /// Builds the loss that is exported as `kind`.
    pub fn loss(
        &self,
        kind: &str,
        config: &Value,
        data: &DataDescription,
    ) -> Result<Loss, Failure> {
        let named = self.root.losses()();
        let found = named.iter().find(|l| l.kind == kind);
        let table = found
            .ok_or_else(|| self.unknown_kind(What::Loss, kind))?
            .table;
        let callee = self.callee(What::Loss);
        let config = config.to_string();
        let canonical = callee.call(Phase::Build, || table.canonical()(config.as_str().into()))?;
        let canonical = callee.parse(Phase::Build, &canonical)?;
        let handle = callee.call(Phase::Build, || {
            table.build()(config.as_str().into(), json(data).as_str().into())
        })?;
        Ok(Loss {
            callee,
            table,
            handle,
            canonical,
        })
    }

    fn callee(&self, what: What) -> Callee {
        Callee {
            plugin: self.name().to_owned(),
            what,
        }
    }
}

fn json(data: &DataDescription) -> String {
    serde_json::to_string(data).expect("a description is plain data")
}

impl ModelKind {
    /// The configuration with its defaults filled in.
    pub fn canonical(&self, config: &Value) -> Result<Value, Failure> {
        let text = self.callee.call(Phase::Build, || {
            self.table.canonical()(config.to_string().as_str().into())
        })?;
        self.callee.parse(Phase::Build, &text)
    }

    /// Counts without building, if the model can.
    pub fn profile(
        &self,
        config: &Value,
        data: &DataDescription,
    ) -> Result<Option<Profile>, Failure> {
        let text = self.callee.call(Phase::Build, || {
            self.table.profile()(
                config.to_string().as_str().into(),
                json(data).as_str().into(),
            )
        })?;
        self.callee.parse(Phase::Build, &text)
    }

    /// Builds and initialises it.
    pub fn build(
        &self,
        config: &Value,
        data: &DataDescription,
        device: Device,
        seed: u64,
    ) -> Result<Model, Failure> {
        let (config, data) = (config.to_string(), json(data));
        let handle = self.callee.call(Phase::Build, || {
            self.table.build()(
                config.as_str().into(),
                data.as_str().into(),
                device.into(),
                seed,
            )
        })?;
        Ok(Model {
            callee: self.callee.clone(),
            table: self.table,
            handle,
        })
    }
}

impl Model {
    /// The plugin's name.
    pub fn plugin(&self) -> &str {
        &self.callee.plugin
    }

    /// Ordered parameters.
    pub fn parameters(&self) -> Result<Vec<ModelParameter>, Failure> {
        let parameters = self
            .callee
            .call(Phase::Build, || self.table.parameters()(self.handle))?;
        let plain = parameters.into_iter().map(|p| ModelParameter {
            name: p.name.into(),
            // SAFETY: the plugin shares this process's libtorch (checked at open).
            tensor: unsafe { p.tensor.take() },
            lr_scale: p.lr_scale,
            decay_scale: p.decay_scale,
        });
        Ok(plain.collect())
    }

    /// Ordered buffers; none is undefined.
    pub fn buffers(&self) -> Result<Vec<ModelBuffer>, Failure> {
        let buffers = self
            .callee
            .call(Phase::Build, || self.table.buffers()(self.handle))?;
        let plain = buffers.into_iter().map(|b| ModelBuffer {
            name: b.name.into(),
            // SAFETY: the plugin shares this process's libtorch (checked at open).
            tensor: unsafe { b.tensor.take() },
        });
        let plain: Vec<_> = plain.collect();
        for buffer in &plain {
            let tensor = std::slice::from_ref(&buffer.tensor);
            self.callee
                .check_defined(&format!("buffer `{}`", buffer.name), tensor)?;
        }
        Ok(plain)
    }

    /// N for the fit.
    pub fn num_params(&self) -> Result<u64, Failure> {
        self.callee
            .call(Phase::Build, || self.table.num_params()(self.handle))
    }

    /// The forward pass over one micro-batch.
    pub fn forward(&self, inputs: &[Tensor], context: Context) -> Result<Vec<Tensor>, Failure> {
        let context = AbiContext {
            train: context.mode == Mode::Train,
            seed: context.seed,
            step: context.step,
        };
        let inputs = lend(inputs);
        let outputs = self.callee.call(Phase::Forward, || {
            self.table.forward()(self.handle, RSlice::from_slice(&inputs), context)
        })?;
        let outputs = take(outputs);
        self.callee.check_some("forward's output", &outputs)?;
        Ok(outputs)
    }

    /// Frees the plugin's object; a panic in its drop comes back.
    pub fn close(self) -> Result<(), Failure> {
        self.callee
            .call(Phase::Drop, || self.table.drop()(self.handle))
    }
}

/// An open dataset.
pub struct Dataset {
    callee: Callee,
    table: DatasetTableRef,
    handle: Handle,
    identity: Value,
    description: Option<DataDescription>,
}

// SAFETY: `Dataset: Send` is a bound of the author's trait, so its object may move
// to the thread that makes batches; the handle is not shared.
unsafe impl Send for Dataset {}

/// Tensors of some examples.
#[derive(Debug)]
pub struct Batch {
    /// For the model.
    pub inputs: Vec<Tensor>,
    /// For the loss.
    pub targets: Vec<Tensor>,
}

impl Dataset {
    /// The part of its configuration that decides the outcome.
    pub fn identity(&self) -> &Value {
        &self.identity
    }

    /// What the data are.
    pub fn description(&self) -> &DataDescription {
        self.description.as_ref().expect("set when it was opened")
    }

    /// Hash of the content.
    pub fn fingerprint(&self) -> Result<String, Failure> {
        Ok(self
            .callee
            .call(Phase::Build, || self.table.fingerprint()(self.handle))?
            .into())
    }

    /// The drawn examples as one batch.
    pub fn batch(&self, split: Split, draws: &[Draw]) -> Result<Batch, Failure> {
        let draws: Vec<_> = draws
            .iter()
            .map(|d| AbiDraw {
                index: d.index,
                seed: d.seed,
            })
            .collect();
        let batch = self.callee.call(Phase::Batch, || {
            self.table.batch()(
                self.handle,
                split == Split::HeldOut,
                RSlice::from_slice(&draws),
            )
        })?;
        let batch = Batch {
            inputs: take(batch.inputs),
            targets: take(batch.targets),
        };
        self.callee.check_some("a batch's inputs", &batch.inputs)?;
        self.callee
            .check_defined("a batch's targets", &batch.targets)?;
        self.check_form(&batch, draws.len() as i64)?;
        Ok(batch)
    }

    /// The first input and the first target are what the description promises to
    /// models and losses; every tensor has an entry for each example.
    fn check_form(&self, batch: &Batch, examples: i64) -> Result<(), Failure> {
        let bad = |what: &str, expected: String, tensor: &Tensor| Failure::BadTensor {
            plugin: self.callee.plugin.clone(),
            what: what.to_owned(),
            expected,
            got: format!(
                "{:?} {:?} on {:?}",
                tensor.kind(),
                tensor.size(),
                tensor.device()
            ),
        };
        let (input, target) = match self.description().form {
            DataForm::Tokens { seq_len, .. } => (
                (Kind::Int64, vec![examples, seq_len]),
                (Kind::Int64, vec![examples, seq_len]),
            ),
            DataForm::Images {
                channels,
                height,
                width,
                ..
            } => (
                (Kind::Float, vec![examples, channels, height, width]),
                (Kind::Int64, vec![examples]),
            ),
        };
        for (what, tensors, (kind, shape)) in [
            ("a batch's first input", &batch.inputs, input),
            ("a batch's first target", &batch.targets, target),
        ] {
            if let Some(tensor) = tensors.first()
                && (tensor.kind() != kind
                    || tensor.size() != shape
                    || tensor.device() != Device::Cpu)
            {
                let expected = format!("{kind:?} {shape:?} on Cpu, as its description says");
                return Err(bad(what, expected, tensor));
            }
        }
        let mut all = batch.inputs.iter().chain(&batch.targets);
        if let Some(tensor) = all.find(|tensor| tensor.size().first() != Some(&examples)) {
            let expected = format!("{examples} examples along its first dimension");
            return Err(bad("a batch's tensor", expected, tensor));
        }
        Ok(())
    }

    /// Frees the plugin's object.
    pub fn close(self) -> Result<(), Failure> {
        self.callee
            .call(Phase::Drop, || self.table.drop()(self.handle))
    }
}

/// A loss.
pub struct Loss {
    callee: Callee,
    table: LossTableRef,
    handle: Handle,
    canonical: Value,
}

/// What a loss gives for one micro-batch.
#[derive(Debug)]
pub struct LossOutput {
    /// Scalar mean.
    pub mean: Tensor,
    /// Units of the mean.
    pub units: u64,
    /// Further means.
    pub metrics: Vec<(String, f64)>,
}

impl Loss {
    /// Its configuration with defaults filled in.
    pub fn canonical(&self) -> &Value {
        &self.canonical
    }

    /// The mean loss of one micro-batch; a defined scalar over at least one unit,
    /// and in training one that gradients lead back from.
    pub fn compute(
        &self,
        outputs: &[Tensor],
        targets: &[Tensor],
        mode: Mode,
    ) -> Result<LossOutput, Failure> {
        let (outputs, targets) = (lend(outputs), lend(targets));
        let value = self.callee.call(Phase::Loss, || {
            self.table.compute()(
                self.handle,
                RSlice::from_slice(&outputs),
                RSlice::from_slice(&targets),
                mode == Mode::Train,
            )
        })?;
        // SAFETY: the plugin shares this process's libtorch (checked at open).
        let mean = unsafe { value.mean.take() };
        if !mean.defined() || mean.numel() != 1 || value.units == 0 {
            let got = if mean.defined() {
                format!("shape {:?} over {} units", mean.size(), value.units)
            } else {
                "an undefined tensor".to_owned()
            };
            return Err(Failure::BadTensor {
                plugin: self.callee.plugin.clone(),
                what: "the loss".to_owned(),
                expected: "one number, the mean over at least one unit".to_owned(),
                got,
            });
        }
        // Asked to differentiate it, libtorch would follow a null pointer.
        if mode == Mode::Train && !mean.requires_grad() {
            return Err(Failure::BadTensor {
                plugin: self.callee.plugin.clone(),
                what: "the loss".to_owned(),
                expected: "differentiable in training".to_owned(),
                got: "a number that no gradient leads back from".to_owned(),
            });
        }
        let metrics = value
            .metrics
            .into_iter()
            .map(|m| (m.name.into(), m.value))
            .collect();
        Ok(LossOutput {
            mean,
            units: value.units,
            metrics,
        })
    }

    /// Frees the plugin's object.
    pub fn close(self) -> Result<(), Failure> {
        self.callee
            .call(Phase::Drop, || self.table.drop()(self.handle))
    }
}
