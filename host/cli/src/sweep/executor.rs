//! The local executor: so many workers at once, each with one trial or trunk.
//!
//! A trial that leaves a trunk waits until the trunk's worker has looked at what is
//! there, and then for the checkpoint that it begins from.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use flops_fit_trial::{Failure, Outcome, Stage, TrialId};

use super::{
    Assignment, Candidate, FailedTrial, Observer, Selection, Settings, SweepError, Tally, Trial,
    micro_batches::MicroBatches,
    retry::{self, Retry},
    simulated,
    trunks::Trunks,
    watch::{Running, StartError},
};
use crate::{interrupt::Interrupt, trainer::Trainer};

/// Time between two looks at the workers: short beside a trial, so that no core
/// stands idle.
const POLL: Duration = Duration::from_millis(10);

/// How long nothing is started once the machine had no process, memory or open file for
/// a worker.
const SCARCE: Duration = Duration::from_secs(1);

/// A trial that waits for its turn.
struct Queued {
    trial: Trial,
    /// Not to be started before.
    ready: Instant,
    /// How often it was started again already.
    retries: u32,
}

struct Place {
    running: Running,
    retries: u32,
    /// Its number among the places, from 0.
    slot: usize,
    assignment: Assignment,
}

pub(super) struct Executor<'a> {
    queue: VecDeque<Queued>,
    places: Vec<Place>,
    trunks: Trunks,
    micro_batches: &'a mut MicroBatches,
    settings: &'a Settings,
    trainer: &'a Trainer,
    observer: &'a mut dyn Observer,
    interrupt: &'a Interrupt,
    tally: Tally,
    /// Nothing is started before.
    rests_until: Instant,
    /// Why nothing more is started: what runs already may still end well.
    halted: Option<SweepError>,
}

impl<'a> Executor<'a> {
    pub(super) fn new(
        selection: Selection,
        settings: &'a Settings,
        trainer: &'a Trainer,
        micro_batches: &'a mut MicroBatches,
        observer: &'a mut dyn Observer,
        interrupt: &'a Interrupt,
    ) -> Self {
        let ready = Instant::now();
        let queued = |trial| Queued {
            trial,
            ready,
            retries: 0,
        };
        let trunks = Trunks::of(selection.branches);
        let mut trials = selection.trunks;
        trials.extend(selection.pending);
        trials.sort_by(|a, b| b.seconds().total_cmp(&a.seconds()));
        Self {
            tally: Tally {
                kept: selection.kept,
                ..Tally::default()
            },
            trunks,
            micro_batches,
            queue: trials.into_iter().map(queued).collect(),
            places: Vec::new(),
            settings,
            trainer,
            observer,
            interrupt,
            rests_until: ready,
            halted: None,
        }
    }

    pub(super) fn run(mut self) -> Result<Tally, SweepError> {
        let begun = Instant::now();
        // What an earlier run was killed before it had removed, or was told to keep.
        for id in self.trunks.ids() {
            self.clear_branches(id);
        }
        while !self.is_done() {
            if self.interrupt.is_raised() {
                self.stop();
                break;
            }
            self.fill();
            self.look();
            self.observer.tick();
            std::thread::sleep(POLL);
        }
        self.tally.seconds = begun.elapsed().as_secs_f64();
        match self.halted {
            Some(error) => Err(error),
            None => Ok(self.tally),
        }
    }

    fn is_done(&self) -> bool {
        self.places.is_empty() && (self.queue.is_empty() || self.halted.is_some())
    }

    /// The lowest number that no running trial has.
    fn free_slot(&self) -> usize {
        let taken = |slot: &usize| self.places.iter().any(|place| place.slot == *slot);
        (0..self.places.len())
            .find(|slot| !taken(slot))
            .unwrap_or(self.places.len())
    }

    fn may_start(&self) -> bool {
        let room = |place: &Place| self.settings.machine.room(&place.assignment);
        self.halted.is_none()
            && self.places.iter().map(room).sum::<usize>() < self.settings.jobs
            && self.rests_until <= Instant::now()
            && !self.interrupt.is_raised()
    }

