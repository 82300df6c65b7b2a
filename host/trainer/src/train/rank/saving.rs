//! What a rank does for a checkpoint: the leader writes it, and all have a part of the
//! moments.

use flops_fit_trial::{Failure, Position};
use tch::{Device, Tensor};

use super::{super::leader::Leader, End, Rank, copy, host};
use crate::checkpoint::Trainee;

impl Rank<'_> {
    /// Takes this rank's shard of the moments that the leader has read.
    pub(super) fn take_moments(&mut self, moments: Option<[Tensor; 2]>) -> Result<(), Failure> {
        let own = self.replica.adamw.shard();
        let [m, v] = self.replica.adamw.moments().map(Tensor::shallow_clone);
        let whole = moments.unwrap_or_else(|| [m.shallow_clone(), v.shallow_clone()]);
        let all = self.collective.gather(&whole)?;
        let theirs = all[0].iter();
        let theirs = theirs.map(|whole| whole.f_narrow(0, own.start as i64, own.len() as i64));
        let theirs = theirs.collect::<Result<Vec<_>, _>>();
        copy(&theirs.map_err(|error| host(&error))?, &[m, v])
    }

    /// Saves what there is after `step` steps, and ends.
    pub(super) fn interrupted(&mut self, step: u64) -> Result<End, Failure> {
        let moments = self.moments()?;
        self.save(step, &moments);
        Ok(End::Interrupted { step })
    }

    /// Both moments, whole: what a checkpoint needs. All ranks come here together.
    pub(super) fn moments(&mut self) -> Result<[Tensor; 2], Failure> {
        let [m, v] = self.replica.adamw.moments().map(Tensor::shallow_clone);
        if self.collective.ranks() == 1 {
            return Ok([m, v]);
        }
        let own = [m, v];
        let all = self.collective.gather(&own)?;
        let whole = if self.leader.is_some() {
            let whole = |moment: usize| {
                let parts = all.iter().map(|own| own[moment].f_to_device(Device::Cpu));
                Tensor::f_cat(&parts.collect::<Result<Vec<_>, _>>()?, 0)
            };
            let both = whole(0).and_then(|m| Ok([m, whole(1)?]));
            both.map_err(|error| host(&error))?
        } else {
            own
        };
        // The others' parts may change once they know that they were copied.
        self.collective.exchange(&[])?;
        Ok(whole)
    }

    pub(super) fn save(&mut self, step: u64, moments: &[Tensor; 2]) {
        let position = self.position(step);
        let trainee = Trainee {
            model: &self.replica.model,
            flat: &self.replica.flat,
            moments,
        };
        if let Some(leader) = &mut self.leader
            && let Some(keeper) = &mut leader.keeper
        {
            keeper.save(position, &trainee);
        }
    }

    /// Saves where branches leave; what comes after is the next one's to pay for.
    pub(super) fn branch(&mut self, step: u64, moments: &[Tensor; 2]) -> Result<(), Failure> {
        let position = self.position(step);
        let trainee = Trainee {
            model: &self.replica.model,
            flat: &self.replica.flat,
            moments,
        };
        if let Some(leader) = &mut self.leader {
            if let Some(keeper) = &leader.keeper {
                keeper.branch(position, &trainee)?;
            }
            leader.settle();
        }
        self.paid = self.units;
        Ok(())
    }

    /// Where training is after `step` steps.
    fn position(&self, step: u64) -> Position {
        let (first_loss, recent_losses) = self.watch.seen();
        Position {
            step,
            draws: step * self.cut.batch,
            units: self.units,
            paid: self.paid,
            optimizer_steps: self.replica.adamw.steps(),
            first_loss,
            recent_losses,
            tail_sum: self.tail.sum,
            tail_count: self.tail.count,
            seconds: self.leader.as_ref().map_or(0.0, Leader::unsettled),
        }
    }
}
