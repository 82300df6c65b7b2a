//! One rank's training, from the first step to its share of the held-out set. All
//! ranks run it; what each decides follows from numbers that all of them have.

mod evaluation;
mod saving;

use std::sync::atomic::{AtomicBool, Ordering};

use flops_fit_plugin::{Context, Mode};
use flops_fit_trial::{Failure, Part, Phase, Stage, TrialSpec};
use tch::Tensor;

use super::{
    blueprint::Replica,
    finished::Finished,
    leader::{Leader, Mark},
    plan::Cut,
};
use crate::{
    backward::gradients, checkpoint::Course, collective::Collective, contract, divergence::Watch,
    evaluate::Evaluated, feed::Feed, order::mix, parent, plugin::refused, rate,
};

/// Ranks' micro-batches have seeds of their own.
const RANK_STRIDE: u64 = 1 << 32;

/// One rank.
pub(super) struct Rank<'a> {
    pub(super) spec: &'a TrialSpec,
    pub(super) course: &'a Course,
    pub(super) replica: Replica,
    pub(super) feed: Feed,
    pub(super) collective: Box<dyn Collective>,
    /// Whether the model has buffers, which move as it trains.
    pub(super) has_buffers: bool,
    /// The first rank's.
    pub(super) leader: Option<Leader<'a>>,
    /// Whether the trial was asked to stop.
    pub(super) stop: &'a AtomicBool,
    pub(super) cut: Cut,
    pub(super) units_per_example: u64,
    pub(super) held_out_batches: usize,
    pub(super) units: u64,
    /// Those of them that an earlier branch of the trunk is charged for.
    pub(super) paid: u64,
    pub(super) tail: Tail,
    pub(super) watch: Watch,
    /// Of the last step, where all ranks' was computed.
    pub(super) grad_norm: Option<f64>,
    /// Seconds of training, once it is over.
    pub(super) train_seconds: f64,
}

/// How one rank's part of a trial ends.
pub(super) enum End {
    /// Trained to the end, and its share of the held-out set evaluated.
    Trained(Vec<Evaluated>),
    /// A trunk, trained as far as it was to go.
    Grown,
    /// The loss left the numbers that mean anything at `step`.
    Diverged {
        step: u64,
        loss: f64,
        reason: String,
    },
    /// Asked to stop after `step` steps.
    Interrupted { step: u64 },
}

/// Losses over the last tenth of the steps.
pub(super) struct Tail {
    pub(super) sum: f64,
    pub(super) count: u32,
}

impl Tail {
    fn see(&mut self, step: u64, steps: u64, loss: f64) {
        if step >= steps - (steps / 10).max(1) {
            self.sum += loss;
            self.count += 1;
        }
    }

    pub(super) fn mean(&self) -> f64 {
        self.sum / f64::from(self.count.max(1))
    }
}

/// One optimizer step.
struct Stepped {
    /// Mean training loss over all ranks.
    loss: f64,
    /// Whether all gradients were finite.
    finite: bool,
    /// Whether the leader wants to save.
    save: bool,
}

impl<'a> Rank<'a> {
    /// Trains from step `first` on; `moments` are the optimizer's, where the leader has
    /// read them.
    pub(super) fn train(
        &mut self,
        first: u64,
        moments: Option<[Tensor; 2]>,
    ) -> Result<End, Failure> {
        if self.leader.is_some() {
            let Replica { model, flat, .. } = &self.replica;
            let batch = self.feed.next()?.on(flat.params.device())?;
            contract::check_parameters_drive_output(model, flat, &batch)?;
        }
        self.join(first, moments)?;
        let Course { steps, branches } = self.course;
        let (steps, is_trunk) = (*steps, self.spec.is_trunk());
        let settings = &self.spec.recipe.train;
        self.report(Stage::Train, first, 0.0)?;

        for step in first..steps {
            let share = rate(&settings.schedule, settings.warmup_steps, step, steps);
            let Some(Stepped { loss, finite, save }) = self.step(step, share)? else {
                return self.interrupted(step);
            };
            if let Some(leader) = &mut self.leader {
                leader.see(loss);
                leader.observer.step(step + 1);
            }
            if !is_trunk {
                self.tail.see(step, steps, loss);
            }
            if let Some(reason) = self.watch.see(step, loss) {
                return Ok(diverged(step + 1, loss, reason));
            }
            if !finite {
                let reason = "a gradient is NaN or infinite".to_owned();
                return Ok(diverged(step + 1, loss, reason));
            }
            self.report_if_due(Stage::Train, step + 1, settings.lr * share)?;
            if branches.contains(&(step + 1)) {
                let moments = self.moments()?;
                self.branch(step + 1, &moments)?;
                self.report(Stage::Train, step + 1, settings.lr * share)?;
            } else if save {
                let moments = self.moments()?;
                self.save(step + 1, &moments);
            }
        }
        if is_trunk {
            self.train_seconds = self.leader.as_ref().map_or(0.0, Leader::seconds);
            return Ok(End::Grown);
        }
        self.evaluate(steps)
    }

