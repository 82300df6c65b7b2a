//! When a trial is saved, and where it goes on.
//!
//! A step depends on the parameters, the optimizer's moments, the model's buffers
//! and the step's number: data order, seeds and learning rate follow from that and
//! the recipe. All of it is saved, so a trial that was interrupted ends with the
//! bits of one that was not. So does a branch, which begins where it leaves its trunk.

mod build;
mod tensors;
mod trunk;

use std::{
    cell::OnceCell,
    io,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use flops_fit_trial::{
    Arrangement, Build, Checkpoint, CheckpointDir, Content, DocumentError, FORMAT, Failure,
    Outcome, Part, Phase, Position, Refusal, Resumed, SetAsideCheckpoint, TrialDir, TrialSpec,
};
use signal_hook::consts::SIGTERM;
use tch::Tensor;

use crate::{FlatParameters, parent, plugin::Model, worker};
use trunk::Growth;

/// The part of the interval between two checkpoints that is saved before evaluation, which
/// may need more memory than training did.
const MUCH: u32 = 10;

/// Keeps the checkpoints of one trial, or of one trunk.
#[derive(Debug)]
pub struct Keeper {
    dir: CheckpointDir,
    folder: TrialDir,
    spec: TrialSpec,
    build: OnceCell<Build>,
    interval: Duration,
    stop: Arc<AtomicBool>,
    start: Option<Start>,
    /// Of a trunk.
    growth: Option<Growth>,
    resumed: Vec<Resumed>,
    refused: Vec<Refusal>,
    /// Step of the latest checkpoint.
    latest: Option<u64>,
    saved: Instant,
    /// Whether the last attempt to save failed, which is said once.
    failing: bool,
}

/// A checkpoint to begin from.
#[derive(Debug)]
struct Start {
    checkpoint: Checkpoint,
    tensors: PathBuf,
    origin: Origin,
}

/// Whose a checkpoint is that is begun from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// Of this trial or trunk, interrupted.
    Own,
    /// Of a trunk, where a branch leaves it.
    Branch,
}

impl Start {
    fn new((checkpoint, tensors): (Checkpoint, PathBuf), origin: Origin) -> Self {
        Self {
            checkpoint,
            tensors,
            origin,
        }
    }
}

/// How far a run goes, and after which steps branches leave it.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    /// Optimizer steps, from the first of all.
    pub(crate) steps: u64,
    /// Ascending.
    pub(crate) branches: Vec<u64>,
}

/// What belongs to a model in training.
pub(crate) struct Trainee<'a> {
    pub(crate) model: &'a Model,
    pub(crate) flat: &'a FlatParameters,
    /// The optimizer's, of all parameters.
    pub(crate) moments: &'a [Tensor; 2],
}

impl Keeper {
    /// Looks for a checkpoint to begin from: the trial's own in `folder`, or where it
    /// leaves its trunk. Those that can't be continued are set aside.
    ///
    /// # Errors
    /// [`Failure::Files`] if one can't be read or moved; [`Failure::NoBranchPoint`] if a
    /// branch has no trunk to leave.
    pub fn open(folder: &TrialDir, spec: &TrialSpec) -> Result<Self, Failure> {
        let mut keeper = Self {
            dir: folder.checkpoints(),
            folder: folder.clone(),
            spec: spec.clone(),
            build: OnceCell::new(),
            interval: Duration::try_from_secs_f64(spec.run.checkpoint_interval)
                .unwrap_or(Duration::MAX),
            stop: Arc::default(),
            start: None,
            growth: None,
            resumed: Vec::new(),
            refused: Vec::new(),
            latest: None,
            saved: Instant::now(),
            failing: false,
        };
        if spec.is_trunk() || spec.recipe.trunk.is_some() || !keeper.dir.is_empty() {
            keeper.look()?;
        }
        Ok(keeper)
    }

    /// What has become of a trunk that has all its branch points.
    pub fn grown(&self) -> Option<Outcome> {
        let growth = self.growth.as_ref()?;
        let steps = *self.spec.run.branches.last()?;
        growth.points.is_empty().then(|| Outcome::Grown {
            steps,
            units: steps * self.spec.units_per_step(),
        })
    }

