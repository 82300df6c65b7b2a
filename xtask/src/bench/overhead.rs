//! `bench overhead`: what host, ABI, loader thread and telemetry cost, against
//! the same model crate and optimizer in a bare loop.

use super::pairs::{self, Comparison, Contest, Target};
use super::step_time::ours;
use super::{Case, Options, program, report};
use crate::error::Error;
use crate::workspace::Workspace;

/// The smallest model, on which a fixed cost weighs most.
const CASE: Case = Case::A;

pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<Comparison, Error> {
    let contest = Contest {
        name: format!("overhead {CASE}"),
        unit: "ms",
        against: "a bare loop",
        target: Target::LongerBy(1.03),
    };
    pairs::interleave(
        contest,
        options.pairs(5),
        || program::figure(&mut ours(workspace, CASE, "host"), "median_ms"),
        || program::figure(&mut ours(workspace, CASE, "bare"), "median_ms"),
    )
    .map(report)
}
