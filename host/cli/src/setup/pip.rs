//! Downloads the wheels that libtorch is made from, by whatever pip the
//! machine has, without installing anything into its Python.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use super::environment::Environment;
use super::error::Error;
use super::release::{Variant, WHEEL_ABI, WHEEL_PYTHON, platforms};

/// Parts of what pip prints when it got no answer from its index, the most
/// telling first.
const UNREACHABLE: [&str; 7] = [
    "Temporary failure in name resolution",
    "Network is unreachable",
    "Failed to establish a new connection",
    "NameResolutionError",
    "ReadTimeoutError",
    "ProxyError",
    "Max retries exceeded",
];

/// Part of what pip prints when its index answered, but hasn't got a package.
const NOT_OFFERED: &str = "No matching distribution found";

/// The first Python that has pip.
pub(super) fn find(environment: &Environment) -> Result<PathBuf, Error> {
    let pythons = environment.pythons();
    let first = pythons.first().cloned().ok_or(Error::NoPython)?;
    pythons
        .into_iter()
        .find(|python| has_pip(python))
        .ok_or(Error::NoPip { python: first })
}

fn has_pip(python: &Path) -> bool {
    Command::new(python)
        .args(["-m", "pip", "--version"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Downloads the wheels of `variant` into the folder `wheels`.
///
/// pip's own progress goes to the process's standard error. Its temporary
/// files are kept beside the wheels, so that whoever removes the folder's
/// parent removes all that an interrupted download left.
pub(super) fn download(
    python: &Path,
    variant: Variant,
    wheels: &Path,
    progress: &mut dyn Write,
) -> Result<(), Error> {
    let temporary = wheels.with_extension("tmp");
    for folder in [wheels, &temporary] {
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    }
    let mut command = Command::new(python);
    command
        .args(["-m", "pip", "download", "--disable-pip-version-check"])
        .args(["--no-input", "--only-binary=:all:"])
        .args(["--python-version", WHEEL_PYTHON, "--implementation", "cp"])
        .args(["--abi", WHEEL_ABI, "--abi", "abi3", "--abi", "none"]);
    if !variant.with_dependencies() {
        command.arg("--no-deps");
    }
    for platform in platforms() {
        command.args(["--platform", &platform]);
    }
    let mut child = command
        .arg("--dest")
        .arg(wheels)
        .args(variant.requirements())
        .env("TMPDIR", &temporary)
        .stdin(Stdio::null())
        .stdout(Stdio::from(std::io::stderr()))
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Error::io("run", python))?;

    let mut complaints = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            // Progress that nobody can read any more is no reason to stop.
            let _ = writeln!(progress, "{line}");
            complaints.push(line);
        }
    }
    let status = child.wait().map_err(Error::io("wait for", python))?;
    if status.success() {
        return Ok(());
    }
    Err(reason(python, status, &complaints))
}

/// Why pip failed, told from what it printed on standard error.
fn reason(python: &Path, status: ExitStatus, complaints: &[String]) -> Error {
    // An index that can't be reached also makes pip say that it offers nothing,
    // so its silence is looked for first.
    let unanswered = UNREACHABLE.iter().find_map(|part| {
        complaints
            .iter()
            .find_map(|line| Some(&line[line.find(part)?..]))
    });
    if let Some(text) = unanswered {
        // The rest of the line is the request, in Python's notation.
        let end = text.find(['\'', '(']).unwrap_or(text.len());
        return Error::Offline {
            detail: brief(&text[..end]),
        };
    }
    if let Some(line) = complaints.iter().find(|line| line.contains(NOT_OFFERED)) {
        return Error::NotOffered {
            detail: brief(line),
        };
    }
    let last = complaints.iter().rev();
    let error = last.clone().find(|line| line.contains("ERROR"));
    Error::Pip {
        python: python.to_owned(),
        status,
        detail: error
            .or(last.clone().next())
            .map_or_else(|| "it printed no reason".to_owned(), |line| brief(line)),
    }
}

/// The part of pip's line that a person needs, within a sentence of ours.
fn brief(line: &str) -> String {
    let line = line.trim().trim_start_matches("ERROR: ");
    let line = line.trim_end_matches('.');
    match line.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}
