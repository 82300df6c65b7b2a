//! The local executor: so many workers at once, each with one trial.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use flops_fit_trial::{Failure, Outcome};

use super::{
    FailedTrial, Observer, Selection, Settings, SweepError, Tally, Trial,
    watch::{Running, StartError},
};
use crate::{interrupt::Interrupt, worker::Worker};

/// Time between two looks at the workers: short beside a trial, so that no core
/// stands idle.
const POLL: Duration = Duration::from_millis(10);

/// How long workers may take to end after Ctrl-C, all together.
const STOP_GRACE: Duration = Duration::from_secs(2);

pub(super) struct Executor<'a> {
    queue: VecDeque<Trial>,
    running: Vec<Running>,
    settings: &'a Settings,
    worker: &'a Worker,
    observer: &'a mut dyn Observer,
    interrupt: &'a Interrupt,
    tally: Tally,
}

impl<'a> Executor<'a> {
    pub(super) fn new(
        selection: Selection,
        settings: &'a Settings,
        worker: &'a Worker,
        observer: &'a mut dyn Observer,
        interrupt: &'a Interrupt,
    ) -> Self {
        Self {
            tally: Tally {
                kept: selection.kept,
                ..Tally::default()
            },
            queue: selection.pending.into(),
            running: Vec::new(),
            settings,
            worker,
            observer,
            interrupt,
        }
    }

    pub(super) fn run(mut self) -> Result<Tally, SweepError> {
        let begun = Instant::now();
        while !(self.queue.is_empty() && self.running.is_empty()) {
            if self.interrupt.is_raised() {
                self.stop();
                break;
            }
            self.fill()?;
            self.look()?;
            self.observer.tick();
            std::thread::sleep(POLL);
        }
        self.tally.seconds = begun.elapsed().as_secs_f64();
        Ok(self.tally)
    }

    /// Starts workers for the free places.
    fn fill(&mut self) -> Result<(), SweepError> {
        while self.running.len() < self.settings.jobs {
            let Some(trial) = self.queue.pop_front() else {
                break;
            };
            let running = Running::start(trial, self.worker).map_err(|error| match error {
                StartError::Document(error) => error.into(),
                StartError::Spawn(source) => SweepError::Start {
                    worker: self.worker.path().to_owned(),
                    source,
                },
            })?;
            self.observer.started(&running.trial);
            self.running.push(running);
        }
        Ok(())
    }

    /// Follows the workers, and takes the ended ones out.
    fn look(&mut self) -> Result<(), SweepError> {
        let mut i = 0;
        while i < self.running.len() {
            let running = &mut self.running[i];
            for progress in running.progress() {
                self.observer.progressed(&running.trial, &progress);
            }
            match running.outcome(&self.settings.limits)? {
                None => i += 1,
                Some(outcome) => {
                    let ended = self.running.swap_remove(i);
                    self.record(ended.trial, outcome);
                }
            }
        }
        Ok(())
    }

    fn record(&mut self, mut trial: Trial, outcome: Outcome) {
        let again = trial.spec.run.attempt < self.settings.retries && may_pass(&outcome);
        self.observer.ended(&trial, &outcome, again);
        if again {
            trial.spec.run.attempt += 1;
            self.queue.push_front(trial);
            return;
        }
        match outcome {
            Outcome::Completed { .. } => self.tally.completed += 1,
            Outcome::Diverged { .. } => self.tally.diverged += 1,
            Outcome::Failed { failure } => self.tally.failed.push(FailedTrial {
                id: trial.spec.id.clone(),
                label: trial.label(),
                reason: failure.to_string(),
                log: trial.dir.log_path(),
            }),
        }
    }

    /// Ends all workers; what they were training is still to be trained.
    fn stop(&mut self) {
        self.tally.interrupted = true;
        self.tally.pending = self.queue.len() + self.running.len();
        std::thread::scope(|scope| {
            for running in &mut self.running {
                scope.spawn(|| running.stop(STOP_GRACE));
            }
        });
        self.running.clear();
    }
}

/// Whether another attempt at the same trial might end better: true of a
/// machine's trouble, not of what a plugin decides.
fn may_pass(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Failed {
            failure: Failure::Crashed { .. }
                | Failure::ExitedEarly { .. }
                | Failure::TimedOut { .. }
        }
    )
}
