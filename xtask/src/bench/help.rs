//! `bench help`: from the start of `flops-fit --help` to its end, against the
//! ten milliseconds that a command may take before it feels slow.

use std::process::Command;
use std::time::Instant;

use super::pairs::{self, Comparison, Contest, Target};
use super::{Options, report};
use crate::error::Error;
use crate::step;
use crate::workspace::Workspace;

/// Milliseconds.
const PROMISED: f64 = 10.0;

/// Starts in one figure, which is their median.
const STARTS: usize = 20;

pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<Comparison, Error> {
    let contest = Contest {
        name: "help".to_owned(),
        unit: "ms",
        against: "promised",
        target: Target::FasterBy(1.0),
    };
    let program = workspace.built("flops-fit");
    pairs::interleave(
        contest,
        options.pairs(5),
        || {
            let mut times = Vec::with_capacity(STARTS);
            for _ in 0..STARTS {
                let started = Instant::now();
                step::read(Command::new(&program).arg("--help"))?;
                times.push(started.elapsed().as_secs_f64() * 1e3);
            }
            times.sort_by(f64::total_cmp);
            Ok(times[STARTS / 2])
        },
        || Ok(PROMISED),
    )
    .map(report)
}
