//! Asks a worker about model, dataset and all candidate sizes: one process, one
//! question, one answer, in files.

use std::{
    fs::File,
    path::Path,
    process::ExitStatus,
    time::{Duration, Instant},
};

use flops_fit_trial::{
    DescribeRequest, DescribeResponse, Description, DocumentError, FORMAT, Failure, Part, Pulse,
    WantedComponent, read_json, write_json,
};

use super::PlanError;
use crate::{
    interrupt::Interrupt,
    manifest::{Component, Manifest, Problem},
    plugin::{Libraries, Library},
    process::{Process, last_lines},
    worker::Worker,
};

const POLL: Duration = Duration::from_millis(5);
const LOG_LINES: usize = 8;

/// How long a worker may take to end once it was asked to.
const TERM_GRACE: Duration = Duration::from_secs(2);

pub(super) fn ask(
    manifest: &Manifest,
    libraries: &Libraries,
    worker: &Worker,
    interrupt: &Interrupt,
) -> Result<Description, PlanError> {
    let start = |source| PlanError::Start {
        worker: worker.path().to_owned(),
        source,
    };
    let folder = tempfile::tempdir().map_err(start)?;
    let request = folder.path().join("request.json");
    let response = folder.path().join("response.json");
    let log = folder.path().join("worker.log");
    write_json(&request, &question(manifest, libraries))?;
    let mut command = worker.command(manifest.run.threads);
    command.arg("describe").args([&request, &response]);
    let mut process = Process::start(command, File::create(&log).map_err(start)?).map_err(start)?;
    let begun = Instant::now();
    let limit = manifest.run.limits.start;
    let status = loop {
        if let Some(status) = process.poll().map_err(start)? {
            break status;
        }
        if interrupt.is_raised() {
            return Err(PlanError::Interrupted);
        }
        if begun.elapsed() > limit {
            let pulse = process.ask();
            process.stop(TERM_GRACE);
            return Err(PlanError::Silent {
                limit,
                plugin: pulse.and_then(|pulse| plugin(libraries, pulse)),
            });
        }
        std::thread::sleep(POLL);
    };
    match read_json(&response) {
        Ok(DescribeResponse::Described { description, .. }) => Ok(*description),
        Ok(DescribeResponse::Failed { failure, .. }) => Err(refused(manifest, libraries, failure)),
        Err(DocumentError::Io { .. }) => {
            let pulse = process.farewell();
            let failure = ended(status, libraries, pulse, &log);
            Err(refused(manifest, libraries, failure))
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

fn ended(status: ExitStatus, libraries: &Libraries, pulse: Option<Pulse>, log: &Path) -> Failure {
    use std::os::unix::process::ExitStatusExt;
    let log = last_lines(log, LOG_LINES);
    match status.signal() {
        Some(signal) => Failure::Crashed {
            signal,
            plugins: libraries.names(),
            log,
        },
        None => Failure::ExitedEarly {
            status: status.code().unwrap_or_default(),
            phase: pulse.map(|pulse| pulse.phase),
            plugin: pulse.and_then(|pulse| plugin(libraries, pulse)),
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
