//! Trains one trial: on one device, or on several with a rank each.

mod blueprint;
mod cause;
mod devices;
mod finished;
mod leader;
mod plan;
mod rank;

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::AtomicBool},
    thread,
};

use flops_fit_plugin::DataDescription;
use flops_fit_trial::{Failure, Outcome, Phase, Position, Progress, TrialSpec};
use tch::{Device, Tensor};

use crate::{
    FlatParameters, Keeper,
    checkpoint::{Course, Trainee},
    collective::{self, Collective},
    divergence::Watch,
    feed::{self, Feed},
    parent,
    plugin::Dataset,
};

pub use blueprint::Blueprint;
use blueprint::Replica;
use cause::{Cause, PATIENCE};
use leader::Leader;
use plan::Cut;
use rank::{End, Rank, Tail};

/// Hears how the training goes.
pub trait Observer {
    /// A line of progress; at least one when training starts and one when it ends.
    fn progress(&mut self, progress: &Progress);

    /// An optimizer step is done, `step` of them in all.
    fn step(&mut self, step: u64) {
        let _ = step;
    }

    /// Training and evaluation are done, and these are the parameters.
    fn trained(&mut self, parameters: &FlatParameters) {
        let _ = parameters;
    }

    /// What is to be done should a thread of the trial hang while another has failed: called
    /// on a thread of its own, with the failure, a few seconds after it. `None`: such a
    /// thread is waited for. Asked for once, as training begins, with the `keeper` as it
    /// is then.
    fn last_resort(&mut self, keeper: Option<&Keeper>) -> Option<LastResort> {
        let _ = keeper;
        None
    }
}

/// Ends a process of which not all threads would end.
pub type LastResort = Box<dyn FnOnce(Failure) + Send>;

/// A trial that was trained, or diverged on the way.
#[derive(Debug)]
pub struct Trained {
    /// Completed or diverged.
    pub outcome: Outcome,
    /// Seconds of training.
    pub train_seconds: f64,
    /// Seconds of evaluation.
    pub evaluate_seconds: f64,
    /// Seconds that the first rank spent on moving and summing gradients and
    /// parameters, without waiting for others.
    pub collective_seconds: f64,
}

impl Trained {
    /// What was over before anything was trained.
    pub(crate) fn nothing(outcome: Outcome) -> Self {
        Self {
            outcome,
            train_seconds: 0.0,
            evaluate_seconds: 0.0,
            collective_seconds: 0.0,
        }
    }
}

/// How a call of [`train`] ends.
#[derive(Debug)]
pub enum Training {
    /// The trial is over.
    Ended(Trained),
    /// It was asked to stop, and saved.
    Interrupted {
        /// Optimizer steps that were done.
        step: u64,
    },
}

/// Trains on `dataset` as `spec` says and evaluates; a trunk is grown and saved where
/// branches leave it. The dataset must be the one that
/// `blueprint` is for; it is closed at the end. With a `keeper` it goes on from the
/// latest checkpoint, and is saved.
///
/// Each device of `spec` is a rank with a replica of the model; the first runs on this
/// thread. They share every batch, and the same devices give the same bits.
///
/// # Errors
/// The first failure of any rank, which ends all.
pub fn train(
    spec: &TrialSpec,
    blueprint: &Blueprint,
    dataset: Dataset,
    mut keeper: Option<&mut Keeper>,
    observer: &mut dyn Observer,
) -> Result<Training, Failure> {
    let data = dataset.description().clone();
    let devices = devices::of(spec)?;
    let ranks = devices.len();
    let replica = blueprint.replica(spec, devices[0], 0, ranks)?;
    let (start, moments) = beginning(&mut keeper, &replica)?;
    let stop = keeper.as_ref().map_or_else(Arc::default, |k| k.stop());
    let course = keeper
        .as_ref()
        .map_or_else(|| Course::of(spec), |keeper| keeper.course());
    let trial = Trial {
        spec,
        course: &course,
        blueprint,
        data: &data,
        cut: Cut::of(spec, ranks),
        start: &start,
        tensors: tensors(&replica)?,
        has_buffers: !replica.model.buffers()?.is_empty(),
        stop: &stop,
    };
    let plan = plan::batches(spec, &data, trial.cut, start.step..course.steps);
    if let Some(keeper) = &mut keeper {
        keeper.begin_training();
    }
    let last_resort = observer.last_resort(keeper.as_deref());
    let cause = Cause::new(PATIENCE, last_resort);
    let leader = Leader::new(observer, keeper, spec, course.steps, &start);
    let (end, rank) = thread::scope(|scope| {
        let (loader, feeds) = feed::start(scope, dataset, plan, ranks);
        let mut ends = feeds.into_iter().zip(collective::connect(ranks));
        let (feed, collective) = ends.next().expect("one rank at least");
        let followers: Vec<_> = (1..)
            .zip(ends)
            .map(|(rank, (feed, collective))| {
                let (trial, cause, device) = (&trial, &cause, devices[rank]);
                scope.spawn(move || {
                    // Nothing of what a panic leaves behind is used.
                    let follow = || trial.follow(rank, device, feed, collective, cause);
                    catch_unwind(AssertUnwindSafe(follow))
                        .unwrap_or_else(|panic| cause.note(Err(panicked(rank, &*panic))))
                })
            })
            .collect();
        let mut rank = trial.rank(replica, feed, collective, Some(leader));
        // Of what a panic leaves behind nothing is used but the channels, to hang up.
        let trained = catch_unwind(AssertUnwindSafe(|| rank.train(start.step, moments)));
        let trained = trained.unwrap_or_else(|panic| Err(panicked(0, &*panic)));
        let mut end = cause.note(trained);
        // The others notice, if they still wait for this one.
        let rank = rank.hang_up();
        for (number, follower) in (1..).zip(followers) {
            // Should it not end, it is that rank that hangs.
            parent::wait_for(number);
            let theirs = follower.join().expect("its panics are caught");
            if let (Some(End::Trained(all)), Some(End::Trained(theirs))) = (&mut end, theirs) {
                all.extend(theirs);
            }
        }
        parent::wait_for(0);
        cause.note(loader.stop().and_then(Dataset::close));
        (end, rank)
    });
    match (cause.take(), end) {
        (Some(failure), _) => Err(failure),
        (None, Some(end)) => rank.conclude(end, &data),
        (None, None) => unreachable!("a rank that does not end has a cause"),
    }
}

