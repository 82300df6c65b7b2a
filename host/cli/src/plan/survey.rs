//! What model, dataset and all candidate sizes are, before a plan is laid out.
//!
//! Plugins and programs are asked in a process of their own: one question, one
//! answer, in files. A simulation without plugins answers for itself.

mod ask;
mod plugins;
mod program;

use std::collections::BTreeMap;

use flops_fit_trial::{
    ComponentFacts, DatasetFacts, Description, OutputMoves, Precision, SizeFacts, SizeOutcome,
    TrainSettings, with_size,
};
use serde_json::Value as Json;

use super::{PlanError, source::Sources};
use crate::{
    interrupt::Interrupt,
    manifest::{self, Component, Manifest, Problem},
    plugin::Libraries,
    trainer::Trainer,
    worker::Worker,
};

/// What a simulated trial is said to be made by.
const SIMULATED: &str = "simulated";

/// FLOPs per parameter and token of a simulation without plugins: C = 6·N·D.
const SIX: f64 = 6.0;

/// Asks whoever knows about model, dataset, loss and all candidate sizes, once it is clear
/// that the devices can compute as `manifest` wants.
pub(super) fn survey(
    manifest: &Manifest,
    trainer: &Trainer,
    interrupt: &Interrupt,
) -> Result<(Sources, Description), PlanError> {
    check_precision(manifest)?;
    match (&manifest.trainer, trainer) {
        (manifest::Trainer::Program(command), Trainer::Process(worker)) => {
            let sources = Sources::of_program(manifest, command)?;
            let description = program::ask(manifest, worker, interrupt)?;
            Ok((sources, description))
        }
        (
            _,
            Trainer::Process(worker)
            | Trainer::Law {
                planner: Some(worker),
            },
        ) => {
            let (libraries, description) = of_plugins(manifest, worker, interrupt)?;
            Ok((Sources::from(&libraries), description))
        }
        (_, Trainer::Law { planner: None }) => Ok((Sources::default(), simulated(manifest))),
    }
}

/// Which devices there are may depend on the machine, and a sweep that was trained on
/// another is read on any.
fn check_precision(manifest: &Manifest) -> Result<(), PlanError> {
    if manifest.train.precision != Precision::Tf32 || manifest.run.on_cuda() {
        return Ok(());
    }
    let problem = Problem::Unacceptable {
        found: "tf32".to_owned(),
        expected: "a precision that run.devices have: tf32 is of CUDA devices, and these are the CPU; take fp32".to_owned(),
    };
    Err(manifest.mistake("train.precision", problem).into())
}

/// Checks the plugins' files and asks a worker about them.
pub(crate) fn of_plugins(
    manifest: &Manifest,
    worker: &Worker,
    interrupt: &Interrupt,
) -> Result<(Libraries, Description), PlanError> {
    let libraries = Libraries::find(manifest)?;
    let description = plugins::ask(manifest, &libraries, worker, interrupt)?;
    Ok((libraries, description))
}

/// How far the outputs of each of `sizes` move in `steps` steps with the settings of
/// `train`: by size, then by seed of the manifest.
pub(crate) fn coordinates(
    manifest: &Manifest,
    asked: (&[i64], u64, &TrainSettings),
    worker: &Worker,
    interrupt: &Interrupt,
) -> Result<Vec<Vec<OutputMoves>>, PlanError> {
    let libraries = Libraries::find(manifest)?;
    plugins::coordinates(manifest, &libraries, asked, worker, interrupt)
}

/// Every size is its own N, and data never repeats.
fn simulated(manifest: &Manifest) -> Description {
    let facts = |component: &Component, config: Json| ComponentFacts {
        plugin: SIMULATED.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        kind: component.kind.clone(),
        config,
    };
    let model = &manifest.model;
    let sizes = manifest.candidates().into_iter().map(|size| SizeFacts {
        size,
        outcome: SizeOutcome::Accepted {
            n: size.unsigned_abs(),
            counts: BTreeMap::new(),
            flops_per_unit: SIX * size as f64,
            flops_from_model: false,
            config: with_size(&model.component.config, &model.size_param, size),
        },
    });
    Description {
        model: facts(&model.component, Json::Null),
        dataset: facts(&manifest.dataset, manifest.dataset.config.clone()),
        loss: facts(&manifest.loss, manifest.loss.config.clone()),
        data: DatasetFacts {
            fingerprint: SIMULATED.to_owned(),
            unit: "tokens".to_owned(),
            units_per_example: 1,
            unique_units: None,
            train_examples: None,
            held_out_examples: None,
        },
        sizes: sizes.collect(),
        libtorch: String::new(),
        gemm: None,
    }
}
