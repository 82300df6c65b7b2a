//! `cargo xtask ci`: all that must hold before a change goes in, cheapest
//! first, tests and mutated files last.

use crate::error::Error;
use crate::workspace::Workspace;
use crate::{deny, fuzz, setup, step, test};

pub(crate) fn run(workspace: &Workspace, lints_only: bool) -> Result<(), Error> {
    step::run(workspace.cargo("fmt").args(["--all", "--check"]))?;
    deny::run(workspace)?;
    // Lints and docs compile torch-sys, and so need libtorch, as tests do.
    setup::ensure(workspace)?;
    step::run(workspace.cargo("clippy").args([
        "--release",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    step::run(
        workspace
            .cargo("doc")
            .args(["--release", "--workspace", "--no-deps"])
            .args(["--features", "flops-fit-plugin/testing"])
            // A module's own words may point inside it.
            .env(
                "RUSTDOCFLAGS",
                "-D warnings -A rustdoc::private_intra_doc_links",
            ),
    )?;
    if lints_only {
        return Ok(());
    }
    test::run(workspace, &[])?;
    fuzz::run(workspace, &[])
}
