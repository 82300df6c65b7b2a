//! One running trial: its worker, its signs of life, its end.

use std::{
    io,
    process::ExitStatus,
    time::{Duration, Instant},
};

use flops_fit_trial::{
    DocumentError, Environment, FORMAT, Failure, Outcome, Progress, ProgressReader, Stage, Timing,
    TrialResult,
};

use super::{
    Trial,
    select::{clear, libraries},
};
use crate::{
    manifest::Limits,
    process::{Process, last_lines},
    worker::Worker,
};

/// How long a worker may take to end once its result is written.
const EXIT_GRACE: Duration = Duration::from_secs(10);

/// Time between two looks at a trial's progress.
const LOOK: Duration = Duration::from_millis(200);

const LOG_LINES: usize = 8;

/// A trial whose worker was started.
pub(super) struct Running {
    pub(super) trial: Trial,
    process: Process,
    reader: ProgressReader,
    begun: Instant,
    last_look: Instant,
    last_sign: Instant,
    stage: Stage,
    result_seen: Option<Instant>,
}

impl Running {
    pub(super) fn start(trial: Trial, worker: &Worker) -> Result<Self, StartError> {
        clear(&trial.dir)?;
        trial.dir.write_spec(&trial.spec)?;
        let process = Process::start(
            worker
                .command(trial.spec.run.threads)
                .arg("train")
                .arg(trial.dir.path()),
            &trial.dir.log_path(),
        )
        .map_err(StartError::Spawn)?;
        let now = Instant::now();
        Ok(Self {
            reader: ProgressReader::new(trial.dir.progress_path()),
            process,
            begun: now,
            last_look: now,
            last_sign: now,
            stage: Stage::Start,
            result_seen: None,
            trial,
        })
    }

    /// New signs of life, if it is time to look for them.
    pub(super) fn progress(&mut self) -> Vec<Progress> {
        if self.last_look.elapsed() < LOOK {
            return Vec::new();
        }
        self.last_look = Instant::now();
        let lines = self.reader.poll();
        if let Some(last) = lines.last() {
            self.last_sign = self.last_look;
            self.stage = last.stage;
        }
        lines
    }

    /// How the trial ended, once it has; a limit that is passed ends it.
    pub(super) fn outcome(&mut self, limits: &Limits) -> Result<Option<Outcome>, DocumentError> {
        let status = match self.process.poll() {
            Ok(Some(status)) => status,
            Ok(None) => return self.overdue(limits),
            Err(error) => {
                self.process.kill();
                return self.conclude(Failure::Host {
                    phase: flops_fit_trial::Phase::Load,
                    detail: format!("waiting for the worker: {error}"),
                });
            }
        };
        match self.trial.dir.result() {
            Ok(Some(result)) if result.id == self.trial.spec.id => Ok(Some(result.outcome)),
            Ok(_) | Err(DocumentError::Foreign { .. }) => self.conclude(self.failure(status)),
            Err(error) => Err(error),
        }
    }

    /// Looks at the limits of a trial whose worker is alive.
    fn overdue(&mut self, limits: &Limits) -> Result<Option<Outcome>, DocumentError> {
        // The result is the last thing that a worker writes. One that does not
        // end after it hangs in a plugin's destructor: its result stands.
        if self.trial.dir.result_path().exists() {
            let seen = *self.result_seen.get_or_insert_with(Instant::now);
            if seen.elapsed() > EXIT_GRACE {
                self.process.kill();
            }
            return Ok(None);
        }
        let total = limits.total.map(|limit| ("time_limit", self.begun, limit));
        let quiet = match self.stage {
            Stage::Start => ("start_limit", self.begun, limits.start),
            Stage::Train | Stage::Evaluate => ("silence_limit", self.last_sign, limits.silence),
        };
        let passed = [Some(quiet), total]
            .into_iter()
            .flatten()
            .find(|(_, since, limit)| since.elapsed() > *limit);
        let Some((key, _, limit)) = passed else {
            return Ok(None);
        };
        self.process.kill();
        let what = match (key, self.stage) {
            ("time_limit", _) => "the whole trial",
            (_, Stage::Start) => "loading and building, before the first step",
            (_, Stage::Train) => "a training step",
            (_, Stage::Evaluate) => "held-out evaluation",
        };
        self.conclude(Failure::TimedOut {
            what: what.to_owned(),
            key: key.to_owned(),
            limit_s: limit.as_secs_f64(),
        })
    }

    fn failure(&self, status: ExitStatus) -> Failure {
        use std::os::unix::process::ExitStatusExt;
        let log = last_lines(&self.trial.dir.log_path(), LOG_LINES);
        match status.signal() {
            Some(signal) => Failure::Crashed { signal, log },
            None => Failure::ExitedEarly {
                status: status.code().unwrap_or_default(),
                log,
            },
        }
    }

    /// Writes the result that the worker could not.
    fn conclude(&self, failure: Failure) -> Result<Option<Outcome>, DocumentError> {
        let spec = &self.trial.spec;
        let outcome = Outcome::Failed { failure };
        self.trial.dir.write_result(&TrialResult {
            format: FORMAT,
            id: spec.id.clone(),
            outcome: outcome.clone(),
            environment: Environment {
                devices: spec.run.devices.clone(),
                threads: spec.run.threads,
                micro_batch: spec.run.micro_batch,
                attempt: spec.run.attempt,
                libraries: libraries(spec),
                ..Environment::default()
            },
            timing: Timing {
                startup: 0.0,
                train: self.begun.elapsed().as_secs_f64(),
                evaluate: 0.0,
            },
        })?;
        Ok(Some(outcome))
    }

    /// Asks the worker's group to end.
    pub(super) fn stop(&mut self, grace: Duration) {
        self.process.stop(grace);
    }
}

/// Why a worker was not started.
pub(super) enum StartError {
    /// The trial's files.
    Document(DocumentError),
    /// The worker itself.
    Spawn(io::Error),
}

impl From<DocumentError> for StartError {
    fn from(error: DocumentError) -> Self {
        Self::Document(error)
    }
}