    /// Takes what the leader begins with: its parameters, buffers and moments.
    fn join(&mut self, first: u64, moments: Option<[Tensor; 2]>) -> Result<(), Failure> {
        self.replica.adamw.resume(first);
        if self.collective.ranks() == 1 {
            return self.replica.flat.refresh();
        }
        let mut shared = vec![self.replica.flat.params.shallow_clone()];
        shared.extend(self.buffers()?);
        let all = self.collective.gather(&shared)?;
        if self.leader.is_none() {
            copy(&all[0], &shared)?;
        }
        if first > 0 {
            self.take_moments(moments)?;
        }
        // From here on the leader may write to what was copied.
        self.collective.exchange(&[])?;
        self.replica.flat.refresh()
    }

    /// The model's buffers, such as running statistics, as they are now.
    fn buffers(&self) -> Result<Vec<Tensor>, Failure> {
        let buffers = self.replica.model.buffers()?.into_iter();
        let detached = buffers.map(|buffer| buffer.tensor.f_detach());
        detached.collect::<Result<_, _>>().map_err(|e| host(&e))
    }

    fn copies_of_buffers(&self) -> Result<Vec<Tensor>, Failure> {
        let buffers = self.buffers()?;
        let copies = buffers.iter().map(Tensor::f_detach_copy);
        copies.collect::<Result<_, _>>().map_err(|e| host(&e))
    }

    /// One optimizer step. `None` if the trial was asked to stop: the step is then not
    /// taken.
    fn step(&mut self, step: u64, share: f64) -> Result<Option<Stepped>, Failure> {
        let settings = &self.spec.recipe.train;
        let rank = self.collective.rank() as u64;
        let (mut weight, mut sum, mut stopped) = (0.0, 0.0, false);
        // A step that is not taken must leave no trace, and a forward pass moves them.
        let before: Vec<Tensor> = if self.has_buffers {
            self.copies_of_buffers()?
        } else {
            Vec::new()
        };
        for (i, _) in (0..).zip(self.cut.micro_batches(rank)) {
            stopped = self.stop.load(Ordering::Relaxed);
            if stopped {
                break;
            }
            // A long step is no silence.
            if self.leader.as_ref().is_some_and(Leader::is_silent) {
                self.tell(Stage::Train, step, settings.lr * share, true)?;
            }
            let batch = self.feed.next()?.on(self.replica.flat.params.device())?;
            let seed = mix(self.spec.recipe.seed ^ mix(step)).wrapping_add(i + rank * RANK_STRIDE);
            let context = Context {
                mode: Mode::Train,
                seed: mix(seed),
                step,
            };
            let Replica {
                model, loss, flat, ..
            } = &mut self.replica;
            let found = gradients(model, loss, flat.leaves(), &batch, context)?;
            flat.accumulate(&found.by_leaf, found.units)?;
            sum += found.mean * found.units;
            weight += found.units;
        }
        parent::enter(Part::Host, Phase::Update);
        let keeper = self
            .leader
            .as_ref()
            .and_then(|leader| leader.keeper.as_ref());
        let save = keeper.is_some_and(|keeper| keeper.is_due());
        let words = [
            sum,
            weight,
            f64::from(u8::from(stopped)),
            f64::from(u8::from(save)),
        ];
        // With the gradients: only a step that is not taken sums them in vain.
        let all = self
            .collective
            .reduce_scatter(&self.replica.flat.grads, &words)?;
        if total(&all, 2) > 0.0 {
            copy(&before, &self.buffers()?)?;
            return Ok(None);
        }
        let (sum, weight, save) = (total(&all, 0), total(&all, 1), total(&all, 3) > 0.0);
        self.units += self.cut.batch * self.units_per_example;
        let finite = self.update(share, weight)?;
        Ok(Some(Stepped {
            loss: sum / weight,
            finite,
            save,
        }))
    }

