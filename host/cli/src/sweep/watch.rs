//! One running trial: its worker, its signs of life, its end.

use std::{
    fs::File,
    io,
    process::ExitStatus,
    time::{Duration, Instant},
};

use flops_fit_trial::{
    DocumentError, Failure, Outcome, Part, Phase, Progress, ProgressReader, Pulse, TRIAL_VARIABLE,
    TrialSpec, signal_name,
};
use rustix::{io::Errno, process::Signal};

use super::{
    SweepError, Trial,
    ending::{Ending, Step},
    limit::Clock,
    program,
};
use crate::{
    manifest::Limits,
    process::Process,
    worker::{Worker, WorkerError, blameless},
};

/// How long a worker may take to end once its result is written.
const EXIT_GRACE: Duration = Duration::from_secs(10);

/// How long a worker may take to end once it was asked to.
const TERM_GRACE: Duration = Duration::from_secs(2);

/// Time between two looks at a trial's progress.
const LOOK: Duration = Duration::from_millis(200);

const LOG_LINES: usize = 8;

/// Names the number of a trial's place among those that run, from 0 to below
/// `run.jobs`.
const SLOT_VARIABLE: &str = "FLOPS_FIT_SLOT";

/// A trial whose worker was started.
pub(super) struct Running {
    pub(super) trial: Trial,
    process: Process,
    reader: ProgressReader,
    clock: Clock,
    last_look: Instant,
    state: State,
}

enum State {
    Training,
    /// The result is there, the process still is too.
    Written {
        ending: Ending,
    },
    /// It was asked to end.
    TimedOut {
        ending: Ending,
        failure: Failure,
    },
}

impl Running {
    /// Starts the worker of `trial`, which is told the number of its place, `slot`.
    pub(super) fn start(trial: Trial, worker: &Worker, slot: usize) -> Result<Self, StartError> {
        trial.dir.clear()?;
        trial.dir.write_spec(&trial.spec)?;
        let mut command = worker.command(trial.spec.run.threads, trial.spec.recipe.train.precision);
        let folder = trial.dir.path();
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        command
            .arg("train")
            .arg(&folder)
            .env(TRIAL_VARIABLE, &folder)
            .env(SLOT_VARIABLE, slot.to_string());
        let path = trial.dir.log_path();
        let log = File::create(&path).map_err(|source| DocumentError::Io {
            action: "writing",
            path,
            source,
        })?;
        // An interrupted trial's worker goes on in the same file. Its end is looked for
        // before the worker can have written anything.
        let reader = ProgressReader::from_end(trial.dir.progress_path());
        let process = Process::start(command, log).map_err(StartError::Spawn)?;
        let now = Instant::now();
        Ok(Self {
            reader,
            process,
            clock: Clock::new(now),
            last_look: now,
            state: State::Training,
            trial,
        })
    }

    /// New lines of progress, if it is time to look for them.
    pub(super) fn progress(&mut self) -> Vec<Progress> {
        let since = self.last_look.elapsed();
        if since < LOOK {
            return Vec::new();
        }
        self.last_look = Instant::now();
        if since > 2 * LOOK {
            self.clock.held_up(since.saturating_sub(LOOK));
        }
        let lines = self.reader.poll();
        for line in &lines {
            self.clock.advanced(line.stage, line.step);
        }
        if let Some(pulse) = self.process.pulse() {
            self.clock.beat(pulse.stage);
        }
        lines
    }

    /// How the trial ended, once it has; a limit that is passed ends it.
    ///
    /// # Errors
    /// If the result can't be read, or could not be written for a worker that left
    /// none; if the worker could not be loaded, or could not write. The process has
    /// ended all the same.
    pub(super) fn outcome(&mut self, limits: &Limits) -> Result<Option<Outcome>, SweepError> {
        let status = match self.process.poll() {
            Ok(Some(status)) => Some(status),
            Ok(None) => match self.look_at_limits(limits) {
                Step::Wait => return Ok(None),
                Step::Kill => {
                    self.process.signal(Signal::KILL);
                    return Ok(None);
                }
                Step::GiveUp => {
                    self.process.give_up();
                    None
                }
            },
            Err(error) => {
                self.process.kill();
                return self.conclude(Failure::Host {
                    phase: Phase::Load,
                    detail: format!("waiting for the worker: {error}"),
                });
            }
        };
        if self.trial.spec.run.program.is_some()
            && let Some(outcome) = program::seal(&self.trial, Some(self.clock.total()))?
        {
            return Ok(Some(outcome));
        }
        match self.trial.dir.result() {
            Ok(Some(result)) if result.id == self.trial.spec.id => Ok(Some(result.outcome)),
            Err(error) if !error.is_foreign() => Err(error.into()),
            _ => {
                let failure = self.failure(status)?;
                self.conclude(failure)
            }
        }
    }

    /// The worker's process, if not even SIGKILL has ended it.
    pub(super) fn unended(&self) -> Option<u32> {
        self.process.unended()
    }