    /// How far to train.
    pub(crate) fn course(&self) -> Course {
        match &self.growth {
            Some(Growth { points, .. }) => Course {
                steps: points.last().copied().unwrap_or_default(),
                branches: points.clone(),
            },
            None => Course::of(&self.spec),
        }
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

    /// Whether training begins after the first step, or has.
    pub(crate) fn has_start(&self) -> bool {
        self.start.is_some()
    }

    /// Whether the trial or trunk goes on where it was interrupted.
    pub fn is_continued(&self) -> bool {
        let own = |start: &Start| start.origin == Origin::Own;
        self.start.as_ref().is_some_and(own)
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

    /// Training begins: what came before it, such as reading the data, is nothing to save.
    pub(crate) fn begin_training(&mut self) {
        self.saved = Instant::now();
    }

    /// Whether so much time went into what is not saved that saving it costs little beside
    /// that. Few trials that are over in seconds come to this.
    pub(crate) fn has_much_unsaved(&self) -> bool {
        self.saved.elapsed() >= self.interval / MUCH
    }

    /// Puts the trainee where the checkpoint left it that training begins from, and says
    /// where that was; `None` if it begins from the first step.
    pub(crate) fn restore(&mut self, trainee: &Trainee<'_>) -> Result<Option<Position>, Failure> {
        parent::enter(Part::Host, Phase::Checkpoint);
        while let Some(start) = self.start.take() {
            let named = tensors::named(trainee)?;
            let step = start.checkpoint.position.step;
            match tensors::load(&start.tensors, &named) {
                Ok(()) => {
                    return Ok(Some(self.begin(start)));
                }
                Err(why) => {
                    let refusal = Refusal::OtherTensors { step, why };
                    let dir = self.whence(&start);
                    let aside = dir.refuse(step, refusal).map_err(|e| files(&e))?;
                    self.refuse(aside.refusal);
                    self.look()?;
                }
            }
        }
        Ok(None)
    }

    /// Where training begins from `start`, whose tensors were read.
    fn begin(&mut self, start: Start) -> Position {
        let Checkpoint {
            arrangement,
            mut position,
            resumed,
            ..
        } = start.checkpoint;
        self.resumed = resumed;
        match start.origin {
            Origin::Own => {
                self.latest = Some(position.step);
                self.resumed.push(Resumed {
                    step: position.step,
                    arrangement,
                });
            }
            // The branch that leaves here is charged for what was trained to get here.
            Origin::Branch if self.growth.is_some() => {
                position.paid = position.units;
                position.seconds = 0.0;
            }
            Origin::Branch => {}
        }
        position
    }

    /// The folder that `start` is in.
    fn whence(&self, start: &Start) -> CheckpointDir {
        match (start.origin, &self.growth, &self.spec.recipe.trunk) {
            (Origin::Branch, Some(growth), _) => growth.dir.clone(),
            (Origin::Branch, None, Some(trunk)) => self.folder.trunk(trunk).branches(),
            _ => self.dir.clone(),
        }
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
        match self.write(&self.dir, position, trainee) {
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
        parent::enter(Part::Host, Phase::Update);
        parent::beat();
        self.saved = Instant::now();
    }

    /// Saves a trunk where branches leave it.
    pub(crate) fn branch(&self, position: Position, trainee: &Trainee<'_>) -> Result<(), Failure> {
        let Some(growth) = &self.growth else {
            unreachable!("only a trunk has branches");
        };
        parent::enter(Part::Host, Phase::Checkpoint);
        parent::beat();
        let written = self.write(&growth.dir, position, trainee);
        parent::enter(Part::Host, Phase::Update);
        parent::beat();
        written.map_err(|error| files(&error))
    }

    fn write(
        &self,
        dir: &CheckpointDir,
        position: Position,
        trainee: &Trainee<'_>,
    ) -> Result<(), DocumentError> {
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
        dir.save(checkpoint, |path| {
            let named = tensors::named(trainee).map_err(io::Error::other)?;
            tensors::save(path, &named)
        })
    }

    /// Looks for where to begin.
    fn look(&mut self) -> Result<(), Failure> {
        let found = self
            .dir
            .latest(&self.spec.id, self.build())
            .map_err(|error| files(&error))?;
        self.refuse_all(found.refused);
        if self.spec.is_trunk() {
            return self.look_along(found.usable);
        }
        self.start = found.usable.map(|own| Start::new(own, Origin::Own));
        let Some((trunk, step)) = self.spec.branch() else {
            return Ok(());
        };
        if self.start.is_none() {
            let branches = self.folder.trunk(trunk).branches();
            let at = branches
                .at(step, trunk, self.build())
                .map_err(|error| files(&error))?;
            let why = at.refused.first().map(|aside| aside.refusal.to_string());
            let Some(usable) = at.usable else {
                return Err(Failure::NoBranchPoint {
                    trunk: trunk.clone(),
                    step,
                    why,
                });
            };
            self.start = Some(Start::new(usable, Origin::Branch));
        }
        Ok(())
    }

    /// Looks for where a trunk is to be grown next; `own` is where it was interrupted.
    fn look_along(&mut self, own: Option<(Checkpoint, PathBuf)>) -> Result<(), Failure> {
        let dir = self.folder.branches();
        let wanted = &self.spec.run.branches;
        let growth = Growth::plan(dir, &self.spec.id, self.build(), wanted, own);
        let mut growth = growth.map_err(|error| files(&error))?;
        self.refuse_all(std::mem::take(&mut growth.refused));
        self.start = growth.start.take();
        self.growth = Some(growth);
        Ok(())
    }

    fn refuse_all(&mut self, all: Vec<SetAsideCheckpoint>) {
        for aside in all {
            self.refuse(aside.refusal);
        }
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

impl Course {
    /// That of a trial that nobody keeps checkpoints of.
    pub(crate) fn of(spec: &TrialSpec) -> Self {
        Self {
            steps: spec.recipe.steps,
            branches: Vec::new(),
        }
    }
}

fn files(error: &DocumentError) -> Failure {
    Failure::Files {
        detail: error.to_string(),
    }
}
