//! Asks flops-fit's own worker about plugins.

use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

use flops_fit_trial::{
    Compute, CoordinatesRequest, CoordinatesResponse, DescribeRequest, DescribeResponse,
    Description, DocumentError, FORMAT, Failure, OutputMoves, Part, Pulse, TrainSettings,
    WantedComponent, read_json, with_size,
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    super::PlanError,
    ask::{Asked, ask as converse},
};
use crate::{
    interrupt::Interrupt,
    manifest::{Component, Manifest, Problem},
    plugin::{Libraries, Library},
    worker::{Worker, blameless},
};

pub(super) fn ask(
    manifest: &Manifest,
    libraries: &Libraries,
    worker: &Worker,
    interrupt: &Interrupt,
) -> Result<Description, PlanError> {
    let question = DescribeRequest {
        format: FORMAT,
        model: wanted(&manifest.model.component, &libraries.model),
        dataset: wanted(&manifest.dataset, &libraries.dataset),
        loss: wanted(&manifest.loss, &libraries.loss),
        base_dir: manifest.base_dir.clone(),
        size_param: manifest.model.size_param.clone(),
        sizes: manifest.candidates(),
        compute: manifest.run.devices.first().map(|device| Compute {
            device: device.clone(),
            precision: manifest.train.precision,
        }),
    };
    let asking = Asking {
        manifest,
        libraries,
        worker,
        interrupt,
    };
    match asking.ask("describe", &question)? {
        DescribeResponse::Described { description, .. } => Ok(*description),
        DescribeResponse::Failed { failure, .. } => Err(refused(manifest, libraries, failure)),
    }
}

/// How far outputs move at `sizes` in `steps` steps at the rate of `train`, with each of
/// the manifest's seeds.
pub(super) fn coordinates(
    manifest: &Manifest,
    libraries: &Libraries,
    (sizes, steps, train): (&[i64], u64, &TrainSettings),
    worker: &Worker,
    interrupt: &Interrupt,
) -> Result<Vec<Vec<OutputMoves>>, PlanError> {
    let model = &manifest.model;
    let sized = |&size| with_size(&model.component.config, &model.size_param, size);
    let question = CoordinatesRequest {
        format: FORMAT,
        model: wanted(&model.component, &libraries.model),
        sizes: sizes.iter().map(sized).collect(),
        dataset: wanted(&manifest.dataset, &libraries.dataset),
        loss: wanted(&manifest.loss, &libraries.loss),
        base_dir: manifest.base_dir.clone(),
        batch_examples: train.batch_examples,
        steps,
        lr: train.lr,
        optimizer: train.optimizer.clone(),
        seeds: manifest.sweep.seeds.clone(),
        threads: manifest.run.threads.least() as u32,
    };
    let asking = Asking {
        manifest,
        libraries,
        worker,
        interrupt,
    };
    match asking.ask("coordinates", &question)? {
        CoordinatesResponse::Measured { sizes, .. } => Ok(sizes),
        CoordinatesResponse::Failed { failure, .. } => Err(refused(manifest, libraries, failure)),
    }
}

fn wanted(component: &Component, library: &Library) -> WantedComponent {
    WantedComponent {
        library: library.path.clone(),
        kind: component.kind.clone(),
        config: component.config.clone(),
    }
}

/// Who is asked, and about what.
struct Asking<'a> {
    manifest: &'a Manifest,
    libraries: &'a Libraries,
    worker: &'a Worker,
    interrupt: &'a Interrupt,
}

impl Asking<'_> {
    fn ask<Q: Serialize, A: DeserializeOwned>(
        &self,
        verb: &str,
        question: &Q,
    ) -> Result<A, PlanError> {
        let Self {
            manifest,
            libraries,
            worker,
            interrupt,
        } = self;
        let who = |pulse: Option<Pulse>| {
            pulse
                .and_then(|pulse| plugin(libraries, pulse))
                .map_or_else(
                    || "the plugins".to_owned(),
                    |plugin| format!("plugin {plugin}"),
                )
        };
        let asked = converse(verb, question, manifest, worker, interrupt, &who)?;
        match read_json(&asked.answer()) {
            Ok(answer) => Ok(answer),
            Err(DocumentError::Io { .. }) => {
                let log = asked.last_words.clone();
                match blameless(asked.status, asked.farewell, &log) {
                    Some(error) => Err(error.into()),
                    None => Err(refused(manifest, libraries, ended(&asked, log, libraries))),
                }
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn ended(asked: &Asked, log: Vec<String>, libraries: &Libraries) -> Failure {
    let status: ExitStatus = asked.status;
    match status.signal() {
        Some(signal) => Failure::Crashed {
            signal,
            plugins: libraries.names(),
            log,
        },
        None => Failure::ExitedEarly {
            status: status.code().unwrap_or_default(),
            phase: asked.farewell.map(|pulse| pulse.phase),
            plugin: asked.farewell.and_then(|pulse| plugin(libraries, pulse)),
            log,
        },
    }
}

/// The plugin whose code ran.
fn plugin(libraries: &Libraries, pulse: Pulse) -> Option<String> {
    let library = match pulse.part {
        Part::Host => return None,
        Part::Model => &libraries.model,
        Part::Dataset => &libraries.dataset,
        Part::Loss => &libraries.loss,
    };
    Some(library.record.name.clone())
}

/// A failure, pointed at the line of the manifest that it is about.
fn refused(manifest: &Manifest, libraries: &Libraries, failure: Failure) -> PlanError {
    let failure = match failure {
        Failure::Config {
            plugin,
            what,
            key,
            message,
        } => {
            let below = key.map(|key| format!(".{key}")).unwrap_or_default();
            let problem = Problem::Refused {
                by: format!("plugin {plugin}"),
                reason: message,
            };
            return manifest
                .mistake(&format!("{what}.config{below}"), problem)
                .into();
        }
        failure => failure,
    };
    let key = match &failure {
        Failure::UnknownKind { what, .. } => format!("{what}.kind"),
        failure => {
            let named = failure.library().and_then(|path| {
                let parts = [
                    (&libraries.model, manifest.model.component.plugin_key),
                    (&libraries.dataset, manifest.dataset.plugin_key),
                    (&libraries.loss, manifest.loss.plugin_key),
                ];
                parts.into_iter().find(|(library, _)| library.path == path)
            });
            named.map_or("model.plugin", |(_, key)| key).to_owned()
        }
    };
    PlanError::Failed {
        place: manifest.place(&key),
        failure: Box::new(failure),
    }
}
