//! The check of dependencies against deny.toml, and the tool for it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::step;
use crate::workspace::Workspace;

/// The version that deny.toml is written for.
const VERSION: &str = "0.20.2";

/// Checks licences, bans and sources, and advisories where their database can
/// be had: it is fetched by git from a host of its own, which closed networks
/// often don't reach.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Error> {
    let deny = tool(workspace)?;
    let check = |what: &[&str]| {
        let mut command = Command::new(&deny);
        command
            .current_dir(workspace.root())
            .arg("check")
            .args(what);
        command
    };
    step::run(&mut check(&["licenses", "bans", "sources"]))?;
    let mut fetch = Command::new(&deny);
    fetch
        .current_dir(workspace.root())
        .args(["fetch", "db"])
        .env("GIT_TERMINAL_PROMPT", "0");
    if step::succeeds(&mut fetch) {
        step::run(&mut check(&["advisories"]))
    } else {
        eprintln!(
            "note: the advisory database can't be fetched from here, so advisories were NOT \
             checked; `cargo deny check advisories` does it where the network allows"
        );
        Ok(())
    }
}

/// cargo-deny in the pinned version, built once for all clones of a user.
///
/// It is compiled without optimisation: that takes a third of the time, and a
/// check takes a second either way.
fn tool(workspace: &Workspace) -> Result<PathBuf, Error> {
    let root = workspace.tools().join(format!("cargo-deny-{VERSION}"));
    let ours = root.join("bin/cargo-deny");
    for candidate in [ours.clone(), PathBuf::from("cargo-deny")] {
        if is_pinned(&candidate) {
            return Ok(candidate);
        }
    }
    step::run(
        workspace
            .cargo("install")
            .args([
                "cargo-deny",
                "--version",
                VERSION,
                "--locked",
                "--profile",
                "dev",
            ])
            .arg("--root")
            .arg(&root)
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env_remove("CARGO_TARGET_DIR"),
    )?;
    Ok(ours)
}

fn is_pinned(program: &PathBuf) -> bool {
    Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|output| {
            let text = String::from_utf8_lossy(&output.stdout);
            text.split_whitespace().last() == Some(VERSION)
        })
}
