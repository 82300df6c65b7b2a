//! The worker's thin binary.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    flops_fit_trainer::run(flops_fit_trainer::Command::parse())
}
