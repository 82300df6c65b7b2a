//! A whole trial by the way of every other: model, dataset and loss behind the tables that
//! plugins export, loader thread, ranks, a checkpoint to go on from, evaluation.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use flops_fit_plugin as api;
use flops_fit_plugin::{
    Buffer, Context, DataDescription, DataForm, Draw, LossValue, Mode, ModelContext, Parameter,
    Place, Split, Unit,
};
use flops_fit_trial::{Failure, Outcome, Phase, Progress, TrialDir, TrialSpec};
use serde_json::{Value, json};
use tch::{Device, Kind, Reduction, TchError, Tensor};

use super::{CLOSE, relative};
use crate::{
    Blueprint, FlatParameters, Keeper, Observer, Training,
    order::mix,
    plugin::{linked, refused},
    train,
};

const STEPS: u64 = 24;

/// The step after which a trial is interrupted.
const STOP: u64 = 11;

const VOCABULARY: i64 = 29;

/// Tokens of an example.
const LENGTH: i64 = 16;

const WIDTH: i64 = 12;

/// A trial on `devices`, a rank on each, ends where one on the CPU does, and so does one
/// that is interrupted, saved in `scratch`, and goes on.
pub(super) fn ends_well(devices: &[String], scratch: &Path) -> Result<String, String> {
    let said = |failure: Failure| failure.to_string();
    let alone = completed(&spec(&["cpu".to_owned()])?, None).map_err(said)?;
    let spec = spec(devices)?;
    let whole = completed(&spec, None).map_err(said)?;
    let folder = scratch.join(devices.join("-").replace(':', ""));
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let continued = completed(&spec, Some(&TrialDir::new(&folder))).map_err(said)?;

    let apart = |a: &Tensor, b: &Tensor| relative(a, b).map_err(|error| error.to_string());
    let (there, later) = (apart(&alone, &whole)?, apart(&whole, &continued)?);
    let found = format!(
        "‖Δw‖/‖w‖ = {there:.1e} against the CPU and {later:.1e} once interrupted, at most {CLOSE:.0e}"
    );
    if there <= CLOSE && later <= CLOSE {
        Ok(found)
    } else {
        Err(found)
    }
}

/// The parameters after all steps and an evaluation, on the CPU; by way of a checkpoint in
/// `folder` where one is given.
fn completed(spec: &TrialSpec, folder: Option<&TrialDir>) -> Result<Tensor, Failure> {
    let dataset = || linked::dataset::<Cycles>(&Value::Null);
    let data = dataset()?.description().clone();
    let loss = linked::loss::<Entropy>();
    let blueprint = Blueprint::new(linked::model::<Bigram>(), loss, &Value::Null, &data);
    if let Some(folder) = folder {
        let mut keeper = Keeper::open(folder, spec)?;
        let mut eye = Eye {
            stop: Some(keeper.stop()),
            parameters: None,
        };
        match train(spec, &blueprint, dataset()?, Some(&mut keeper), &mut eye)? {
            Training::Interrupted { .. } => {}
            Training::Ended(_) => return Err(failed("it can't be interrupted".to_owned())),
        }
    }
    let mut keeper = folder
        .map(|folder| Keeper::open(folder, spec))
        .transpose()?;
    if keeper.as_ref().is_some_and(|keeper| !keeper.is_continued()) {
        return Err(failed("it left no checkpoint to go on from".to_owned()));
    }
    let mut eye = Eye::default();
    match train(spec, &blueprint, dataset()?, keeper.as_mut(), &mut eye)? {
        Training::Ended(trained) if matches!(trained.outcome, Outcome::Completed { .. }) => {}
        other => return Err(failed(format!("it did not complete: {other:?}"))),
    }
    let parameters = eye
        .parameters
        .ok_or_else(|| failed("nobody has trained".to_owned()))?;
    parameters.map_err(|error| refused(Phase::Update, &error))
}

fn failed(detail: String) -> Failure {
    Failure::Host {
        phase: Phase::Update,
        detail,
    }
}

/// Keeps the parameters, or asks the trial to stop.
#[derive(Default)]
struct Eye {
    stop: Option<Arc<AtomicBool>>,
    parameters: Option<Result<Tensor, TchError>>,
}

impl Observer for Eye {
    fn progress(&mut self, _progress: &Progress) {}

    fn step(&mut self, step: u64) {
        if let Some(stop) = &self.stop
            && step == STOP
        {
            stop.store(true, Ordering::Relaxed);
        }
    }

    fn trained(&mut self, parameters: &FlatParameters) {
        let copy = parameters.params.f_detach_copy();
        self.parameters = Some(copy.and_then(|copy| copy.f_to_device(Device::Cpu)));
    }
}

