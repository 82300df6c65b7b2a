//! Lines: for logs and pipes. One when a trial ends, one every few seconds.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use flops_fit_trial::{Outcome, Progress};

use super::{ending, pace::Pace};
use crate::{
    sweep::{Observer, Trial},
    time::about,
};

const EVERY: Duration = Duration::from_secs(5);

pub(super) struct Lines {
    pace: Pace,
    last: Instant,
}

impl Lines {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            pace,
            last: Instant::now(),
        }
    }
}

impl Observer for Lines {
    fn progressed(&mut self, trial: &Trial, progress: &Progress) {
        self.pace.progressed(trial, progress);
    }

    fn ended(&mut self, trial: &Trial, outcome: &Outcome, again: bool) {
        self.pace.ended(trial, again);
        say(&format!(
            "[{}/{}] {}: {}",
            self.pace.ended,
            self.pace.trials,
            trial.label(),
            ending(outcome, again)
        ));
    }

    fn tick(&mut self) {
        if self.last.elapsed() < EVERY {
            return;
        }
        self.last = Instant::now();
        let left = match self.pace.left() {
            Some(left) => format!(", {} left", about(left)),
            None => String::new(),
        };
        say(&format!(
            "{:.0} % of the FLOPs done, {} of {} trials{left}",
            100.0 * self.pace.share(),
            self.pace.ended,
            self.pace.trials
        ));
    }
}

/// A line on standard error; a reader that went away is no reason to stop.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
