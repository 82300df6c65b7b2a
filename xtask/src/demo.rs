//! `cargo xtask demo`: from a bare clone to a trained sweep and its plots.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::error::Error;
use crate::workspace::Workspace;
use crate::{setup, step};

const MANIFEST: &str = "examples/stories/manifest.toml";
/// Where that manifest has its results written.
const OUTPUT: &str = "examples/stories/outputs/stories";

pub(crate) fn run(workspace: &Workspace) -> Result<(), Error> {
    setup::ensure(workspace)?;
    step::run(workspace.cargo("build").args(["--release", "--workspace"]))?;

    let started = Instant::now();
    step::run(
        Command::new(workspace.built("flops-fit"))
            .current_dir(workspace.root())
            // What was built since the last time is trained again; else nothing is.
            .args(["run", MANIFEST, "--retrain"]),
    )?;
    let output = workspace.path(OUTPUT);
    println!(
        "\nTook {:.0} s. Everything about it is in {}, the plots are",
        started.elapsed().as_secs_f64(),
        shown(&output)
    );
    for plot in plots(&output.join("plots")) {
        println!("  {}", shown(&plot));
    }
    Ok(())
}

/// The plots to look at, in order of name.
fn plots(folder: &Path) -> Vec<PathBuf> {
    let mut plots: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "svg"))
        .collect();
    plots.sort();
    plots
}

/// Relative to the current folder where it is inside, so that it can be copied.
fn shown(path: &Path) -> String {
    std::env::current_dir()
        .ok()
        .and_then(|folder| path.strip_prefix(folder).ok())
        .unwrap_or(path)
        .display()
        .to_string()
}
