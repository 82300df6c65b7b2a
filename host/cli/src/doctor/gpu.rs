//! Which NVIDIA GPUs the machine has, as its driver tells.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::report::Check;
use crate::setup::Environment;

const NAME: &str = "GPU";

/// Asks `nvidia-smi`; where there is none, whether the kernel has the driver.
pub(super) fn check(environment: &Environment, driver: &Path) -> Check {
    let loaded = fs::read_to_string(driver).ok();
    let Some(program) = environment.find("nvidia-smi") else {
        return match loaded {
            Some(text) => Check::warning(
                NAME,
                text.lines().next().unwrap_or("NVIDIA driver").trim(),
                "install nvidia-smi to have the GPUs listed",
            ),
            None => Check::ok(NAME, "no NVIDIA GPU: trials run on the CPU"),
        };
    };
    let output = Command::new(&program)
        .args([
            "--query-gpu=name,memory.total,driver_version",
            "--format=csv,noheader",
        ])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout);
            let gpus: Vec<&str> = text.lines().map(str::trim).collect();
            Check::ok(NAME, gpus.join("; "))
        }
        _ => Check::warning(
            NAME,
            format!("{} is there but answers nothing", program.display()),
            "check the driver; trials run on the CPU meanwhile",
        ),
    }
}
