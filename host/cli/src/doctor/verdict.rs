//! `flops-fit doctor --gpu`: whether this machine's GPUs train as the CPU does.
//!
//! The worker runs the checks, since it alone has libtorch.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flops_fit_trial::{GpuDevice, GpuReport, read_json};
use serde::Serialize;

use super::worker::run;

/// Starting CUDA takes seconds on a machine with many GPUs; hanging takes for ever.
const LIMIT: Duration = Duration::from_mins(5);

/// What the worker found out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// Every device passes every check.
    Fit {
        /// The devices.
        devices: Vec<GpuDevice>,
    },
    /// A check failed.
    Unfit {
        /// The devices.
        devices: Vec<GpuDevice>,
    },
    /// libtorch sees no CUDA device.
    NoGpu {
        /// The worker that was asked.
        worker: PathBuf,
        /// Version of its libtorch.
        libtorch: String,
        /// What keeps that from knowing any, if something does.
        #[serde(skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    },
    /// The worker could not be asked.
    Unknown {
        /// Why, in words.
        reason: String,
    },
}

impl Verdict {
    /// Whether trials can run on this machine's GPUs.
    pub fn is_fit(&self) -> bool {
        matches!(self, Self::Fit { .. })
    }
}

/// Has `worker` check the GPUs.
pub fn check_gpus(worker: Option<&Path>) -> Verdict {
    let Some(worker) = worker else {
        return Verdict::Unknown {
            reason: "there is no flops-fit-worker; build it with `cargo build --release`"
                .to_owned(),
        };
    };
    match ask(worker) {
        Ok(report) if report.devices.is_empty() => Verdict::NoGpu {
            worker: worker.to_owned(),
            libtorch: report.libtorch,
            problem: report.problem,
        },
        Ok(GpuReport { devices, .. }) => {
            let mut checks = devices.iter().flat_map(|device| &device.checks);
            if checks.all(|check| check.passed) {
                Verdict::Fit { devices }
            } else {
                Verdict::Unfit { devices }
            }
        }
        Err(reason) => Verdict::Unknown { reason },
    }
}

fn ask(worker: &Path) -> Result<GpuReport, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let answer = folder.path().join("gpu.json");
    run(worker, &["gpu".as_ref(), answer.as_os_str()], LIMIT)
        .map_err(|reason| format!("{} gpu failed: {reason}", worker.display()))?;
    read_json(&answer).map_err(|error| error.to_string())
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fit { devices } => {
                list(f, devices)?;
                writeln!(f, "\nFit: trials can run on {}.", names(devices))
            }
            Self::Unfit { devices } => {
                list(f, devices)?;
                let failed = devices
                    .iter()
                    .filter(|d| d.checks.iter().any(|c| !c.passed));
                let failed: Vec<GpuDevice> = failed.cloned().collect();
                writeln!(
                    f,
                    "\nNot fit: mend the driver or leave out {}; docs/gpu.md says what each check is.",
                    names(&failed)
                )
            }
            Self::NoGpu {
                worker,
                libtorch,
                problem,
            } => {
                let problem = problem.as_ref().map(|words| format!(" ({words})"));
                writeln!(
                    f,
                    "No GPU: libtorch {libtorch} of {} sees no CUDA device{}, so nothing was checked. Trials run on the CPU; for GPUs set libtorch up by `flops-fit setup --cuda` and build the worker again.",
                    worker.display(),
                    problem.unwrap_or_default()
                )
            }
            Self::Unknown { reason } => writeln!(f, "Unknown: {reason}."),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, devices: &[GpuDevice]) -> fmt::Result {
    let all = || devices.iter().flat_map(|device| &device.checks);
    let width = all().map(|check| check.what.len()).max().unwrap_or(0);
    for device in devices {
        writeln!(f, "{}", device.name)?;
        for check in &device.checks {
            let sign = if check.passed { "ok  " } else { "FAIL" };
            writeln!(f, "{sign}  {:width$}  {}", check.what, check.found)?;
        }
    }
    Ok(())
}

fn names(devices: &[GpuDevice]) -> String {
    let names: Vec<&str> = devices.iter().map(|device| device.name.as_str()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use flops_fit_trial::GpuCheck;

    use super::*;
    use crate::setup::tests::machine::Machine;

    fn device(name: &str, passed: bool) -> GpuDevice {
        GpuDevice {
            name: name.to_owned(),
            checks: vec![GpuCheck {
                what: "ranks".to_owned(),
                passed,
                found: "a figure".to_owned(),
            }],
        }
    }

    /// What is said where the worker answers with `devices`.
    fn verdict(devices: Vec<GpuDevice>) -> Verdict {
        let machine = Machine::new();
        let report = GpuReport {
            format: flops_fit_trial::FORMAT,
            libtorch: "2.13.0".to_owned(),
            devices,
            problem: Some("no such file".to_owned()),
        };
        let text = serde_json::to_string(&report).expect("JSON");
        machine.program("flops-fit-worker", &format!("echo '{text}' > \"$2\""));
        machine.starting(|_| check_gpus(Some(&machine.path("bin/flops-fit-worker"))))
    }

    #[test]
    fn devices_that_pass_are_fit_and_one_that_does_not_is_named() {
        let fit = verdict(vec![device("cuda:0", true), device("cuda:1", true)]);
        assert!(fit.is_fit());
        assert!(
            fit.to_string()
                .ends_with("Fit: trials can run on cuda:0, cuda:1.\n")
        );

        let unfit = verdict(vec![device("cuda:0", true), device("cuda:1", false)]);
        assert!(!unfit.is_fit());
        let text = unfit.to_string();
        assert!(text.contains("FAIL  ranks  a figure"), "{text}");
        assert!(text.contains("leave out cuda:1;"), "{text}");
    }

    #[test]
    fn no_gpu_and_no_answer_are_said_plainly() {
        let none = verdict(Vec::new());
        assert!(!none.is_fit());
        let text = none.to_string();
        assert!(text.starts_with("No GPU: libtorch 2.13.0 of "), "{text}");
        assert!(text.contains("no CUDA device (no such file), so"), "{text}");

        let machine = Machine::new();
        machine.program("flops-fit-worker", "echo 'no such verb' >&2; exit 2");
        let worker = machine.path("bin/flops-fit-worker");
        let unknown = machine.starting(|_| check_gpus(Some(&worker)).to_string());
        assert!(unknown.contains("gpu failed: no such verb"), "{unknown}");
        assert!(check_gpus(None).to_string().contains("cargo build"));
    }
}
