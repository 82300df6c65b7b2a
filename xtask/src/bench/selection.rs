//! `bench selection`: what following the recommendation costs over simulated sweeps,
//! against the single method that turned out best. The program prints the table of
//! docs/statistics.md.

use std::process::Command;

use super::pairs::{self, Comparison, Contest, Target};
use super::{program, report};
use crate::error::Error;
use crate::step;
use crate::workspace::Workspace;

/// Mean regret against the best single method's.
const PROMISED: f64 = 1.1;

pub(super) fn run(workspace: &Workspace) -> Result<Comparison, Error> {
    let output = step::read(&mut Command::new(workspace.built("examples/selection")))?;
    print!("{output}");
    let contest = Contest {
        name: "mean regret of the recommendation".to_owned(),
        unit: "of the loss",
        against: "best single method",
        target: Target::LongerBy(PROMISED),
    };
    let figure = |field| program::figure_in(&output, "selection", field);
    pairs::interleave(
        contest,
        1,
        || figure("recommended_regret"),
        || figure("best_regret"),
    )
    .map(report)
}