/// Where training begins, and the optimizer's moments there if they were read.
fn beginning(
    keeper: &mut Option<&mut Keeper>,
    replica: &Replica,
) -> Result<(Position, Option<[Tensor; 2]>), Failure> {
    if let Some(keeper) = keeper
        && keeper.has_start()
    {
        let moments = replica.whole_moments()?;
        let trainee = Trainee {
            model: &replica.model,
            flat: &replica.flat,
            moments: &moments,
        };
        if let Some(position) = keeper.restore(&trainee)? {
            return Ok((position, Some(moments)));
        }
    }
    Ok((Position::default(), None))
}

/// What all ranks of a trial are made from.
struct Trial<'a> {
    spec: &'a TrialSpec,
    course: &'a Course,
    blueprint: &'a Blueprint,
    data: &'a DataDescription,
    cut: Cut,
    start: &'a Position,
    /// The leader's parameters and buffers, in words.
    tensors: Vec<String>,
    has_buffers: bool,
    stop: &'a AtomicBool,
}

impl<'a> Trial<'a> {
    fn rank<'l>(
        &self,
        replica: Replica,
        feed: Feed,
        collective: Box<dyn Collective>,
        leader: Option<Leader<'l>>,
    ) -> Rank<'l>
    where
        'a: 'l,
    {
        let (spec, start) = (self.spec, self.start);
        let warmup = spec.recipe.train.warmup_steps;
        Rank {
            spec,
            course: self.course,
            replica,
            feed,
            collective,
            has_buffers: self.has_buffers,
            leader,
            stop: self.stop,
            cut: self.cut,
            units_per_example: self.data.units_per_example,
            held_out_batches: plan::held_out_batches(spec, self.data),
            units: start.units,
            paid: start.paid,
            tail: Tail {
                sum: start.tail_sum,
                count: start.tail_count,
            },
            watch: Watch::resume(warmup, start.first_loss, &start.recent_losses),
            grad_norm: None,
            train_seconds: 0.0,
        }
    }

    /// The whole life of a rank that does not lead. Its failure is noted while it still
    /// holds its ends of the channels: the others, which fail for want of it, come
    /// later.
    fn follow(
        &self,
        number: usize,
        device: Device,
        feed: Feed,
        collective: Box<dyn Collective>,
        cause: &Cause,
    ) -> Option<End> {
        parent::be_rank(number);
        tch::set_num_threads(self.spec.run.threads.max(1) as i32);
        let ranks = collective.ranks();
        let replica = self.blueprint.replica(self.spec, device, number, ranks);
        let replica = cause.note(replica)?;
        cause.note(self.compare(number, &replica))?;
        let mut rank = self.rank(replica, feed, collective, None);
        let end = cause.note(rank.train(self.start.step, None))?;
        cause.note(rank.replica.close())?;
        Some(end)
    }

    /// A rank that has other tensors than the leader, or in another order, would add
    /// gradients of different things.
    fn compare(&self, number: usize, replica: &Replica) -> Result<(), Failure> {
        let theirs = tensors(replica)?;
        let places = 0..theirs.len().max(self.tensors.len());
        let nothing = || "nothing".to_owned();
        let mut pairs = places.map(|i| (self.tensors.get(i), theirs.get(i)));
        let Some((first, here)) = pairs.find(|(first, here)| first != here) else {
            return Ok(());
        };
        Err(Failure::ContractViolation {
            plugin: replica.model.plugin().to_owned(),
            rule: format!(
                "rank {number} has {} where rank 0 has {}; parameters() and buffers() must return \
                 the same tensors in the same order on every device",
                here.cloned().unwrap_or_else(nothing),
                first.cloned().unwrap_or_else(nothing),
            ),
        })
    }
}

/// Parameters and buffers in their order, in words.
fn tensors(replica: &Replica) -> Result<Vec<String>, Failure> {
    let flat = &replica.flat;
    let parameters = flat.segments.iter().zip(flat.leaves()).map(|(s, leaf)| {
        format!(
            "parameter `{}` {:?} (lr_scale {}, decay_scale {})",
            s.name,
            leaf.size(),
            s.lr_scale,
            s.decay_scale
        )
    });
    let buffers = replica.model.buffers()?.into_iter();
    let buffers = buffers.map(|b| format!("buffer `{}` {:?}", b.name, b.tensor.size()));
    Ok(parameters.chain(buffers).collect())
}

/// A panic that is the host's own: what a plugin's function panics with comes back as an
/// error.
fn panicked(rank: usize, panic: &(dyn Any + Send)) -> Failure {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Failure::Host {
        phase: Phase::Update,
        detail: format!(
            "rank {rank} panicked outside the plugins: {}",
            text.unwrap_or("no text")
        ),
    }
}

#[cfg(test)]
mod tests;
