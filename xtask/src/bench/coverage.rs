//! `bench coverage`: how often the 95 % intervals hold the truth over simulated
//! sweeps. The program prints the tables of docs/statistics.md; what is promised
//! of the least-squares surface, whose form is right, and of the recommendation is
//! checked here.

use std::process::Command;

use super::pairs::{self, Comparison, Contest, Target};
use super::{program, report};
use crate::error::Error;
use crate::step;
use crate::workspace::Workspace;

/// Name, field of the program's last line, and the shares between which it is to be.
const PROMISED: [(&str, &str, (f64, f64)); 5] = [
    ("N* held, all cells", "single_pooled", (0.93, 0.97)),
    ("N* held, lowest cell", "single_lowest", (0.92, 0.98)),
    ("N* held, highest cell", "single_highest", (0.92, 0.98)),
    ("N* held, widened, all cells", "widened_pooled", (0.94, 1.0)),
    (
        "width over the single method's, widest cell",
        "widened_width_highest",
        (0.0, 2.0),
    ),
];

pub(super) fn run(workspace: &Workspace) -> Result<Vec<Comparison>, Error> {
    let output = step::read(&mut Command::new(workspace.built("examples/coverage")))?;
    print!("{output}");
    PROMISED
        .into_iter()
        .map(|(name, field, (low, high))| {
            let contest = Contest {
                name: name.to_owned(),
                unit: "",
                against: "1",
                target: Target::Between(low, high),
            };
            pairs::interleave(
                contest,
                1,
                || program::figure_in(&output, "coverage", field),
                || Ok(1.0),
            )
            .map(report)
        })
        .collect()
}
