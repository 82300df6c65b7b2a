//! `bench step`: one training step, host and plugin against eager PyTorch, on
//! one thread each.

use std::process::Command;

use super::pairs::{self, Comparison, Contest, Target};
use super::program;
use super::pytorch::PyTorch;
use super::{Case, Options, report};
use crate::error::Error;
use crate::workspace::Workspace;

/// Steps timed in one run, enough for a steady median within seconds.
const STEPS: usize = 60;

/// How much faster a step is to be. The smaller the model, the more of
/// PyTorch's time is Python's.
fn target(case: Case) -> f64 {
    match case {
        Case::A => 1.2,
        Case::B => 1.05,
        Case::C => 1.0,
    }
}

pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<Vec<Comparison>, Error> {
    let pytorch = PyTorch::find(workspace, options)?;
    let cases = options.case.map_or(Case::ALL.to_vec(), |case| vec![case]);
    cases
        .into_iter()
        .map(|case| {
            let contest = Contest {
                name: format!("step {case}"),
                unit: "ms",
                against: "PyTorch",
                target: Target::FasterBy(target(case)),
            };
            pairs::interleave(
                contest,
                options.pairs(5),
                || program::figure(&mut ours(workspace, case, "host", STEPS), "median_ms"),
                || program::figure(&mut pytorch.step(case, STEPS), "median_ms"),
            )
            .map(report)
        })
        .collect()
}

/// The program that times our steps: `via` the host and its ABI, in a bare loop
/// over the same model, or both in turn.
pub(super) fn ours(workspace: &Workspace, case: Case, via: &str, steps: usize) -> Command {
    let mut command = Command::new(workspace.built("examples/step_time"));
    command
        .args(["--case", &case.to_string()])
        .args(["--steps", &steps.to_string()])
        .args(["--via", via]);
    command
}
