//! `cargo xtask bench`: the figures that flops-fit promises, measured on this
//! machine against what they are promised against.
//!
//! Both sides of a comparison are run in turn, so that a machine that slows
//! down slows both; medians are compared, and the load average is printed
//! beside each run, since a busy machine makes every figure worthless. One
//! JSON object a benchmark goes to standard output, progress to standard error.

mod adaptive;
mod analysis;
mod coverage;
mod example;
mod folder;
mod help;
mod load;
mod options;
mod overhead;
mod pairs;
mod parent;
mod program;
mod pytorch;
mod ranks;
mod selection;
mod step_time;
mod stories;
mod sweep;
mod trunks;

pub(crate) use options::{Bench, Case, Options};

use crate::error::Error;
use crate::workspace::Workspace;
use crate::{setup, step};

use pairs::Comparison;

/// Runs the benchmarks that were asked for; an error if one missed its target.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<(), Error> {
    let mut build = workspace.cargo("build");
    build.arg("--release");
    if options.bench.is_some_and(Bench::is_pure) {
        build.args(["--package", "flops-fit-scaling", "--examples"]);
    } else {
        setup::ensure(workspace)?;
        build.args(["--workspace", "--all-targets"]);
    }
    step::run(&mut build)?;
    let benches = match options.bench {
        Some(bench) => vec![bench],
        // A sweep takes many minutes on either side, and so do simulations.
        None => vec![
            Bench::Help,
            Bench::Analysis,
            Bench::Stories,
            Bench::Step,
            Bench::Overhead,
            Bench::Parent,
        ],
    };
    let mut comparisons = Vec::new();
    for bench in benches {
        comparisons.extend(match bench {
            Bench::Help => vec![help::run(workspace, options)?],
            Bench::Step => step_time::run(workspace, options)?,
            Bench::Sweep => vec![sweep::run(workspace, options)?],
            Bench::Overhead => vec![overhead::run(workspace, options)?],
            Bench::Stories => vec![stories::run(workspace, options)?],
            Bench::Analysis => analysis::run(workspace, options)?,
            Bench::Coverage => coverage::run(workspace)?,
            Bench::Selection => vec![selection::run(workspace)?],
            Bench::Ranks => ranks::run(workspace, options)?,
            Bench::Trunks => trunks::run(workspace)?,
            Bench::Adaptive => adaptive::run(workspace)?,
            Bench::Parent => parent::run(workspace, options)?,
        });
    }
    eprintln!();
    for comparison in &comparisons {
        eprintln!("{comparison}");
    }
    let missed = comparisons.iter().filter(|one| !one.met()).count();
    if missed > 0 {
        return Err(Error::TargetMissed {
            missed,
            all: comparisons.len(),
        });
    }
    Ok(())
}

/// Prints a finished comparison for a program to read, and hands it on.
fn report(comparison: Comparison) -> Comparison {
    println!("{}", comparison.to_json());
    comparison
}