    /// Starts workers for the free places; a simulated trial has its result at once.
    fn fill(&mut self) {
        while self.may_start() {
            let now = Instant::now();
            let next = self
                .queue
                .iter()
                .position(|queued| queued.ready <= now && self.trunks.lets_begin(&queued.trial));
            let Some(Queued {
                mut trial, retries, ..
            }) = next.and_then(|index| self.queue.remove(index))
            else {
                break;
            };
            let slot = self.free_slot();
            let assignment = self.assign(&mut trial);
            match self.trainer {
                Trainer::Process(worker) => match Running::start(trial.clone(), worker, slot) {
                    Ok(running) => {
                        self.observer.started(&running.trial);
                        self.places.push(Place {
                            running,
                            retries,
                            slot,
                            assignment,
                        });
                    }
                    // What runs gives something back when it ends.
                    Err(error) if error.may_pass() && !self.places.is_empty() => {
                        self.rests_until = now + SCARCE;
                        self.queue.push_front(Queued {
                            trial,
                            ready: now,
                            retries,
                        });
                    }
                    Err(StartError::Document(error)) => self.halt(error.into()),
                    Err(StartError::Spawn(source)) => self.halt(SweepError::Start {
                        worker: worker.path().to_owned(),
                        source,
                    }),
                },
                Trainer::Law { .. } => self.simulate(trial),
            }
        }
    }

    /// Says on what `trial` runs, beside what runs and before what waits for nothing but a
    /// place. What begins again in a moment counts; branches whose trunk is not there yet
    /// don't.
    fn assign(&self, trial: &mut Trial) -> Assignment {
        let machine = &self.settings.machine;
        let running: Vec<&Assignment> = self.places.iter().map(|p| &p.assignment).collect();
        let waiting = self.queue.iter().map(|queued| &queued.trial);
        let waiting = waiting
            .filter(|trial| self.trunks.lets_begin(trial))
            .count();
        let spec = &mut trial.spec;
        let candidate = Candidate {
            n: spec.run.declared_n as f64,
            examples: spec.recipe.train.batch_examples,
            earlier: trial.dir.checkpoints().arrangement(&spec.id),
        };
        let assignment = machine.place(&candidate, &running, waiting);
        spec.run.devices = machine.names(&assignment);
        spec.run.threads = assignment.threads;
        spec.run.micro_batch = match (candidate.earlier, spec.run.micro_batch) {
            (Some(earlier), None) => earlier.micro_batch,
            (Some(_), own) => own,
            (None, _) => self.micro_batches.first(spec),
        };
        assignment
    }

    fn simulate(&mut self, trial: Trial) {
        let Some(simulation) = &trial.spec.recipe.simulation else {
            unreachable!("the trials of a simulation carry its law");
        };
        self.observer.started(&trial);
        match simulated::train(&trial, simulation) {
            Ok(outcome) => self.record(trial, &outcome, 0),
            Err(error) => self.halt(error.into()),
        }
    }

    /// Follows the workers, and takes the ended ones out.
    fn look(&mut self) {
        let mut i = 0;
        while i < self.places.len() {
            let running = &mut self.places[i].running;
            for progress in running.progress() {
                if progress.stage == Stage::Train {
                    self.trunks.looked(&running.trial.spec.id);
                }
                self.observer.progressed(&running.trial, &progress);
            }
            match running.outcome(&self.settings.limits) {
                Ok(None) => i += 1,
                Ok(Some(outcome)) => {
                    let Place {
                        running, retries, ..
                    } = self.places.swap_remove(i);
                    self.tell_of_unended(&running);
                    self.record(running.trial, &outcome, retries);
                }
                Err(error) => {
                    self.places.swap_remove(i);
                    self.halt(error);
                }
            }
        }
    }

    fn tell_of_unended(&mut self, running: &Running) {
        if let Some(pid) = running.unended() {
            self.observer.noted(&format!(
                "warning: process {pid}, which trained {}, does not end though it was killed: it waits in the kernel, as for a disk or a file server that does not answer; look there",
                running.trial.label()
            ));
        }
    }

    /// Starts nothing more; the first reason counts.
    fn halt(&mut self, error: SweepError) {
        self.halted.get_or_insert(error);
    }

