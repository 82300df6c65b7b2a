//! A question to a process, and what became of it.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::{Duration, Instant},
};

use flops_fit_trial::{Pulse, write_json};
use serde::Serialize;
use tempfile::TempDir;

use super::super::PlanError;
use crate::{interrupt::Interrupt, manifest::Manifest, process::Process, worker::Worker};

const POLL: Duration = Duration::from_millis(5);
const LOG_LINES: usize = 8;

/// How long a worker may take to end once it was asked to.
const TERM_GRACE: Duration = Duration::from_secs(2);

/// A process that was asked and has ended, with the files of the conversation.
pub(super) struct Asked {
    folder: TempDir,
    pub(super) status: ExitStatus,
    /// Where it was when it was made to exit, if it could say so.
    pub(super) farewell: Option<Pulse>,
    pub(super) last_words: Vec<String>,
}

const ANSWER: &str = "answer.json";
const LOG: &str = "worker.log";

impl Asked {
    /// Where the answer is, if there is one.
    pub(super) fn answer(&self) -> PathBuf {
        self.folder.path().join(ANSWER)
    }
}

/// Starts `worker <verb> <question> <answer>` and waits for its end; `who` names
/// what it was busy with, should it not answer in time.
pub(super) fn ask<Q: Serialize>(
    verb: &str,
    question: &Q,
    manifest: &Manifest,
    worker: &Worker,
    interrupt: &Interrupt,
    who: &dyn Fn(Option<Pulse>) -> String,
) -> Result<Asked, PlanError> {
    let start = |source| PlanError::Start {
        worker: worker.path().to_owned(),
        source,
    };
    let folder = tempfile::tempdir().map_err(start)?;
    let path = |name: &str| -> PathBuf { Path::new(folder.path()).join(name) };
    write_json(&path("question.json"), question)?;
    let mut command = worker.command(
        manifest.run.threads.least() as u32,
        manifest.train.precision,
    );
    command
        .arg(verb)
        .args([path("question.json"), path(ANSWER)]);
    let log = File::create(path(LOG)).map_err(start)?;
    let mut process = Process::start(command, log).map_err(start)?;
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
                who: who(pulse),
            });
        }
        std::thread::sleep(POLL);
    };
    Ok(Asked {
        farewell: process.farewell(),
        last_words: process.last_lines(LOG_LINES),
        folder,
        status,
    })
}
