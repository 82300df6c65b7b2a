//! Known answers, measured sweeps and simulated ones.
#![expect(clippy::unwrap_used, reason = "tests")]
#![expect(
    clippy::print_stdout,
    reason = "coverage figures, and what was skipped"
)]

mod analysis;
mod around;
mod chinchilla;
mod coverage;
mod demonstration;
mod intervals;
mod invariance;
mod known_answers;
mod refit;
mod simulation;
mod sweeps;
