//! Asks flops-fit's own worker about plugins.

use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

use flops_fit_trial::{
    DescribeRequest, DescribeResponse, Description, DocumentError, FORMAT, Failure, Part, Pulse,
    WantedComponent, read_json,
};

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
    let question = question(manifest, libraries);
    let who = |pulse: Option<Pulse>| {
        pulse
            .and_then(|pulse| plugin(libraries, pulse))
            .map_or_else(
                || "the plugins".to_owned(),
                |plugin| format!("plugin {plugin}"),
            )
    };
    let asked = converse(&question, manifest, worker, interrupt, &who)?;
    match read_json(&asked.answer()) {
        Ok(DescribeResponse::Described { description, .. }) => Ok(*description),
        Ok(DescribeResponse::Failed { failure, .. }) => Err(refused(manifest, libraries, failure)),
        Err(DocumentError::Io { .. }) => {
            let log = asked.last_words();
            match blameless(asked.status, asked.farewell, &log) {
                Some(error) => Err(error.into()),
                None => Err(refused(manifest, libraries, ended(&asked, log, libraries))),
            }
        }
        Err(error) => Err(error.into()),
    }
}

fn question(manifest: &Manifest, libraries: &Libraries) -> DescribeRequest {
    let wanted = |component: &Component, library: &Library| WantedComponent {
        library: library.path.clone(),
        kind: component.kind.clone(),
        config: component.config.clone(),
    };
    DescribeRequest {
        format: FORMAT,
        model: wanted(&manifest.model.component, &libraries.model),
        dataset: wanted(&manifest.dataset, &libraries.dataset),
        loss: wanted(&manifest.loss, &libraries.loss),
        base_dir: manifest.base_dir.clone(),
        size_param: manifest.model.size_param.clone(),
        sizes: manifest.candidates(),
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
