//! `cargo xtask setup`: `flops-fit setup` of this very source, linking the
//! workspace's `.libtorch`.

use std::ffi::OsString;
use std::process::Command;

use crate::error::Error;
use crate::step;
use crate::workspace::Workspace;

/// Builds `flops-fit` and has it set up libtorch. `arguments` go to
/// `flops-fit setup`.
pub(crate) fn run(workspace: &Workspace, arguments: &[OsString]) -> Result<(), Error> {
    let mut cargo = workspace.cargo("run");
    cargo.args([
        "--release",
        "--package",
        "flops-fit",
        "--bin",
        "flops-fit",
        "--",
    ]);
    step::run(with_arguments(&mut cargo, workspace).args(arguments))
}

/// Sets up what is missing.
///
/// A `flops-fit` that is built already is asked first: building that package
/// by itself selects other features of its dependencies than building the
/// workspace does, so both compile it.
pub(crate) fn ensure(workspace: &Workspace) -> Result<(), Error> {
    let built = workspace.built("flops-fit");
    if built.is_file() && step::succeeds(with_arguments(&mut Command::new(built), workspace)) {
        return Ok(());
    }
    run(workspace, &[])
}

fn with_arguments<'a>(command: &'a mut Command, workspace: &Workspace) -> &'a mut Command {
    command.arg("setup").arg("--link").arg(workspace.root())
}
