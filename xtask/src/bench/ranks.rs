//! `bench ranks`: two one-thread ranks that share a batch, and two trials side by
//! side, each against one trial on one thread; and the two ranks against a trial on half
//! the batch, which tells what their meeting costs from what a smaller batch does.

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

/// More than elsewhere: two cores do not always run at the speed of one.
const PAIRS: usize = 9;

/// Both need two cores that nobody else uses.
pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<Vec<Comparison>, Error> {
    let case = options.case.unwrap_or(CASE);
    let command = |option: &str, value: &str| {
        let mut command = ours(workspace, case, "host", STEPS);
        command.args([option, value]);
        command
    };
    let one = || program::figure(&mut command("--ranks", "1"), "tokens_per_s");
    let contest = |name: &str, against, bound| Contest {
        name: format!("{name}, case {case}"),
        unit: "tokens/s",
        against,
        target: Target::AtLeast(bound),
    };
    let two = || {
        let mut command = command("--ranks", "2");
        let output = step::read(&mut command)?;
        let figure = |field| program::figure_in(&output, &step::shown(&command), field);
        let (step, moved) = (figure("median_ms")?, figure("collective_ms")?);
        eprintln!(
            "moving and summing takes {moved:.3} ms of {step:.2} ms, {:.1} %",
            100.0 * moved / step
        );
        figure("tokens_per_s")
    };
    // Twice what one trial does on half the batch: sharing it at no cost.
    let halves = || Ok(2.0 * program::figure(&mut command("--shares", "2"), "tokens_per_s")?);
    let beside = || together(&mut command("--ranks", "1"), &mut command("--ranks", "1"));
    let pairs = options.pairs(PAIRS);
    Ok(vec![
        report(pairs::interleave(
            contest("2 ranks", "one rank", 1.8),
            pairs,
            two,
            one,
        )?),
        report(pairs::interleave(
            contest("2 ranks", "two halves apart", 0.95),
            pairs,
            two,
            halves,
        )?),
        report(pairs::interleave(
            contest("2 trials", "one rank", 1.9),
            pairs,
            beside,
            one,
        )?),
    ])
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
