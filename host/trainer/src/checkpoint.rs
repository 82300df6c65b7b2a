//! When a trial is saved, and where it goes on.
//!
//! A step depends on the parameters, the optimizer's moments, the model's buffers
//! and the step's number: data order, seeds and learning rate follow from that and
//! the recipe. All of it is saved, so a trial that was interrupted ends with the
//! bits of one that was not.

mod build;
mod tensors;

use std::{
    cell::OnceCell,
    io,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use flops_fit_trial::{
    Arrangement, Build, Checkpoint, CheckpointDir, Content, DocumentError, FORMAT, Failure, Part,
    Phase, Position, Refusal, Resumed, TrialDir, TrialSpec,
};
use signal_hook::consts::SIGTERM;
use tch::Tensor;

use crate::{FlatParameters, parent, plugin::Model, worker};

/// Keeps the checkpoints of one trial.
#[derive(Debug)]
pub struct Keeper {
    dir: CheckpointDir,
    spec: TrialSpec,
    build: OnceCell<Build>,
    interval: Duration,
    stop: Arc<AtomicBool>,
    found: Option<(Checkpoint, PathBuf)>,
    resumed: Vec<Resumed>,
    refused: Vec<Refusal>,
    /// Step of the latest checkpoint.
    latest: Option<u64>,
    saved: Instant,
    /// Whether the last attempt to save failed, which is said once.
    failing: bool,
}

/// What belongs to a model in training.
pub(crate) struct Trainee<'a> {
    pub(crate) model: &'a Model,
    pub(crate) flat: &'a FlatParameters,
    /// The optimizer's, of all parameters.
    pub(crate) moments: &'a [Tensor; 2],
}

impl Keeper {
    /// Looks for a checkpoint of the trial in `folder`; those that can't be continued
    /// are set aside.
    ///
    /// # Errors
    /// [`Failure::Files`] if one can't be read or moved.
    pub fn open(folder: &TrialDir, spec: &TrialSpec) -> Result<Self, Failure> {
        let mut keeper = Self {
            dir: folder.checkpoints(),
            spec: spec.clone(),
            build: OnceCell::new(),
            interval: Duration::try_from_secs_f64(spec.run.checkpoint_interval)
                .unwrap_or(Duration::MAX),
            stop: Arc::default(),
            found: None,
            resumed: Vec::new(),
            refused: Vec::new(),
            latest: None,
            saved: Instant::now(),
            failing: false,
        };
        if !keeper.dir.is_empty() {
            keeper.look()?;
        }
        Ok(keeper)
    }

    /// From now on SIGTERM asks for a checkpoint and an end. A second one changes nothing,
    /// since a job's whole group may be sent one while the parent sends its own; who
    /// can't wait sends SIGKILL, as the parent does after a grace.
    ///
    /// # Errors
    /// If the system does not let itself be asked.
    pub fn stop_on_sigterm(&self) -> io::Result<()> {
        signal_hook::flag::register(SIGTERM, Arc::clone(&self.stop))?;
        Ok(())
    }

    /// Whether the trial goes on from a checkpoint, or has.
    pub fn is_continued(&self) -> bool {
        self.found.is_some() || !self.resumed.is_empty()
    }

    /// Where the trial was continued, in order.
    pub fn resumed(&self) -> &[Resumed] {
        &self.resumed
    }

    /// Checkpoints that could not be continued.
    pub fn refused(&self) -> &[Refusal] {
        &self.refused
    }

    /// Raised when the trial is asked to stop.
    pub(crate) fn stop(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Whether it is time to save again.
    pub(crate) fn is_due(&self) -> bool {
        self.saved.elapsed() >= self.interval
    }

    /// Puts the trainee where the latest checkpoint left it, and says where that was; `None` if training starts from its beginning.
    pub(crate) fn restore(&mut self, trainee: &Trainee<'_>) -> Result<Option<Position>, Failure> {
        parent::enter(Part::Host, Phase::Checkpoint);
        while let Some((checkpoint, path)) = self.found.take() {
            let named = tensors::named(trainee)?;
            let step = checkpoint.position.step;
            match tensors::load(&path, &named) {
                Ok(()) => {
                    self.latest = Some(step);
                    self.resumed = checkpoint.resumed;
                    self.resumed.push(Resumed {
                        step,
                        arrangement: checkpoint.arrangement,
                    });
                    self.saved = Instant::now();
                    return Ok(Some(checkpoint.position));
                }
                Err(why) => {
                    let refusal = Refusal::OtherTensors { step, why };
                    let aside = self.dir.refuse(step, refusal).map_err(|e| files(&e))?;
                    self.refuse(aside.refusal);
                    self.look()?;
                }
            }
        }
        self.saved = Instant::now();
        Ok(None)
    }

    /// Saves a checkpoint, unless there is one of this step. That it can't be written
    /// is no reason to stop: it is logged, the older ones stay.
    pub(crate) fn save(&mut self, position: Position, trainee: &Trainee<'_>) {
        let step = position.step;
        if self.latest == Some(step) {
            return;
        }
        parent::enter(Part::Host, Phase::Checkpoint);
        parent::beat();
        match self.write(position, trainee) {
            Ok(()) => {
                self.latest = Some(step);
                self.failing = false;
            }
            Err(error) if !self.failing => {
                worker::report(&format!("no checkpoint of step {step}: {error}"));
                self.failing = true;
            }
            Err(_) => {}
        }
        parent::beat();
        self.saved = Instant::now();
    }

    fn write(&self, position: Position, trainee: &Trainee<'_>) -> Result<(), DocumentError> {
        let checkpoint = Checkpoint {
            format: FORMAT,
            trial: self.spec.id.clone(),
            build: self.build().clone(),
            arrangement: Arrangement::of(&self.spec),
            position,
            resumed: self.resumed.clone(),
            // Known once they are written.
            tensors: Content::default(),
        };
        self.dir.save(checkpoint, |path| {
            let named = tensors::named(trainee).map_err(io::Error::other)?;
            tensors::save(path, &named)
        })
    }

    fn look(&mut self) -> Result<(), Failure> {
        let found = self
            .dir
            .latest(&self.spec.id, self.build())
            .map_err(|error| files(&error))?;
        self.found = found.usable;
        for aside in found.refused {
            self.refuse(aside.refusal);
        }
        Ok(())
    }

    fn refuse(&mut self, refusal: Refusal) {
        worker::report(&format!("{refusal}; it was set aside"));
        self.refused.push(refusal);
    }

    /// Hashing the executable takes a moment, and most trials are over before they
    /// are saved once.
    fn build(&self) -> &Build {
        self.build.get_or_init(|| build::of(&self.spec))
    }
}

fn files(error: &DocumentError) -> Failure {
    Failure::Files {
        detail: error.to_string(),
    }
}
