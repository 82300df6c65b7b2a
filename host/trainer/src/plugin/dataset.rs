//! A plugin's dataset with safe methods.

use flops_fit_plugin::{
    DataDescription, DataForm, Draw, Split,
    abi::{AbiDraw, DatasetTableRef, Handle, RSlice},
};
use flops_fit_record::What;
use flops_fit_trial::{Failure, Phase};
use serde_json::Value;
use tch::{Device, Kind, Tensor};

use super::{
    Library,
    callee::{Callee, take},
    fault::refused,
    form::Form,
};

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

impl Batch {
    /// The same on `device`; batches are made on the CPU.
    pub(crate) fn on(self, device: Device) -> Result<Self, Failure> {
        if device == Device::Cpu {
            return Ok(self);
        }
        let copy = |tensors: Vec<Tensor>| {
            let copies = tensors.iter().map(|tensor| tensor.f_to_device(device));
            copies
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| refused(Phase::Batch, &error))
        };
        Ok(Self {
            inputs: copy(self.inputs)?,
            targets: copy(self.targets)?,
        })
    }
}

impl Library {
    /// Opens the dataset that is exported as `kind`. `base_dir` is where
    /// relative paths start.
    pub fn dataset(&self, kind: &str, config: &Value, base_dir: &str) -> Result<Dataset, Failure> {
        let named = self.root.datasets()();
        let found = named.iter().find(|d| d.kind == kind);
        let found = found.ok_or_else(|| self.unknown_kind(What::Dataset, kind))?;
        Dataset::build(self.callee(What::Dataset), found.table, config, base_dir)
    }
}

impl Dataset {
    pub(super) fn build(
        callee: Callee,
        table: DatasetTableRef,
        config: &Value,
        base_dir: &str,
    ) -> Result<Self, Failure> {
        let config = config.to_string();
        let identity = callee.call(Phase::Build, || table.identity()(config.as_str().into()))?;
        let identity = callee.parse(Phase::Build, &identity)?;
        let handle = callee.call(Phase::Build, || {
            table.build()(config.as_str().into(), base_dir.into())
        })?;
        let mut dataset = Self {
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
            got: Form::of(tensor).to_string(),
        };
        let [input, target] = Form::promised(&self.description().form, examples);
        for (what, tensors, form) in [
            ("a batch's first input", &batch.inputs, input),
            ("a batch's first target", &batch.targets, target),
        ] {
            if let Some(tensor) = tensors.first()
                && Form::of(tensor) != form
            {
                let expected = format!("{form}, as its description says");
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

impl Form {
    /// First input and first target of a batch of `examples` of such data: a batch is
    /// made on the CPU, whatever trains on it.
    fn promised(data: &DataForm, examples: i64) -> [Self; 2] {
        let form = |kind, shape| Self {
            kind,
            shape,
            device: Device::Cpu,
        };
        match *data {
            DataForm::Tokens { seq_len, .. } => {
                let ids = form(Kind::Int64, vec![examples, seq_len]);
                [ids.clone(), ids]
            }
            DataForm::Images {
                channels,
                height,
                width,
                ..
            } => [
                form(Kind::Float, vec![examples, channels, height, width]),
                form(Kind::Int64, vec![examples]),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_type_shape_or_device_is_another_form() {
        let tokens = DataForm::Tokens {
            vocabulary: 29,
            seq_len: 16,
            bytes_per_token: None,
        };
        let [input, target] = Form::promised(&tokens, 32);
        assert_eq!(input, target);
        assert_eq!(input.to_string(), "Int64 [32, 16] on Cpu");
        let made = |shape: [i64; 2], kind| Form::of(&Tensor::zeros(shape, (kind, Device::Cpu)));
        assert_eq!(made([32, 16], Kind::Int64), input);
        assert_ne!(made([32, 15], Kind::Int64), input);
        assert_ne!(made([32, 16], Kind::Int), input);
        let elsewhere = Form {
            device: Device::Cuda(1),
            ..input.clone()
        };
        assert_ne!(elsewhere, input);
        assert_eq!(elsewhere.to_string(), "Int64 [32, 16] on Cuda(1)");
    }

    #[test]
    fn images_have_classes() {
        let images = DataForm::Images {
            channels: 3,
            height: 8,
            width: 4,
            classes: 10,
        };
        let [input, target] = Form::promised(&images, 5).map(|form| form.to_string());
        assert_eq!(input, "Float [5, 3, 8, 4] on Cpu");
        assert_eq!(target, "Int64 [5] on Cpu");
    }
}
