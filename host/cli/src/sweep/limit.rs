//! When a trial has taken too long: the four limits, by what was last heard.

use std::time::{Duration, Instant};

use flops_fit_trial::Stage;

use crate::manifest::Limits;

/// A limit that was passed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Passed {
    /// The manifest's key for it, in `[run]`.
    pub(super) key: &'static str,
    /// What was being waited for.
    pub(super) what: &'static str,
    pub(super) limit: Duration,
}

/// What was heard of a trial, and when.
#[derive(Debug)]
pub(super) struct Clock {
    begun: Instant,
    /// From when on its time is limited.
    limited: Instant,
    sign: Instant,
    stage: Stage,
    step: u64,
    step_begun: Instant,
}

impl Clock {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            begun: now,
            limited: now,
            sign: now,
            stage: Stage::Start,
            step: 0,
            step_begun: now,
        }
    }

    /// Nobody has looked for so long, as on a machine that was put to sleep: none of it
    /// is held against the worker.
    pub(super) fn held_up(&mut self, time: Duration) {
        for since in [&mut self.limited, &mut self.sign, &mut self.step_begun] {
            *since += time;
        }
    }

    /// The worker lives.
    pub(super) fn beat(&mut self, stage: Stage) {
        self.sign = Instant::now();
        if self.stage != stage {
            self.stage = stage;
            self.step_begun = self.sign;
        }
    }

    /// The worker has done `step` steps.
    pub(super) fn advanced(&mut self, stage: Stage, step: u64) {
        self.beat(stage);
        if self.step != step {
            self.step = step;
            self.step_begun = self.sign;
        }
    }

    /// Since the worker was started.
    pub(super) fn total(&self) -> Duration {
        self.begun.elapsed()
    }

    /// The first limit that was passed.
    pub(super) fn passed(&self, limits: &Limits) -> Option<Passed> {
        let (waiting, stage_limit) = match self.stage {
            Stage::Start => (
                "loading and building, before the first step",
                ("start_limit", self.limited, Some(limits.start)),
            ),
            Stage::Train => (
                "a training step",
                ("silence_limit", self.sign, Some(limits.silence)),
            ),
            Stage::Evaluate => (
                "held-out evaluation",
                ("silence_limit", self.sign, Some(limits.silence)),
            ),
        };
        let step_limit = limits.step.filter(|_| self.stage == Stage::Train);
        [
            (waiting, stage_limit),
            (
                "one optimizer step",
                ("step_limit", self.step_begun, step_limit),
            ),
            (
                "the whole trial",
                ("time_limit", self.limited, limits.total),
            ),
        ]
        .into_iter()
        .find_map(|(what, (key, since, limit))| {
            let limit = limit.filter(|limit| since.elapsed() > *limit)?;
            Some(Passed { key, what, limit })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        start: Duration::from_secs(100),
        silence: Duration::from_secs(10),
        step: Some(Duration::from_secs(30)),
        total: Some(Duration::from_secs(1000)),
        stop: Duration::ZERO,
    };

    /// A clock on which everything was last heard of so many seconds ago.
    fn clock(stage: Stage, begun: u64, step: u64, sign: u64) -> Option<&'static str> {
        let ago = |seconds| {
            Instant::now()
                .checked_sub(Duration::from_secs(seconds))
                .expect("the machine has run for longer")
        };
        let clock = Clock {
            begun: ago(begun),
            limited: ago(begun),
            sign: ago(sign),
            stage,
            step: 3,
            step_begun: ago(step),
        };
        clock.passed(&LIMITS).map(|passed| passed.key)
    }

    #[test]
    fn each_limit_has_its_stage() {
        assert_eq!(clock(Stage::Start, 99, 99, 99), None);
        assert_eq!(clock(Stage::Start, 101, 101, 101), Some("start_limit"));
        assert_eq!(clock(Stage::Train, 500, 29, 9), None);
        assert_eq!(clock(Stage::Train, 500, 29, 11), Some("silence_limit"));
        assert_eq!(clock(Stage::Train, 500, 31, 1), Some("step_limit"));
        assert_eq!(clock(Stage::Evaluate, 500, 31, 1), None);
        assert_eq!(clock(Stage::Evaluate, 500, 31, 11), Some("silence_limit"));
        assert_eq!(clock(Stage::Evaluate, 1001, 31, 1), Some("time_limit"));
    }

    #[test]
    fn what_this_process_slept_is_held_against_no_worker() {
        let now = Instant::now();
        let hour = Duration::from_hours(1);
        let Some(then) = now.checked_sub(hour) else {
            return;
        };
        for stage in [Stage::Start, Stage::Train, Stage::Evaluate] {
            let mut clock = Clock::new(then);
            clock.stage = stage;
            assert!(clock.passed(&LIMITS).is_some());
            clock.held_up(hour);
            assert_eq!(clock.passed(&LIMITS), None);
            assert!(clock.total() >= hour, "the trial's own time goes on");
        }
    }

    #[test]
    fn a_step_is_as_old_as_its_number() {
        let mut clock = Clock::new(Instant::now());
        clock.advanced(Stage::Train, 5);
        let since = clock.step_begun;
        clock.advanced(Stage::Train, 5);
        clock.beat(Stage::Train);
        assert_eq!(clock.step_begun, since);
        clock.advanced(Stage::Train, 6);
        assert!(clock.step_begun >= since && clock.sign == clock.step_begun);
    }
}
