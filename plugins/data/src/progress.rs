//! Lines on standard error for work that takes more than a few seconds.

use std::io::Write as _;
use std::time::{Duration, Instant};

/// Silence between two lines, and before the first: short work says nothing.
const PAUSE: Duration = Duration::from_secs(5);

/// How far some work over a number of bytes has come.
#[derive(Debug)]
pub struct Progress {
    what: String,
    done: u64,
    total: u64,
    spoke: Instant,
}

impl Progress {
    /// Work called `what` over `total` bytes, of which `done` are done.
    pub fn new(what: String, done: u64, total: u64) -> Self {
        Self {
            what,
            done,
            total,
            spoke: Instant::now(),
        }
    }

    /// Counts bytes, and tells the user now and then.
    pub fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        if self.spoke.elapsed() >= PAUSE {
            self.spoke = Instant::now();
            let percent = self.done as f64 / self.total.max(1) as f64 * 100.0;
            let megabytes = self.total as f64 / 1e6;
            // Nothing is lost with a line that nobody can read.
            let _ = writeln!(
                std::io::stderr(),
                "{}: {percent:.0} % of {megabytes:.0} MB",
                self.what
            );
        }
    }
}
