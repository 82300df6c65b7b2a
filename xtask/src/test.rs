//! `cargo xtask test`: every test of the workspace, and one line at the end
//! that sums up what cargo spreads over one result for each test program.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::ops::AddAssign;
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::workspace::Workspace;
use crate::{setup, step};

/// Sets up, builds and tests. `arguments` go to `cargo test`.
pub(crate) fn run(workspace: &Workspace, arguments: &[OsString]) -> Result<(), Error> {
    setup::ensure(workspace)?;
    // Whole-command tests start the programs and load the plugins that a build
    // leaves in the target folder; cargo test alone makes neither. All targets
    // at once: what tests depend on changes features of what programs do.
    step::run(
        workspace
            .cargo("build")
            .args(["--release", "--workspace", "--all-targets"]),
    )?;
    summed_up(
        workspace
            .cargo("test")
            .args(["--release", "--workspace", "--no-fail-fast"])
            .args(arguments),
    )
}

fn summed_up(command: &mut Command) -> Result<(), Error> {
    let shown = step::shown(command);
    eprintln!("$ {shown}");
    let start = |source| Error::Start {
        command: shown.clone(),
        source,
    };
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(start)?;
    let mut sum = Counts::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            if let Some(counts) = counts(&line) {
                sum += counts;
            }
        }
    }
    let status = child.wait().map_err(start)?;
    println!(
        "{} passed, {} failed, {} skipped",
        sum.passed, sum.failed, sum.ignored
    );
    if status.success() {
        Ok(())
    } else {
        Err(Error::Failed {
            command: shown,
            status,
        })
    }
}

/// How many tests came out how.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

/// Reads the line with which one test program ends.
fn counts(line: &str) -> Option<Counts> {
    let (_, figures) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let figure = |name: &str| {
        figures
            .split("; ")
            .find_map(|part| part.strip_suffix(name)?.trim().parse().ok())
    };
    Some(Counts {
        passed: figure(" passed")?,
        failed: figure(" failed")?,
        ignored: figure(" ignored")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_test_programs_are_read_and_other_lines_are_not() {
        let line = "test result: FAILED. 12 passed; 1 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.10s";
        assert_eq!(
            counts(line),
            Some(Counts {
                passed: 12,
                failed: 1,
                ignored: 3
            })
        );
        assert_eq!(counts("test isoflop::minimum ... ok"), None);
        assert_eq!(counts("test result: of a sort"), None);
    }
}
