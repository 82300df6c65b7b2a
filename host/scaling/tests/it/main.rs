//! Known answers, measured sweeps and simulated ones.
#![expect(clippy::unwrap_used, reason = "tests")]

mod analysis;
mod coverage;
mod demonstration;
mod known_answers;
mod simulation;
mod sweeps;