    /// Looks at the limits of a trial whose worker is alive: what is to be done about
    /// its end.
    fn look_at_limits(&mut self, limits: &Limits) -> Step {
        match &self.state {
            // The result is the last thing that a worker writes. One that does
            // not end after it hangs in a plugin's destructor: its result stands.
            State::Written { ending } | State::TimedOut { ending, .. } => ending.step(),
            State::Training => {
                if self.trial.dir.result_path().exists() {
                    self.state = State::Written {
                        ending: Ending::within(EXIT_GRACE),
                    };
                } else if let Some(passed) = self.clock.passed(limits) {
                    let pulse = self.process.ask();
                    self.process.signal(Signal::TERM);
                    self.state = State::TimedOut {
                        ending: Ending::within(TERM_GRACE),
                        failure: Failure::TimedOut {
                            what: passed.what.to_owned(),
                            phase: pulse.map(|pulse| pulse.phase),
                            plugin: pulse.and_then(|pulse| plugin(&self.trial.spec, pulse)),
                            key: passed.key.to_owned(),
                            limit_s: passed.limit.as_secs_f64(),
                        },
                    };
                }
                Step::Wait
            }
        }
    }

    /// Why a worker that left no result ended; without a status it did not.
    ///
    /// # Errors
    /// If no plugin is to blame, and the next trial would end in the same way.
    fn failure(&mut self, status: Option<ExitStatus>) -> Result<Failure, WorkerError> {
        use std::os::unix::process::ExitStatusExt;
        if let State::TimedOut { failure, .. } = &self.state {
            return Ok(failure.clone());
        }
        let Some(status) = status else {
            return Ok(Failure::Host {
                phase: Phase::Drop,
                detail: "the worker left a result that can't be read, and does not end".to_owned(),
            });
        };
        let log = self.process.last_lines(LOG_LINES);
        if self.trial.spec.run.program.is_some() {
            return Ok(Failure::ProgramEnded {
                program: self.trial.program(),
                ended: match (status.signal(), status.code()) {
                    (Some(signal), _) => signal_name(signal),
                    (None, code) => format!("status {}", code.unwrap_or_default()),
                },
                file: "result.json".to_owned(),
                log,
            });
        }
        if let Some(signal) = status.signal() {
            return Ok(Failure::Crashed {
                signal,
                plugins: plugins(&self.trial.spec),
                log,
            });
        }
        // A worker that is made to exit says from where.
        let pulse = self.process.farewell();
        if let Some(error) = blameless(status, pulse, &log) {
            return Err(error);
        }
        Ok(Failure::ExitedEarly {
            status: status.code().unwrap_or_default(),
            phase: pulse.map(|pulse| pulse.phase),
            plugin: pulse.and_then(|pulse| plugin(&self.trial.spec, pulse)),
            log,
        })
    }

    /// Writes the result that the worker could not.
    fn conclude(&self, failure: Failure) -> Result<Option<Outcome>, SweepError> {
        let outcome = Outcome::Failed { failure };
        self.trial
            .conclude(&outcome, self.clock.total().as_secs_f64())?;
        Ok(Some(outcome))
    }

    /// Asks the worker's group to end.
    pub(super) fn stop(&mut self, grace: Duration) {
        self.process.stop(grace);
    }
}

/// The plugin whose code ran.
fn plugin(spec: &TrialSpec, pulse: Pulse) -> Option<String> {
    let recipe = &spec.recipe;
    let component = match pulse.part {
        Part::Host => return None,
        Part::Model => &recipe.model,
        Part::Dataset => &recipe.dataset,
        Part::Loss => &recipe.loss,
    };
    Some(component.plugin.clone())
}

/// The plugins of a trial, each once.
fn plugins(spec: &TrialSpec) -> Vec<String> {
    let recipe = &spec.recipe;
    let mut names = Vec::new();
    for component in [&recipe.model, &recipe.dataset, &recipe.loss] {
        if !names.contains(&component.plugin) {
            names.push(component.plugin.clone());
        }
    }
    names
}

/// Why a worker was not started.
pub(super) enum StartError {
    /// The trial's files.
    Document(DocumentError),
    /// The worker itself.
    Spawn(io::Error),
}

impl StartError {
    /// Whether the machine lacks something that a trial's end gives back: processes,
    /// memory, open files.
    pub(super) fn may_pass(&self) -> bool {
        let (Self::Document(DocumentError::Io { source, .. }) | Self::Spawn(source)) = self else {
            return false;
        };
        let scarce = [Errno::AGAIN, Errno::NOMEM, Errno::MFILE, Errno::NFILE];
        scarce
            .iter()
            .any(|errno| source.raw_os_error() == Some(errno.raw_os_error()))
    }
}

impl From<DocumentError> for StartError {
    fn from(error: DocumentError) -> Self {
        Self::Document(error)
    }
}
