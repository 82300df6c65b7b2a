//! A worker that has to end: it is waited for, then killed, then given up.

use std::time::{Duration, Instant};

use crate::process::KILL_GRACE;

/// How far that is.
#[derive(Debug)]
pub(super) struct Ending {
    since: Instant,
    grace: Duration,
}

/// What is to be done about it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Wait,
    Kill,
    /// Not even SIGKILL has ended it.
    GiveUp,
}

impl Ending {
    /// It may take `grace` from now on.
    pub(super) fn within(grace: Duration) -> Self {
        Self {
            since: Instant::now(),
            grace,
        }
    }

    pub(super) fn step(&self) -> Step {
        self.after(self.since.elapsed())
    }

    fn after(&self, elapsed: Duration) -> Step {
        if elapsed <= self.grace {
            Step::Wait
        } else if elapsed <= self.grace + KILL_GRACE {
            Step::Kill
        } else {
            Step::GiveUp
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_waited_for_then_killed_then_given_up() {
        let second = Duration::from_secs(1);
        let ending = Ending::within(2 * second);
        assert_eq!(ending.after(2 * second), Step::Wait);
        assert_eq!(ending.after(3 * second), Step::Kill);
        assert_eq!(ending.after(2 * second + KILL_GRACE), Step::Kill);
        assert_eq!(ending.after(3 * second + KILL_GRACE), Step::GiveUp);
    }
}
