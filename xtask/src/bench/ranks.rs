//! `bench ranks`: two one-thread ranks that share a batch, and two trials side by
//! side, each against one trial on one thread.

use std::process::{Command, Stdio};

use super::pairs::{self, Comparison, Contest, Target};
use super::step_time::ours;
use super::{Case, Options, program, report};
use crate::error::Error;
use crate::step;
use crate::workspace::Workspace;

/// nanoGPT's laptop shape: large enough that a step is worth sharing.
const CASE: Case = Case::B;

/// Steps timed in one run.
const STEPS: usize = 60;

/// Both need two cores that nobody else uses.
pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<Vec<Comparison>, Error> {
    let case = options.case.unwrap_or(CASE);
    let command = |ranks: usize| {
        let mut command = ours(workspace, case, "host", STEPS);
        command.args(["--ranks", &ranks.to_string()]);
        command
    };
    let one = || program::figure(&mut command(1), "tokens_per_s");
    let contest = |name: &str, bound| Contest {
        name: format!("{name}, case {case}"),
        unit: "tokens/s",
        against: "one rank",
        target: Target::AtLeast(bound),
    };
    let two = || {
        let mut command = command(2);
        let output = step::read(&mut command)?;
        let figure = |field| program::figure_in(&output, &step::shown(&command), field);
        let (step, moved) = (figure("median_ms")?, figure("collective_ms")?);
        eprintln!(
            "moving and summing takes {moved:.3} ms of {step:.2} ms, {:.1} %",
            100.0 * moved / step
        );
        figure("tokens_per_s")
    };
    let ranks = pairs::interleave(contest("2 ranks", 1.8), options.pairs(5), two, one)?;
    let trials = pairs::interleave(
        contest("2 trials", 1.9),
        options.pairs(5),
        || together(&mut command(1), &mut command(1)),
        one,
    )?;
    Ok(vec![report(ranks), report(trials)])
}

/// Tokens a second of two programs at once, added up.
fn together(first: &mut Command, second: &mut Command) -> Result<f64, Error> {
    let shown = step::shown(first);
    let start = |source| Error::Start {
        command: shown.clone(),
        source,
    };
    let beside = first.stdout(Stdio::piped()).spawn().map_err(start)?;
    let second = program::figure(second, "tokens_per_s");
    let output = beside.wait_with_output().map_err(start)?;
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(program::figure_in(&output, &shown, "tokens_per_s")? + second?)
}
