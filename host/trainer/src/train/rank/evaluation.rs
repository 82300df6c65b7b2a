//! A rank's share of the held-out set.

use std::sync::atomic::Ordering;

use flops_fit_trial::{Failure, Stage};

use super::{
    super::{blueprint::Replica, leader::Leader},
    End, Rank,
};
use crate::evaluate;

impl Rank<'_> {
    /// This rank's share of the held-out set.
    pub(super) fn evaluate(&mut self, steps: u64) -> Result<End, Failure> {
        self.train_seconds = self.leader.as_ref().map_or(0.0, Leader::seconds);
        // Later there is nobody to take them from.
        let moments = self.moments()?;
        let keeper = self
            .leader
            .as_ref()
            .and_then(|leader| leader.keeper.as_ref());
        if keeper.is_some_and(|keeper| keeper.has_much_unsaved()) {
            self.save(steps, &moments);
        }
        self.report(Stage::Evaluate, steps, 0.0)?;
        let (rank, ranks) = (self.collective.rank(), self.collective.ranks());
        let mut evaluated = Vec::new();
        for index in (rank..self.held_out_batches).step_by(ranks) {
            self.report_if_due(Stage::Evaluate, steps, 0.0)?;
            // The others' shares are small, and what they find would be lost.
            if self.leader.is_some() && self.stop.load(Ordering::Relaxed) {
                self.save(steps, &moments);
                return Ok(End::Interrupted { step: steps });
            }
            let batch = match self.feed.next() {
                // The leader was asked to stop, and took the loader with it.
                Err(_) if self.stop.load(Ordering::Relaxed) => {
                    return Ok(End::Interrupted { step: steps });
                }
                batch => batch?,
            };
            let Replica {
                model, loss, flat, ..
            } = &self.replica;
            let batch = batch.on(flat.params.device())?;
            evaluated.push(evaluate::batch(model, loss, &batch, index, steps)?);
        }
        Ok(End::Trained(evaluated))
    }
}
