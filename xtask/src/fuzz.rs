//! `cargo xtask fuzz`: mutated files for every parser, on the stable toolchain.

use std::ffi::OsString;

use crate::error::Error;
use crate::step;
use crate::workspace::Workspace;

/// Builds and runs the fuzzer. It needs no libtorch.
pub(crate) fn run(workspace: &Workspace, arguments: &[OsString]) -> Result<(), Error> {
    step::run(
        workspace
            .cargo("run")
            .args(["--release", "-p", "flops-fit-fuzz", "--"])
            .args(arguments),
    )
}
