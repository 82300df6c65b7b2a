//! How far a sweep is, by FLOPs, and how long it will still take.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use flops_fit_trial::{Progress, TrialId};

use crate::sweep::{Selection, Trial};

/// FLOPs done and left.
#[derive(Debug)]
pub(super) struct Pace {
    begun: Instant,
    /// Trials in all, kept ones included.
    pub(super) trials: usize,
    /// Trials that have a result.
    pub(super) ended: usize,
    total: f64,
    kept: f64,
    done: f64,
    running: BTreeMap<TrialId, f64>,
}

impl Pace {
    pub(super) fn new(selection: &Selection) -> Self {
        let to_train = selection.pending.iter().chain(&selection.trunks);
        let pending: f64 = to_train.map(Trial::flops).sum();
        Self {
            begun: Instant::now(),
            trials: selection.kept + selection.pending.len(),
            ended: selection.kept,
            total: pending + selection.kept_flops,
            kept: selection.kept_flops,
            done: 0.0,
            running: BTreeMap::new(),
        }
    }

    pub(super) fn progressed(&mut self, trial: &Trial, progress: &Progress) {
        let before = trial.done * trial.spec.units_per_step();
        let units = progress.units.saturating_sub(before);
        let flops = trial.spec.run.flops_per_unit * units as f64;
        self.running.insert(trial.spec.id.clone(), flops);
    }

    pub(super) fn ended(&mut self, trial: &Trial, again: bool) {
        self.running.remove(&trial.spec.id);
        if !again {
            self.ended += usize::from(!trial.spec.is_trunk());
            self.done += trial.flops();
        }
    }

    /// Share of all FLOPs that are done, in [0, 1].
    pub(super) fn share(&self) -> f64 {
        if self.total > 0.0 {
            ((self.kept + self.trained()) / self.total).min(1.0)
        } else {
            1.0
        }
    }

    /// Seconds left at the rate so far, once there is one.
    pub(super) fn left(&self) -> Option<f64> {
        const TOO_EARLY: Duration = Duration::from_secs(2);
        let elapsed = self.begun.elapsed();
        let trained = self.trained();
        (elapsed > TOO_EARLY && trained > 0.0).then(|| {
            let rate = trained / elapsed.as_secs_f64();
            (self.total - self.kept - trained).max(0.0) / rate
        })
    }

    fn trained(&self) -> f64 {
        self.done + self.running.values().sum::<f64>()
    }
}
