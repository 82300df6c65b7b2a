//! `cargo xtask setup`: `flops-fit setup` of this very source, linking the
//! workspace's `.libtorch`.

use std::ffi::OsString;

use crate::error::Error;
use crate::step;
use crate::workspace::Workspace;

/// `arguments` go to `flops-fit setup`.
pub(crate) fn run(workspace: &Workspace, arguments: &[OsString]) -> Result<(), Error> {
    step::run(
        workspace
            .cargo("run")
            .args([
                "--release",
                "--package",
                "flops-fit",
                "--bin",
                "flops-fit",
                "--",
            ])
            .arg("setup")
            .arg("--link")
            .arg(workspace.root())
            .args(arguments),
    )
}
