//! `bench stories`: how fast one thread writes the invented language, against
//! the rate that keeps a core's training fed.

use std::process::Command;

use super::pairs::{self, Comparison, Contest, Target};
use super::{Options, report};
use crate::error::Error;
use crate::step;
use crate::workspace::Workspace;

/// Megabytes a second, in examples of 65 bytes.
const PROMISED: f64 = 20.0;

/// Beginning of the line that tells it.
const LINE: &str = "65-byte examples";

pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<Comparison, Error> {
    let contest = Contest {
        name: "stories".to_owned(),
        unit: "MB/s",
        against: "promised",
        target: Target::AtLeast(1.0),
    };
    let program = workspace.built("examples/stories_speed");
    pairs::interleave(
        contest,
        options.pairs(5),
        || {
            let mut command = Command::new(&program);
            let output = step::read(&mut command)?;
            rate(&output).ok_or_else(|| Error::NoFigure {
                command: step::shown(&command),
                field: LINE,
                output,
            })
        },
        || Ok(PROMISED),
    )
    .map(report)
}

/// The rate on the line about examples of the measured length.
fn rate(output: &str) -> Option<f64> {
    let line = output.lines().find_map(|line| line.strip_prefix(LINE))?;
    line.trim_start_matches(':')
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn the_rate_of_examples_is_told_from_the_others() {
        let output = "stories: 80.5 MB/s\n65-byte examples: 31.4 MB/s\n";
        assert_eq!(rate(output), Some(31.4));
        assert_eq!(rate("stories: 80.5 MB/s\n"), None);
    }
}
