//! `bench overhead`: what host, ABI, loader thread and telemetry cost, against
//! the same model crate and optimizer in a bare loop.

use super::pairs::{self, Comparison, Contest, Target};
use super::step_time::ours;
use super::{Case, Options, program, report};
use crate::error::Error;
use crate::step;
use crate::workspace::Workspace;

/// The smallest model, on which a fixed cost weighs most.
const CASE: Case = Case::A;
/// Steps of each side in one run. The sides take turns within it, since two
/// runs after one another differ by more than what is to be measured.
const STEPS: usize = 1200;

pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<Comparison, Error> {
    let contest = Contest {
        name: format!("overhead {CASE}"),
        unit: "ms",
        against: "a bare loop",
        target: Target::LongerBy(1.03),
    };
    pairs::together(contest, options.pairs(5), || {
        let mut command = ours(workspace, CASE, "both", STEPS);
        let output = step::read(&mut command)?;
        let figure = |field| program::figure_in(&output, &step::shown(&command), field);
        Ok((figure("host_ms")?, figure("bare_ms")?))
    })
    .map(report)
}