    /// A trunk's worker has ended for good: what waited for it begins, is asked for once
    /// more, or ends too.
    fn trunk_ended(&mut self, trunk: Trial, outcome: &Outcome) {
        let id = &trunk.spec.id;
        self.trunks.looked(id);
        let waits = |queued: &Queued| {
            queued.trial.spec.branch().is_some_and(|(of, _)| of == id)
                && !self.trunks.lets_begin(&queued.trial)
        };
        let (waiting, others): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.queue).into_iter().partition(waits);
        self.queue = others;
        let grown = matches!(outcome, Outcome::Grown { .. });
        if !waiting.is_empty() && grown && self.trunks.has_advanced(id, waiting.len()) {
            self.queue.extend(waiting);
            self.queue.push_front(Queued {
                trial: trunk,
                ready: Instant::now(),
                retries: 0,
            });
            return;
        }
        for Queued { trial, .. } in waiting {
            let outcome = without_trunk(&trial, outcome);
            let written = trial
                .dir
                .clear()
                .and_then(|()| trial.dir.write_spec(&trial.spec))
                .and_then(|()| trial.conclude(&outcome, 0.0));
            match written {
                Ok(()) => self.record(trial, &outcome, u32::MAX),
                Err(error) => self.halt(error.into()),
            }
        }
        self.clear_branches(&trunk.spec.id);
    }

    /// A branch has its result.
    fn branch_ended(&mut self, trial: &Trial) {
        self.trunks.left(trial);
        if let Some((id, _)) = trial.spec.branch() {
            self.clear_branches(id);
        }
    }

    /// Removes what nobody begins from any more, unless it is to be kept. A trunk that
    /// grows may begin from anything that is there.
    fn clear_branches(&self, id: &TrialId) {
        let queued = self.queue.iter().map(|queued| &queued.trial);
        let running = self.places.iter().map(|place| &place.running.trial);
        let grows = queued.chain(running).any(|trial| trial.spec.id == *id);
        if !grows && !self.settings.keep_branches {
            self.trunks.clear(id);
        }
    }

    fn record(&mut self, mut trial: Trial, outcome: &Outcome, retries: u32) {
        let retry = match outcome {
            Outcome::Failed { failure } => {
                retry::after(failure, &trial.spec, retries, self.settings.retries)
            }
            _ => None,
        };
        self.observer.ended(&trial, outcome, retry.is_some());
        if !matches!(outcome, Outcome::Failed { .. }) {
            self.micro_batches.learn(&trial.spec);
        }
        match (retry, outcome) {
            (Some(retry), _) => {
                let Retry {
                    wait,
                    micro_batch,
                    counts,
                } = retry;
                trial.spec.run.attempt += 1;
                trial.spec.run.micro_batch = micro_batch;
                self.queue.push_front(Queued {
                    trial,
                    ready: Instant::now() + wait,
                    retries: retries + u32::from(counts),
                });
            }
            (None, outcome) if trial.spec.is_trunk() => self.trunk_ended(trial, outcome),
            (None, Outcome::Completed { .. } | Outcome::Grown { .. }) => {
                self.tally.completed += 1;
                self.branch_ended(&trial);
            }
            (None, Outcome::Diverged { .. }) => {
                self.tally.diverged += 1;
                self.branch_ended(&trial);
            }
            (None, Outcome::Failed { failure }) => self.tally.failed.push(failed(&trial, failure)),
        }
    }

    /// Ends all workers; what they were training is still to be trained.
    fn stop(&mut self) {
        self.tally.interrupted = true;
        let queued = self.queue.iter().map(|queued| &queued.trial);
        let running = self.places.iter().map(|place| &place.running.trial);
        let trials = queued.chain(running).filter(|trial| !trial.spec.is_trunk());
        self.tally.pending = trials.count();
        let grace = self.settings.limits.stop;
        std::thread::scope(|scope| {
            for place in &mut self.places {
                scope.spawn(|| place.running.stop(grace));
            }
        });
        for place in std::mem::take(&mut self.places) {
            self.tell_of_unended(&place.running);
        }
    }
}

/// What becomes of a branch whose trunk ended before it was there.
fn without_trunk(trial: &Trial, trunk: &Outcome) -> Outcome {
    let Some((id, leaves)) = trial.spec.branch() else {
        unreachable!("only branches wait for trunks");
    };
    match trunk {
        // It would have done so alone: its steps up to there are the same.
        Outcome::Diverged { step, loss, reason } => Outcome::Diverged {
            step: *step,
            loss: *loss,
            reason: format!("trunk {id}, which it was to leave after step {leaves}: {reason}"),
        },
        Outcome::Failed { failure } => Outcome::Failed {
            failure: Failure::Trunk {
                trunk: id.clone(),
                step: leaves,
                reason: failure.to_string(),
            },
        },
        Outcome::Completed { .. } | Outcome::Grown { .. } => Outcome::Failed {
            failure: Failure::NoBranchPoint {
                trunk: id.clone(),
                step: leaves,
                why: None,
            },
        },
    }
}

fn failed(trial: &Trial, failure: &Failure) -> FailedTrial {
    FailedTrial {
        id: trial.spec.id.clone(),
        label: trial.label(),
        reason: failure.to_string(),
        log: trial.dir.log_path(),
    }
}
