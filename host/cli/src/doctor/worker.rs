//! Whether the worker, which does all training, is there and starts: it is
//! the program that the loader has to find libtorch for.

use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::report::Check;

const NAME: &str = "worker";

/// Loading libtorch from a cold disk takes seconds; hanging takes for ever.
const LIMIT: Duration = Duration::from_secs(30);

/// Starts the worker for its version.
pub(super) fn check(worker: Option<&Path>) -> Check {
    let Some(worker) = worker else {
        return Check::problem(
            NAME,
            "no flops-fit-worker found (in FLOPS_FIT_WORKER, beside flops-fit, on PATH)",
            "build it with `cargo build --release`, or name it in FLOPS_FIT_WORKER",
        );
    };
    let shown = worker.display();
    match run(worker, &["--version".as_ref()], LIMIT) {
        Ok(version) => Check::ok(NAME, format!("{version}, {shown}")),
        Err(reason) => Check::problem(
            NAME,
            format!("{shown} does not start: {reason}"),
            "run `flops-fit setup`, then build the worker again",
        ),
    }
}

/// The first line that the worker prints; of one that fails its first complaint.
pub(super) fn run(worker: &Path, arguments: &[&OsStr], limit: Duration) -> Result<String, String> {
    let mut child = Command::new(worker)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let started = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break status,
            None if started.elapsed() > limit => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("no answer within {} s", limit.as_secs()));
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    // What a version or a loader's complaint takes fits into a pipe's buffer.
    let line = |pipe: Option<&mut dyn Read>| {
        let mut text = String::new();
        if let Some(pipe) = pipe {
            let _ = pipe.read_to_string(&mut text);
        }
        text.lines().next().unwrap_or_default().trim().to_owned()
    };
    if status.success() {
        return Ok(line(
            child.stdout.as_mut().map(|pipe| pipe as &mut dyn Read),
        ));
    }
    let complaint = line(child.stderr.as_mut().map(|pipe| pipe as &mut dyn Read));
    Err(if complaint.is_empty() {
        status.to_string()
    } else {
        complaint
    })
}
