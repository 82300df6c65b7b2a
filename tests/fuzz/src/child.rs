//! A process that runs a range of cases and says how they went. It may die of
//! one: its parent then finds out which.

use std::{
    any::Any,
    io::{self, Write as _},
    panic,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{MOST_BYTES, Target, memory, mutate::Mutator};

/// Longest that a case may take, on a busy machine too.
const LIMIT: Duration = Duration::from_secs(10);

/// Most failures that are listed.
const MOST_FAILURES: usize = 10;

/// How the cases of a range went: one line of JSON on standard output.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Cases that were run.
    pub cases: u64,
    /// Of which the parser accepted the input.
    pub accepted: u64,
    /// Most bytes that one took.
    pub most_bytes: usize,
    /// Longest that one took, in seconds.
    pub slowest: f64,
    /// What must not happen and did.
    pub failures: Vec<Failure>,
}

/// A case that failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Its number.
    pub case: u64,
    /// What happened.
    pub what: String,
}

/// Milliseconds since the process began at which the present case did; 0 for
/// none.
static BEGAN: AtomicU64 = AtomicU64::new(0);

/// Runs the cases `from` to below `to` of `seed`. With `trace` each number is
/// printed before its case is run.
pub fn run(target: &Target, seed: u64, (from, to): (u64, u64), trace: bool) -> Summary {
    let clock = Instant::now();
    watch(clock);
    let mutator = Mutator::new(target);
    let mut summary = Summary::default();
    for case in from..to {
        if trace {
            let _ = writeln!(io::stdout(), "{case}");
        }
        let input = mutator.input(seed, case);
        let held = memory::start();
        let started = Instant::now();
        BEGAN.store(clock.elapsed().as_millis() as u64 + 1, Ordering::Relaxed);
        let ended = panic::catch_unwind(|| (target.run)(&input));
        BEGAN.store(0, Ordering::Relaxed);
        let seconds = started.elapsed().as_secs_f64();
        let bytes = memory::most() - held;
        summary.cases += 1;
        summary.accepted += u64::from(matches!(ended, Ok(true)));
        summary.most_bytes = summary.most_bytes.max(bytes);
        summary.slowest = summary.slowest.max(seconds);
        let what = match ended {
            Err(payload) => format!("panicked: {}", words(payload.as_ref())),
            Ok(_) if bytes > MOST_BYTES => format!("took {} MiB", bytes >> 20),
            Ok(_) => continue,
        };
        summary.failures.push(Failure { case, what });
        if summary.failures.len() == MOST_FAILURES {
            break;
        }
    }
    summary
}

fn words(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("without words").to_owned()
}

/// Ends the process when a case takes too long.
fn watch(clock: Instant) {
    thread::spawn(move || {
        loop {
            thread::sleep(LIMIT / 10);
            let began = BEGAN.load(Ordering::Relaxed);
            let now = clock.elapsed().as_millis() as u64;
            if began > 0 && now.saturating_sub(began) > LIMIT.as_millis() as u64 {
                let _ = writeln!(io::stderr(), "no end after {} s", LIMIT.as_secs());
                std::process::abort();
            }
        }
    });
}
