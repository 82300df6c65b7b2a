//! `flops-fit doctor`: looks over the machine and says, check by check, what
//! was found and what to do where something is missing.
//!
//! It changes nothing and trains nothing. What is merely useful (a GPU, much
//! memory) is never a problem; a problem is what keeps a sweep from running.

mod checks;
mod gpu;
mod report;
mod verdict;
mod worker;

use std::path::{Path, PathBuf};

pub use report::{Check, Report, Status};
pub use verdict::{Verdict, check_gpus};

use crate::setup::{Environment, Error};

/// What doctor is to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The `flops-fit-worker` that a sweep would start, if one was found.
    pub worker: Option<PathBuf>,
    /// The folder whose disk would get the results.
    pub output: PathBuf,
}

/// Runs every check on this machine.
///
/// Fails only where the process's own surroundings can't be read; everything
/// that is amiss with the machine is in the report.
pub fn run(options: &Options) -> Result<Report, Error> {
    Ok(run_in(options, &Environment::of_process()?))
}

/// [`run`], in surroundings of the caller's choice.
pub fn run_in(options: &Options, environment: &Environment) -> Report {
    let output = environment.folder.join(&options.output);
    Report {
        checks: vec![
            checks::toolchain(environment),
            checks::compiler(environment),
            checks::libtorch(environment),
            worker::check(options.worker.as_deref()),
            checks::cores(),
            checks::memory(Path::new("/proc/meminfo")),
            checks::disk(&output),
            gpu::check(environment, Path::new("/proc/driver/nvidia/version")),
        ],
    }
}

#[cfg(test)]
mod tests;