    /// Updates this rank's shard, whose gradients are summed, and takes the others';
    /// whether all gradients were finite.
    fn update(&mut self, share: f64, weight: f64) -> Result<bool, Failure> {
        let settings = &self.spec.recipe.train;
        let Replica { flat, adamw, .. } = &mut self.replica;
        let several = self.collective.ranks() > 1;
        let square = if several || settings.grad_clip.is_some() {
            flat.squared_norm(adamw.shard())?
        } else {
            // One rank alone sees them all as it updates.
            0.0
        };
        let mean = 1.0 / weight;
        let norm = |squares: &[Vec<f64>]| total(squares, 0).sqrt() * mean;
        let mut clip = 1.0;
        if let Some(limit) = settings.grad_clip {
            let norm = norm(&self.collective.exchange(&[square])?);
            self.grad_norm = Some(norm);
            clip = (limit / norm).min(1.0);
        }
        let finite = adamw.step(flat, settings.lr, share, mean * clip)?;
        let squares = self.collective.all_gather(&flat.params, &[square])?;
        flat.refresh()?;
        if !several {
            return Ok(finite);
        }
        let norm = norm(&squares);
        self.grad_norm = Some(norm);
        if self.has_buffers {
            self.share_buffers()?;
        }
        // A sum of squares is a number only if all of them are.
        Ok(norm.is_finite())
    }

    /// Takes the leader's buffers as they are after a step.
    fn share_buffers(&mut self) -> Result<(), Failure> {
        if self.leader.is_some() {
            // Copies, which its next forward pass does not move while others read.
            let copies = self.copies_of_buffers()?;
            self.collective.gather(&copies)?;
            return Ok(());
        }
        let all = self.collective.gather(&[])?;
        copy(&all[0], &self.buffers()?)
    }

    /// Leaves the others.
    pub(super) fn hang_up(self) -> Finished<'a> {
        Finished {
            spec: self.spec,
            collective_seconds: self.collective.seconds(),
            replica: self.replica,
            leader: self.leader,
            units: self.units,
            paid: self.paid,
            tail: self.tail,
            watch: self.watch,
            train_seconds: self.train_seconds,
        }
    }

    fn report_if_due(&mut self, stage: Stage, step: u64, lr: f64) -> Result<(), Failure> {
        if self.leader.as_ref().is_some_and(Leader::is_due) {
            self.report(stage, step, lr)?;
        }
        Ok(())
    }

    fn report(&mut self, stage: Stage, step: u64, lr: f64) -> Result<(), Failure> {
        self.tell(stage, step, lr, false)
    }

    fn tell(&mut self, stage: Stage, step: u64, lr: f64, within_step: bool) -> Result<(), Failure> {
        let Some(leader) = &mut self.leader else {
            return Ok(());
        };
        let flat = &self.replica.flat;
        let alone = self.collective.ranks() == 1 && flat.weight() > 0.0;
        let grad_norm = if stage != Stage::Train || within_step {
            None
        } else if self.grad_norm.is_none() && alone {
            Some(flat.grad_norm()? / flat.weight())
        } else {
            self.grad_norm
        };
        leader.report(&Mark {
            stage,
            step,
            units: self.units,
            lr,
            grad_norm,
            within_step,
        });
        Ok(())
    }
}

/// The sum over the ranks, in their order, of one of the words that each has said.
fn total(all: &[Vec<f64>], word: usize) -> f64 {
    all.iter().map(|words| words[word]).sum()
}

/// Copies each of `from` into its place in `into`.
fn copy(from: &[Tensor], into: &[Tensor]) -> Result<(), Failure> {
    let _no_grad = tch::no_grad_guard();
    for (from, into) in from.iter().zip(into) {
        let copied = into.shallow_clone().f_copy_(from);
        copied.map_err(|error| host(&error))?;
    }
    Ok(())
}

fn diverged(step: u64, loss: f64, reason: String) -> End {
    End::Diverged { step, loss, reason }
}

fn host(error: &tch::TchError) -> Failure {
    refused(Phase::Update, error)
}
