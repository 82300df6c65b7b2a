//! `bench analysis`: CPU and wall seconds of fits, intervals and the whole
//! analysis, against what is promised of them. The program's own line goes to
//! standard output first: it holds every method's time, and the rate of a matrix
//! product on this machine's one thread, by which the figures can be scaled.

use std::process::Command;

use super::pairs::{self, Comparison, Contest, Target};
use super::{Options, program, report};
use crate::error::Error;
use crate::step;
use crate::workspace::Workspace;

/// The Chinchilla data, beside the clone; without them runs are simulated.
const DATA: &str = "../shared/data/epoch_chinchilla.csv";

/// Name, field of the program's line, and seconds promised.
const PROMISED: [(&str, &str, f64); 3] = [
    (
        "log-Huber fit, 1000 draws, CPU",
        "huber_1000_draws_cpu_s",
        0.3,
    ),
    ("whole analysis, CPU", "analyze_cpu_s", 2.0),
    (
        "10 000 runs, 200 draws, wall",
        "ten_thousand_runs_wall_s",
        5.0,
    ),
];

pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<Vec<Comparison>, Error> {
    // The program takes the best of three already.
    let rounds = options.pairs(1);
    let mut outputs = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let mut command = Command::new(workspace.built("examples/speed"));
        command.arg(workspace.path(DATA));
        let output = step::read(&mut command)?;
        print!("{output}");
        outputs.push(output);
    }
    PROMISED
        .into_iter()
        .map(|(name, field, promised)| {
            let contest = Contest {
                name: name.to_owned(),
                unit: "s",
                against: "promised",
                target: Target::FasterBy(1.0),
            };
            let mut outputs = outputs.iter();
            pairs::interleave(
                contest,
                rounds,
                || program::figure_in(outputs.next().map_or("", String::as_str), "speed", field),
                || Ok(promised),
            )
            .map(report)
        })
        .collect()
}
