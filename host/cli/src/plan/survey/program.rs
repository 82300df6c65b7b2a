//! Asks a program of the user's.

use std::{io, os::unix::process::ExitStatusExt};

use flops_fit_trial::{
    Description, FORMAT, Failure, ProgramAnswer, ProgramPart, ProgramQuestion, read_bounded,
    signal_name,
};

use super::{super::PlanError, ask::ask as converse};
use crate::{
    interrupt::Interrupt,
    manifest::{Component, Manifest},
    worker::Worker,
};

const FILE: &str = "answer.json";

pub(super) fn ask(
    manifest: &Manifest,
    worker: &Worker,
    interrupt: &Interrupt,
) -> Result<Description, PlanError> {
    let part = |component: &Component| ProgramPart {
        kind: component.kind.clone(),
        config: component.config.clone(),
    };
    let question = ProgramQuestion {
        format: FORMAT,
        model: part(&manifest.model.component),
        dataset: part(&manifest.dataset),
        loss: part(&manifest.loss),
        base_dir: manifest.base_dir.clone(),
        size_param: manifest.model.size_param.clone(),
        sizes: manifest.candidates(),
    };
    let program = worker.name();
    let who = |_| format!("trainer `{program}`");
    let asked = converse("describe", &question, manifest, worker, interrupt, &who)?;
    let failed = |failure| PlanError::Failed {
        place: manifest.place("trainer"),
        failure: Box::new(failure),
    };
    let text = match read_bounded(&asked.answer()) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(failed(Failure::ProgramEnded {
                program: program.clone(),
                ended: match (asked.status.signal(), asked.status.code()) {
                    (Some(signal), _) => signal_name(signal),
                    (None, code) => format!("status {}", code.unwrap_or_default()),
                },
                file: FILE.to_owned(),
                log: asked.last_words,
            }));
        }
        Err(source) => {
            return Err(PlanError::Start {
                worker: worker.path().to_owned(),
                source,
            });
        }
    };
    ProgramAnswer::parse(&text)
        .and_then(|answer| answer.describe(&question))
        .map_err(|problem| {
            failed(Failure::ProgramFile {
                program: program.clone(),
                file: FILE.to_owned(),
                problem,
            })
        })
}
