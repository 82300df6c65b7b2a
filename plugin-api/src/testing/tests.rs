//! Sound parts pass; each fault is found, and named.

use std::sync::atomic::{AtomicI64, Ordering};

use serde::{Deserialize, Serialize};
use tch::{Kind, Reduction, Tensor};

use super::*;
use crate::{
    Batch, Context, DataDescription, DataForm, Dataset, Draw, Error, Loss, LossValue, Mode, Model,
    ModelContext, Parameter, Place, Profile, Result, Split, Unit,
};

const VOCABULARY: i64 = 8;
const LENGTH: i64 = 4;

/// Another number each time: what no seed decides.
fn ticks() -> i64 {
    static TICKS: AtomicI64 = AtomicI64::new(1);
    TICKS.fetch_add(1, Ordering::Relaxed)
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    fault: String,
    #[serde(default = "two")]
    width: i64,
}

fn two() -> i64 {
    2
}

#[derive(Debug)]
struct Table {
    embedding: Tensor,
    readout: Tensor,
    copy: Tensor,
    fault: String,
}

impl Model for Table {
    type Config = Config;

    fn build(config: &Config, context: &ModelContext<'_>) -> Result<Self> {
        let (width, fault) = (config.width, config.fault.clone());
        if width < 1 {
            return Err(Error::config("width", "found 0, expected at least 1"));
        }
        let kind = if fault == "double" {
            Kind::Double
        } else {
            Kind::Float
        };
        let embedding = match fault.as_str() {
            "unseeded" => Tensor::full([VOCABULARY, width], ticks(), (kind, context.device)),
            "transposed" => Tensor::randn([width, VOCABULARY], (kind, context.device)).tr(),
            _ => Tensor::randn([VOCABULARY, width], (kind, context.device)),
        };
        let readout = Tensor::randn([width, VOCABULARY], (kind, context.device));
        Ok(Self {
            copy: readout.copy(),
            embedding: embedding.set_requires_grad(fault != "frozen"),
            readout: readout.set_requires_grad(true),
            fault,
        })
    }

    fn parameters(&self) -> Vec<Parameter> {
        let second = if self.fault == "one name" {
            "embedding"
        } else {
            "readout"
        };
        vec![
            Parameter::new("embedding", &self.embedding),
            Parameter::new(second, &self.readout),
        ]
    }

    fn forward(&self, inputs: &[Tensor], context: &Context) -> Result<Vec<Tensor>> {
        let readout = if self.fault == "cached" {
            &self.copy
        } else {
            &self.readout
        };
        let hidden = Tensor::f_embedding(&self.embedding, &inputs[0], -1, false, false)?;
        let hidden = match self.fault.as_str() {
            "dropout" => hidden.f_dropout(0.5, context.mode == Mode::Train)?,
            _ => hidden,
        };
        Ok(vec![hidden.f_matmul(readout)?])
    }

    fn num_params(&self) -> u64 {
        let more = if self.fault == "count" { 1000 } else { 0 };
        self.readout.numel() as u64 + more
    }

    fn profile(config: &Config, _data: &DataDescription) -> Result<Option<Profile>> {
        let n = (config.width * VOCABULARY) as u64;
        Ok((config.fault != "count").then(|| Profile {
            n: n + u64::from(config.fault == "profile"),
            forward_flops_per_unit: None,
            counts: [].into(),
        }))
    }
}

#[derive(Debug)]
struct Ramp {
    fault: String,
}

impl Dataset for Ramp {
    type Config = Config;

    fn build(config: &Config, _place: &Place<'_>) -> Result<Self> {
        Ok(Self {
            fault: config.fault.clone(),
        })
    }

    fn description(&self) -> DataDescription {
        DataDescription {
            form: DataForm::Tokens {
                vocabulary: VOCABULARY,
                seq_len: LENGTH,
                bytes_per_token: None,
            },
            unit: Unit::Tokens,
            units_per_example: LENGTH as u64,
            unique_units: None,
            train_examples: None,
            held_out_examples: Some(if self.fault == "empty" { 0 } else { 3 }),
        }
    }

    fn fingerprint(&self) -> String {
        match self.fault.as_str() {
            "fingerprint" => ticks().to_string(),
            _ => "ramp".to_owned(),
        }
    }

    fn batch(&self, split: Split, draws: &[Draw]) -> Result<Batch> {
        let shift = if self.fault == "shuffled" { ticks() } else { 0 };
        let ids: Vec<i64> = draws
            .iter()
            .flat_map(|draw| (0..=LENGTH).map(|i| (draw.index as i64 + i + shift) % VOCABULARY))
            .collect();
        assert!(split == Split::Train || draws.iter().all(|draw| draw.index < 3));
        let windows = Tensor::f_from_slice(&ids)?.f_view([draws.len() as i64, LENGTH + 1])?;
        let inputs = windows.f_narrow(1, 0, LENGTH)?;
        let targets = windows.f_narrow(1, 1, LENGTH)?;
        let inputs = if self.fault == "flat" {
            inputs.f_flatten(0, 1)?
        } else {
            inputs
        };
        Ok(Batch {
            inputs: vec![inputs],
            targets: vec![targets],
        })
    }
}

#[derive(Debug)]
struct CrossEntropy {
    fault: String,
}

impl Loss for CrossEntropy {
    type Config = Config;

