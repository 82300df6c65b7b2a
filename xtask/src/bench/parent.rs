//! `bench parent`: what the parent of a sweep takes for itself. Its workers are
//! stand-ins that sleep instead of training, since they are not what is measured.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::pairs::{self, Comparison, Contest, Target};
use super::{Options, folder, report};
use crate::error::Error;
use crate::step;
use crate::workspace::Workspace;

/// Trials of the sweep that memory is measured over.
const TRIALS: usize = 2000;

/// Time between two looks at its memory.
const LOOK: Duration = Duration::from_millis(50);

/// The kernel's unit of CPU time in `/proc/<pid>/stat`, the same on every Linux
/// with this processor.
const TICKS_A_SECOND: f64 = 100.0;

pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<Vec<Comparison>, Error> {
    let contest = |name: &str, unit| Contest {
        name: name.to_owned(),
        unit,
        against: "promised",
        target: Target::LongerBy(1.0),
    };
    let memory = pairs::interleave(
        contest("memory of the parent, largest less smallest", "MB"),
        options.pairs(1),
        || memory(workspace),
        || Ok(10.0),
    )?;
    let cpu = pairs::interleave(
        contest("CPU of the parent while workers train", "%"),
        options.pairs(1),
        || cpu(workspace),
        || Ok(2.0),
    )?;
    Ok(vec![report(memory), report(cpu)])
}

/// Megabytes between the smallest and the largest memory that the parent has been
/// seen to take, after the first twentieth of its trials.
fn memory(workspace: &Workspace) -> Result<f64, Error> {
    let folder = folder::empty(workspace, "parent")?;
    let manifest = manifest(workspace, 0.02, 4, TRIALS / 20);
    let mut sweep = Sweep::start(workspace, &folder, &manifest)?;
    let mut sizes = Vec::new();
    while !sweep.has_ended()? {
        sizes.extend(resident(sweep.child.id()).map(|size| (begun(&folder), size)));
        thread::sleep(LOOK);
    }
    let settled = sizes
        .iter()
        .filter(|(begun, _)| *begun >= TRIALS / 20)
        .map(|(_, size)| *size);
    let (least, most) = settled.fold((f64::INFINITY, 0.0_f64), |(least, most), size| {
        (least.min(size), most.max(size))
    });
    eprintln!("  {} trials: {least:.1} to {most:.1} MB", begun(&folder));
    Ok(most - least)
}

/// Percent of one core, over ten seconds in which every worker trains.
fn cpu(workspace: &Workspace) -> Result<f64, Error> {
    const OVER: Duration = Duration::from_secs(10);
    let folder = folder::empty(workspace, "parent")?;
    let sweep = Sweep::start(workspace, &folder, &manifest(workspace, 20.0, 2, 1))?;
    thread::sleep(Duration::from_secs(3));
    let before = cpu_seconds(sweep.child.id());
    let begun = Instant::now();
    thread::sleep(OVER);
    let after = cpu_seconds(sweep.child.id());
    let share = (after - before) / begun.elapsed().as_secs_f64();
    Ok(100.0 * share)
}

/// A `flops-fit train` that is ended, with its workers, when it is dropped.
struct Sweep {
    child: Child,
    shown: String,
}

impl Sweep {
    fn start(workspace: &Workspace, folder: &Path, manifest: &str) -> Result<Self, Error> {
        let write = |source| Error::Io {
            action: "write",
            path: folder.to_owned(),
            source,
        };
        fs::write(folder.join("manifest.toml"), manifest).map_err(write)?;
        let mut command = Command::new(workspace.built("flops-fit"));
        command
            .arg("train")
            .current_dir(folder)
            .env("FLOPS_FIT_WORKER", workspace.built("examples/fake_worker"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let shown = step::shown(&command);
        match command.spawn() {
            Ok(child) => Ok(Self { child, shown }),
            Err(source) => Err(Error::Start {
                command: shown,
                source,
            }),
        }
    }

    /// # Errors
    /// If it ended otherwise than well.
    fn has_ended(&mut self) -> Result<bool, Error> {
        match self.child.try_wait() {
            Ok(None) => Ok(false),
            Ok(Some(status)) if status.success() => Ok(true),
            Ok(Some(status)) => Err(Error::Failed {
                command: self.shown.clone(),
                status,
            }),
            Err(source) => Err(Error::Start {
                command: self.shown.clone(),
                source,
            }),
        }
    }
}

impl Drop for Sweep {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Trials that have begun: each leaves a line.
fn begun(folder: &Path) -> usize {
    fs::read_to_string(folder.join("trained.log")).map_or(0, |log| log.lines().count())
}

/// Twenty configurations with so many seeds each. The plugin is there for its
/// record alone: the stand-in loads none.
fn manifest(workspace: &Workspace, seconds: f64, jobs: usize, seeds: usize) -> String {
    let plugin = workspace.built("libflops_fit_gpt.so");
    let seeds: Vec<String> = (0..seeds).map(|seed| seed.to_string()).collect();
    format!(
        r#"
name = "parent"

[model]
plugin = {:?}
kind = "gpt"
size_param = "d_model"

[model.config]
seconds = {seconds:?}

[dataset]
kind = "stories"

[loss]
kind = "cross_entropy"

[sweep]
grid = [
    {{ budget = 1e9, sizes = [4, 8, 12, 16, 24] }},
    {{ budget = 2e9, sizes = [4, 8, 12, 16, 24] }},
    {{ budget = 4e9, sizes = [4, 8, 12, 16, 24] }},
    {{ budget = 8e9, sizes = [4, 8, 12, 16, 24] }},
]
seeds = [{}]
min_steps = 20

[run]
jobs = {jobs}
"#,
        plugin.display().to_string(),
        seeds.join(", ")
    )
}

/// Megabytes that a process has in memory.
fn resident(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes / 1024.0)
}

/// Seconds that a process has computed for, itself and in the kernel.
fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Behind the name, which may hold anything, they are the 12th and the 13th.
    let (_, rest) = stat.rsplit_once(") ").unwrap_or_default();
    let ticks = rest
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS_A_SECOND
}
