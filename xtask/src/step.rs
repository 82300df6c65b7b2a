//! One command of a chore: announced, run, and judged by its exit status.

use std::process::{Command, Stdio};
use std::time::Instant;

use crate::error::Error;

/// Runs a command whose output belongs to the user.
pub(crate) fn run(command: &mut Command) -> Result<(), Error> {
    let shown = shown(command);
    eprintln!("$ {shown}");
    let started = Instant::now();
    let status = command.status().map_err(|source| Error::Start {
        command: shown.clone(),
        source,
    })?;
    if !status.success() {
        return Err(Error::Failed {
            command: shown,
            status,
        });
    }
    eprintln!("  {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// Runs a command for what it prints on standard output.
pub(crate) fn read(command: &mut Command) -> Result<String, Error> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| Error::Start {
            command: shown(command),
            source,
        })?;
    if !output.status.success() {
        return Err(Error::Failed {
            command: shown(command),
            status: output.status,
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a command can be started and succeeds; it is not heard.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The command as one would type it, programs without their folders.
pub(crate) fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let program = program.file_name().unwrap_or(command.get_program());
    let mut words = vec![program.to_string_lossy().into_owned()];
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        words.push(if argument.contains([' ', '"', '[']) {
            format!("'{argument}'")
        } else {
            argument.into_owned()
        });
    }
    words.join(" ")
}