fn spec(devices: &[String]) -> Result<TrialSpec, String> {
    let component = json!({ "plugin": "doctor", "version": "1", "kind": "kind", "config": null });
    let load = json!({ "library": "/", "sha256": "", "config": null });
    let (batch, n) = (8, 2 * VOCABULARY * WIDTH);
    let spec = json!({
        "format": 1,
        "id": "doctor",
        "recipe": {
            "model": component, "dataset": component, "loss": component, "fingerprint": "",
            "size": WIDTH, "budget": 1.0, "steps": STEPS, "units": STEPS * batch * LENGTH as u64,
            "seed": 0,
            "train": {
                "lr": 0.02, "schedule": { "kind": "constant" }, "warmup_steps": 4,
                "batch_examples": batch, "grad_clip": 1.0, "precision": "fp32",
                "eval_units": 64 * LENGTH,
                "optimizer": { "beta1": 0.9, "beta2": 0.95, "eps": 1e-8, "weight_decay": 0.01 },
            },
        },
        "run": {
            "model": load, "dataset": load, "loss": load, "base_dir": "/", "declared_n": n,
            "counts": {}, "flops_per_unit": 1.0, "units_per_example": LENGTH, "devices": devices,
            "threads": 1, "micro_batch": 2, "attempt": 0,
        },
    });
    serde_json::from_value(spec).map_err(|error| error.to_string())
}

/// Tokens looked up in one table and read out by another; counts its passes.
struct Bigram {
    embedding: Tensor,
    readout: Tensor,
    passes: Tensor,
}

impl api::Model for Bigram {
    type Config = ();

    fn build((): &(), context: &ModelContext<'_>) -> api::Result<Self> {
        // Not drawn: each kind of device has a generator of its own.
        let table = |shape: [i64; 2]| -> Result<Tensor, TchError> {
            Tensor::f_arange(shape[0] * shape[1], (Kind::Float, Device::Cpu))?
                .f_mul_scalar(2.3)?
                .f_sin()?
                .f_mul_scalar(0.4)?
                .f_view(shape)?
                .f_to_device(context.device)?
                .f_set_requires_grad(true)
        };
        Ok(Self {
            embedding: table([VOCABULARY, WIDTH])?,
            readout: table([WIDTH, VOCABULARY])?,
            passes: Tensor::f_zeros([1], (Kind::Float, context.device))?,
        })
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![
            Parameter::new("embedding", &self.embedding),
            Parameter::new("readout", &self.readout),
        ]
    }

    fn buffers(&self) -> Vec<Buffer> {
        vec![Buffer {
            name: "passes".to_owned(),
            tensor: self.passes.shallow_clone(),
        }]
    }

    fn forward(&self, inputs: &[Tensor], context: &Context) -> api::Result<Vec<Tensor>> {
        if context.mode == Mode::Train {
            let _ = self.passes.shallow_clone().f_add_scalar_(1.0)?;
        }
        let found = Tensor::f_embedding(&self.embedding, &inputs[0], -1, false, false)?;
        Ok(vec![found.f_gelu("none")?.f_matmul(&self.readout)?])
    }
}

/// Tokens that go round, each example by a stride of its own.
struct Cycles;

impl api::Dataset for Cycles {
    type Config = ();

    fn build((): &(), _place: &Place<'_>) -> api::Result<Self> {
        Ok(Self)
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
            held_out_examples: None,
        }
    }

    fn fingerprint(&self) -> String {
        String::new()
    }

    fn batch(&self, split: Split, draws: &[Draw]) -> api::Result<api::Batch> {
        let token = |draw: &Draw, place: i64| {
            let random = mix(draw.index ^ mix(split as u64));
            let (start, stride) = ((random >> 8) as i64 & 0xffff, 1 + (random % 3) as i64);
            (start + place * stride) % VOCABULARY
        };
        let from = |first: i64| {
            let tokens = draws.iter().flat_map(|draw| {
                let places = first..first + LENGTH;
                places.map(move |place| token(draw, place))
            });
            let tokens: Vec<i64> = tokens.collect();
            Tensor::f_from_slice(&tokens)?.f_view([draws.len() as i64, LENGTH])
        };
        Ok(api::Batch {
            inputs: vec![from(0)?],
            targets: vec![from(1)?],
        })
    }
}

struct Entropy;

impl api::Loss for Entropy {
    type Config = ();

    fn build((): &(), _data: &DataDescription) -> api::Result<Self> {
        Ok(Self)
    }

    fn compute(
        &self,
        outputs: &[Tensor],
        targets: &[Tensor],
        _mode: Mode,
    ) -> api::Result<LossValue> {
        let (logits, tokens) = (
            outputs[0].f_view([-1, VOCABULARY])?,
            targets[0].f_view([-1])?,
        );
        let mean =
            logits.f_cross_entropy_loss::<Tensor>(&tokens, None, Reduction::Mean, -100, 0.0)?;
        Ok(LossValue {
            mean,
            units: tokens.numel() as u64,
            metrics: Vec::new(),
        })
    }
}
