//! Asks a worker about model, dataset and all candidate sizes: one process, one
//! question, one answer, in files.

use std::{
    path::Path,
    process::ExitStatus,
    time::{Duration, Instant},
};

use flops_fit_trial::{
    DescribeRequest, DescribeResponse, Description, DocumentError, FORMAT, Failure,
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
    let mut process = Process::start(
        worker
            .command(manifest.run.threads)
            .arg("describe")
            .args([&request, &response]),
        &log,
    )
    .map_err(start)?;
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
            return Err(PlanError::Silent { limit });
        }
        std::thread::sleep(POLL);
    };
    match read_json(&response) {
        Ok(DescribeResponse::Described { description, .. }) => Ok(*description),
        Ok(DescribeResponse::Failed { failure, .. }) => Err(refused(manifest, failure)),
        Err(DocumentError::Io { .. }) => Err(refused(manifest, ended(status, &log))),
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

fn ended(status: ExitStatus, log: &Path) -> Failure {
    use std::os::unix::process::ExitStatusExt;
    let log = last_lines(log, LOG_LINES);
    match status.signal() {
        Some(signal) => Failure::Crashed { signal, log },
        None => Failure::ExitedEarly {
            status: status.code().unwrap_or_default(),
            log,
        },
    }
}

/// A failure, pointed at the line of the manifest that it is about.
fn refused(manifest: &Manifest, failure: Failure) -> PlanError {
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
        _ => "model.plugin".to_owned(),
    };
    PlanError::Failed {
        place: manifest.place(&key),
        failure: Box::new(failure),
    }
}
