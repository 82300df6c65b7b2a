//! `bench sweep`: the 19 trials of the demonstration sweep from start to end,
//! starts of processes included, on every core.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use super::pairs::{self, Comparison, Contest, Target};
use super::pytorch::{self, PyTorch};
use super::{Options, folder, program, report};
use crate::error::Error;
use crate::step;
use crate::workspace::Workspace;

const MANIFEST: &str = "examples/novels/manifest.toml";

pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<Comparison, Error> {
    let pytorch = PyTorch::find(workspace, options)?;
    let text = pytorch::text(workspace, options)?;
    let jobs = thread::available_parallelism().map_or(1, usize::from);
    let contest = Contest {
        name: "sweep".to_owned(),
        unit: "s",
        against: "PyTorch",
        target: Target::FasterBy(1.25),
    };
    pairs::interleave(
        contest,
        options.pairs(1),
        || ours(workspace, &text, jobs),
        || program::figure(&mut pytorch.sweep(&text, jobs), "wall_s"),
    )
    .map(report)
}

/// Seconds of a run that finds nothing done already.
fn ours(workspace: &Workspace, text: &Path, jobs: usize) -> Result<f64, Error> {
    let output = folder::empty(workspace, "sweep")?;
    let mut command = Command::new(workspace.built("flops-fit"));
    command
        .current_dir(workspace.root())
        .args(["run", MANIFEST])
        .arg("--set")
        .arg(format!("output.dir={}", quoted(&output)))
        .arg("--set")
        .arg(format!("dataset.config.paths=[{}]", quoted(text)))
        .arg("--set")
        .arg(format!("run.jobs={jobs}"))
        .stdout(Stdio::null());
    let started = Instant::now();
    step::run(&mut command)?;
    Ok(started.elapsed().as_secs_f64())
}

/// A path as a TOML string.
fn quoted(path: &Path) -> String {
    format!("{:?}", path.display().to_string())
}