    fn build(config: &Config, _data: &DataDescription) -> Result<Self> {
        Ok(Self {
            fault: config.fault.clone(),
        })
    }

    fn compute(&self, outputs: &[Tensor], targets: &[Tensor], _mode: Mode) -> Result<LossValue> {
        let logits = outputs[0].f_flatten(0, 1)?;
        let ids = targets[0].f_flatten(0, 1)?;
        let none = None::<&Tensor>;
        let mean = logits.f_cross_entropy_loss(&ids, none, Reduction::Mean, -100, 0.0)?;
        let nothing = logits.f_sum(Kind::Float)? * 0.0;
        let mean = match self.fault.as_str() {
            "infinite" => mean / nothing,
            // Zero whose derivative is infinite.
            "steep" => mean + nothing.f_sqrt()?,
            _ => mean,
        };
        Ok(LossValue {
            mean,
            units: if self.fault == "no units" {
                0
            } else {
                ids.numel() as u64
            },
            metrics: vec![("accuracy".to_owned(), 0.5)],
        })
    }
}

fn configs(part: &str, fault: &str) -> Configs {
    let config = |of| {
        let fault = if of == part { fault } else { "" };
        json!({ "fault": fault })
    };
    Configs {
        model: config("model"),
        dataset: config("dataset"),
        loss: config("loss"),
    }
}

#[test]
fn sound_parts_pass() {
    for seed in [0, 7, u64::MAX] {
        check::<Table, Ramp, CrossEntropy>(&configs("", ""), seed).expect("sound");
    }
}

#[test]
fn every_fault_is_named() {
    for (part, fault, words) in [
        (
            "model",
            "double",
            "parameter `embedding` is of another type",
        ),
        (
            "model",
            "transposed",
            "parameter `embedding` is not contiguous",
        ),
        (
            "model",
            "frozen",
            "`embedding` is no leaf that requires a gradient",
        ),
        (
            "model",
            "one name",
            "`embedding` is one of two of that name",
        ),
        (
            "model",
            "unseeded",
            "a model of the same seed came out differently",
        ),
        (
            "model",
            "dropout",
            "the loss of a training pass came out differently",
        ),
        ("model", "cached", "parameter `readout` got no gradient"),
        ("model", "count", "N = 1016; expected 1 to 32"),
        (
            "model",
            "profile",
            "profile() declares N = 17, the model that was built has N = 16",
        ),
        (
            "dataset",
            "flat",
            "a tensor of shape [32]; expected 8 along",
        ),
        (
            "dataset",
            "shuffled",
            "a batch of the split Train came out differently",
        ),
        (
            "dataset",
            "fingerprint",
            "the dataset's fingerprint came out differently",
        ),
        (
            "dataset",
            "empty",
            "a batch: the split HeldOut has no examples",
        ),
        ("loss", "infinite", "inf, a mean over 32 units"),
        ("loss", "no units", "a mean over 0 units"),
        ("loss", "steep", "is not finite"),
    ] {
        let found = check::<Table, Ramp, CrossEntropy>(&configs(part, fault), 1);
        let found = found.expect_err(fault).to_string();
        assert!(found.contains(words), "{part} {fault}: {found}");
    }
}

#[test]
fn a_refusal_names_its_key_as_in_a_manifest() {
    let data = build_dataset::<Ramp>(&json!({}))
        .expect("opened")
        .description();
    for (config, key, words) in [
        (json!({ "width": 0 }), Some("width"), "found 0"),
        (
            json!({ "width": "two" }),
            Some("width"),
            "invalid type: string",
        ),
        (
            json!({ "heads": 2 }),
            Some("heads"),
            "unknown field `heads`",
        ),
        (json!(3), None, "invalid type: integer"),
    ] {
        let refused = build_model::<Table>(&config, &data, 1).expect_err("refused");
        assert_eq!(refused.key(), key, "{refused}");
        assert!(refused.message().contains(words), "{refused}");
    }
    let refused = build_loss::<CrossEntropy>(&json!({ "heads": 2 }), &data);
    assert!(refused.is_err());
}

#[test]
fn a_pass_leaves_parameters_as_they_were() {
    let dataset = build_dataset::<Ramp>(&json!({})).expect("opened");
    let data = dataset.description();
    let model = build_model::<Table>(&json!({}), &data, 1).expect("built");
    let loss = build_loss::<CrossEntropy>(&json!({}), &data).expect("built");
    let batch = draw(&dataset, Split::Train, 6, 2).expect("drawn");
    let before = model.readout.copy();
    let first = pass(&model, &loss, &batch, 0).expect("passed");
    let second = pass(&model, &loss, &batch, 0).expect("passed");
    assert_eq!(first.units, 6 * LENGTH as u64);
    assert_eq!(first.loss.to_bits(), second.loss.to_bits());
    // Nothing piles up from pass to pass.
    assert_eq!(first.gradients["readout"], second.gradients["readout"]);
    assert!(!model.readout.grad().defined());
    assert_eq!(before, model.readout);

    let value = evaluate(&model, &loss, &batch).expect("passed");
    assert!(!value.mean.requires_grad());
    assert_eq!(value.metrics[0].0, "accuracy");
    assert_eq!(value.mean.double_value(&[]).to_bits(), first.loss.to_bits());
}
