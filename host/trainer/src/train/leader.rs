//! What the first rank does beside its share: progress, checkpoints.

use std::time::{Duration, Instant, SystemTime};

use flops_fit_trial::{Position, Progress, Stage, TrialSpec};

use super::Observer;
use crate::{Keeper, parent};

/// Time between two progress lines.
const REPORT_EVERY: Duration = Duration::from_millis(500);

/// The first rank's further duties.
pub(super) struct Leader<'a> {
    pub(super) observer: &'a mut dyn Observer,
    pub(super) keeper: Option<&'a mut Keeper>,
    clock: Instant,
    /// Seconds of training before this process.
    earlier: f64,
    /// Seconds that a branch of the trunk is charged for.
    settled: f64,
    steps: u64,
    flops_per_unit: f64,
    /// FLOP/s that all threads and devices of the trial could do.
    peak: Option<f64>,
    since: Since,
    /// When the last line was written, also one within a step.
    said: Instant,
}

/// Sums since the last progress line between two steps.
struct Since {
    begun: Instant,
    units: u64,
    sum: f64,
    count: u32,
}

impl Since {
    fn new(units: u64) -> Self {
        Self {
            begun: Instant::now(),
            units,
            sum: 0.0,
            count: 0,
        }
    }
}

impl<'a> Leader<'a> {
    /// Of the trial `spec`, which begins at `start` and goes on to step `steps`.
    pub(super) fn new(
        observer: &'a mut dyn Observer,
        keeper: Option<&'a mut Keeper>,
        spec: &TrialSpec,
        steps: u64,
        start: &Position,
    ) -> Self {
        let run = &spec.run;
        // The rate was measured on one thread of a CPU, or on the whole of another device.
        let parts = run.devices.iter().map(|device| match device.as_str() {
            "cpu" => f64::from(run.threads.max(1)),
            _ => 1.0,
        });
        let busy: f64 = parts.sum();
        Self {
            observer,
            keeper,
            clock: Instant::now(),
            earlier: start.seconds,
            settled: 0.0,
            steps,
            flops_per_unit: run.flops_per_unit,
            peak: run.gemm.map(|gemm| gemm * busy),
            since: Since::new(start.units),
            said: Instant::now(),
        }
    }

    /// Seconds of training, those before this process included.
    pub(super) fn seconds(&self) -> f64 {
        self.earlier + self.clock.elapsed().as_secs_f64()
    }

    /// Those of them that no branch is charged for yet.
    pub(super) fn unsettled(&self) -> f64 {
        self.seconds() - self.settled
    }

    /// A branch is charged for all of them.
    pub(super) fn settle(&mut self) {
        self.settled = self.seconds();
    }

    pub(super) fn see(&mut self, loss: f64) {
        self.since.sum += loss;
        self.since.count += 1;
    }

    /// Whether it is time for a line of progress.
    pub(super) fn is_due(&self) -> bool {
        self.since.begun.elapsed() >= REPORT_EVERY
    }

    /// Whether a line within a step would say more than silence.
    pub(super) fn is_silent(&self) -> bool {
        self.said.elapsed() >= REPORT_EVERY
    }

    /// Writes one, and gives a sign of life.
    pub(super) fn report(&mut self, at: &Mark) {
        parent::reach(at.stage);
        parent::beat();
        self.said = Instant::now();
        // What is seen within a step counts once the step is taken.
        let since = if at.within_step {
            Since::new(at.units)
        } else {
            std::mem::replace(&mut self.since, Since::new(at.units))
        };
        let seconds = since.begun.elapsed().as_secs_f64().max(1e-9);
        let seen = at.units.saturating_sub(since.units);
        let units_per_second = (seen > 0).then(|| seen as f64 / seconds);
        let flops_per_second = units_per_second.map(|rate| rate * self.flops_per_unit);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let progress = Progress {
            at: self.clock.elapsed().as_secs_f64(),
            time: now.ok().map(|time| time.as_secs_f64()),
            stage: at.stage,
            step: at.step,
            steps: self.steps,
            units: at.units,
            loss: (since.count > 0).then(|| since.sum / f64::from(since.count)),
            lr: at.lr,
            grad_norm: at.grad_norm,
            units_per_second,
            flops_per_second,
            gemm_share: self.peak.and_then(|peak| Some(flops_per_second? / peak)),
        };
        self.observer.progress(&progress);
    }
}

/// Where training is.
pub(super) struct Mark {
    pub(super) stage: Stage,
    pub(super) step: u64,
    pub(super) units: u64,
    pub(super) lr: f64,
    pub(super) grad_norm: Option<f64>,
    /// Whether the step after `step` has begun.
    pub(super) within_step: bool,
}
