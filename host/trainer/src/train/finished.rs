//! What the leader makes of a trial that all ranks have ended.

use flops_fit_plugin::DataDescription;
use flops_fit_trial::{Failure, Measured, Outcome, TrialSpec};

use super::{
    Trained, Training,
    blueprint::Replica,
    leader::Leader,
    rank::{End, Tail},
};
use crate::{
    divergence::Watch,
    evaluate::{self, HeldOut},
};

/// The leader after training.
pub(super) struct Finished<'a> {
    pub(super) spec: &'a TrialSpec,
    pub(super) replica: Replica,
    pub(super) leader: Option<Leader<'a>>,
    pub(super) units: u64,
    pub(super) paid: u64,
    pub(super) tail: Tail,
    pub(super) watch: Watch,
    pub(super) train_seconds: f64,
    pub(super) collective_seconds: f64,
}

impl Finished<'_> {
    /// The outcome of `end`, which holds what all ranks have evaluated; the model is
    /// closed.
    pub(super) fn conclude(
        mut self,
        end: End,
        data: &DataDescription,
    ) -> Result<Training, Failure> {
        let steps = self.spec.recipe.steps;
        let seconds = self.leader.as_ref().map_or(0.0, Leader::seconds);
        let outcome = match end {
            End::Interrupted { step } => {
                self.replica.close()?;
                return Ok(Training::Interrupted { step });
            }
            End::Grown => Outcome::Grown {
                steps: self.units / self.spec.units_per_step(),
                units: self.units,
            },
            End::Diverged { step, loss, reason } => {
                self.train_seconds = seconds;
                diverged(step, loss, reason)
            }
            End::Trained(evaluated) => {
                let pieces = evaluate::pieces(data, self.spec.run.micro_batch);
                let held_out = HeldOut::of(evaluated, pieces);
                if held_out.loss.is_finite() {
                    let measured = self.measured(held_out, data)?;
                    Outcome::Completed { measured }
                } else {
                    let recent = self.watch.recent().unwrap_or(f64::NAN);
                    let reason = format!("the held-out loss is {}", held_out.loss);
                    diverged(steps, recent, reason)
                }
            }
        };
        if let Some(leader) = &mut self.leader {
            leader.observer.trained(&self.replica.flat);
        }
        self.replica.close()?;
        Ok(Training::Ended(Trained {
            outcome,
            train_seconds: self.train_seconds,
            evaluate_seconds: seconds - self.train_seconds,
            collective_seconds: self.collective_seconds,
        }))
    }

    fn measured(&self, held_out: HeldOut, data: &DataDescription) -> Result<Measured, Failure> {
        let flops = |units: u64| self.spec.run.flops_per_unit * units as f64;
        Ok(Measured {
            n: self.replica.model.num_params()? as f64,
            counts: self.spec.run.counts.clone(),
            d: self.units as f64,
            c: flops(self.units),
            spent: flops(self.units - self.paid),
            unique: data.unique_units.map(|u| u as f64),
            loss: held_out.loss,
            loss_se: held_out.standard_error,
            metrics: held_out.metrics,
            train_loss: self.tail.mean(),
            lr: self.spec.recipe.train.lr,
            steps: self.spec.recipe.steps,
            eval_units: held_out.units,
        })
    }
}

fn diverged(step: u64, loss: f64, reason: String) -> Outcome {
    Outcome::Diverged {
        step,
        loss: loss.is_finite().then_some(loss),
        reason,
    }
}
