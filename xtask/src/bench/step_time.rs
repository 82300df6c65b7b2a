//! `bench step`: one training step, host and plugin against PyTorch, on one thread
//! each; of the widest model also against the machine's matrix products.

use std::process::Command;

use super::pairs::{self, Comparison, Contest, Target};
use super::program;
use super::pytorch::PyTorch;
use super::{Case, Options, report};
use crate::error::Error;
use crate::step;
use crate::workspace::Workspace;

/// Steps timed in one run, enough for a steady median within seconds.
const STEPS: usize = 60;

/// Share of the rate of a matrix product that a step of [`Case::C`] is to reach.
const SHARE: f64 = 0.7;

/// How much faster a step is to be. The smaller the model, the more of
/// PyTorch's time is Python's, unless it is compiled.
fn target(case: Case, compile: bool) -> f64 {
    match case {
        _ if compile => 1.0,
        Case::A => 1.25,
        Case::B => 1.05,
        Case::C => 1.0,
    }
}

pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<Vec<Comparison>, Error> {
    let pytorch = PyTorch::find(workspace, options)?;
    let cases = options.case.map_or(Case::ALL.to_vec(), |case| vec![case]);
    let mut comparisons = Vec::new();
    for case in cases {
        let contest = Contest {
            name: format!("step {case}"),
            unit: "ms",
            against: if options.compile {
                "torch.compile"
            } else {
                "PyTorch"
            },
            target: Target::FasterBy(target(case, options.compile)),
        };
        let step = pairs::interleave(
            contest,
            options.pairs(5),
            || program::figure(&mut ours(workspace, case, "host", STEPS), "median_ms"),
            || {
                let mut theirs = pytorch.step(case, STEPS, options.compile);
                program::figure(&mut theirs, "median_ms")
            },
        )?;
        comparisons.push(report(step));
        if case == Case::C {
            comparisons.push(report(share(workspace, options)?));
        }
    }
    Ok(comparisons)
}

/// FLOP/s of training by those of a matrix product in the same process.
fn share(workspace: &Workspace, options: &Options) -> Result<Comparison, Error> {
    let contest = Contest {
        name: "step c, share of the peak".to_owned(),
        unit: "GFLOP/s",
        against: "a matrix product",
        target: Target::AtLeast(SHARE),
    };
    pairs::together(contest, options.pairs(5), || {
        let mut command = ours(workspace, Case::C, "host", STEPS);
        let output = step::read(&mut command)?;
        let figure = |field| program::figure_in(&output, &step::shown(&command), field);
        Ok((figure("gflops")?, figure("gemm_gflops")?))
    })
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
