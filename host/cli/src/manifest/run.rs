//! `[run]`: where and how trials run. None of it is meant to change a result.

use std::{num::NonZero, time::Duration};

use super::{
    gpus,
    mistake::Mistake,
    section::{Field, Section},
    value::Value,
};

/// `[run]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Trials at once.
    pub jobs: usize,
    /// Intra-op threads of each rank.
    pub threads: Share,
    /// Devices that there are.
    pub devices: Vec<String>,
    /// How many of them one trial trains on, a rank on each.
    pub devices_per_trial: Share,
    /// Cores that this process may use.
    pub cores: usize,
    /// Examples in one forward pass; the whole batch where absent.
    pub micro_batch: Option<u64>,
    /// Training time between two checkpoints of a trial.
    pub checkpoint_interval: Duration,
    /// When a trial is given up.
    pub limits: Limits,
    /// How often a trial that crashed, ended early or timed out is started
    /// again within one run.
    pub retries: u32,
    /// Whether a trial that diverges is tried again once, with half the learning rate.
    pub retry_diverged: bool,
    /// Whether a trunk's checkpoints stay that no trial is still to leave from.
    pub keep_branches: bool,
}

/// How much of something one trial gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// So many.
    Fixed(usize),
    /// One, and more in a sweep's tail.
    Automatic,
}

impl Share {
    /// What every trial gets at least.
    pub fn least(self) -> usize {
        match self {
            Self::Fixed(number) => number,
            Self::Automatic => 1,
        }
    }

    /// As a manifest has it.
    pub(super) fn to_json(self) -> serde_json::Value {
        match self {
            Self::Fixed(number) => number.into(),
            Self::Automatic => AUTOMATIC.into(),
        }
    }
}

/// [`Share::Automatic`] in a manifest.
const AUTOMATIC: &str = "auto";

/// When a trial is given up, or was waited for long enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Longest wait for the first training step: `run.start_limit`. Reading and
    /// tokenising a dataset is part of it.
    pub start: Duration,
    /// Longest wait between two signs of life afterwards: `run.silence_limit`.
    pub silence: Duration,
    /// Longest optimizer step: `run.step_limit`. Where a step is accumulated from
    /// micro-batches there are signs of life between them.
    pub step: Option<Duration>,
    /// Longest trial: `run.time_limit`.
    pub total: Option<Duration>,
    /// How long workers may take to save what they have and end after Ctrl-C, all
    /// together: `run.stop_grace`. A second Ctrl-C ends them at once.
    pub stop: Duration,
}

/// Far above what any machine has.
const MOST_THREADS: i64 = 4096;
const MOST_JOBS: i64 = 4096;

/// Ranks of a trial at most.
const MOST_DEVICES: usize = 64;

/// Far above what could be hoped of one more.
const MOST_RETRIES: i64 = 1000;

pub(super) const KEYS: &[&str] = &[
    "jobs",
    "threads",
    "devices",
    "devices_per_trial",
    "micro_batch",
    "checkpoint_interval",
    "start_limit",
    "silence_limit",
    "step_limit",
    "time_limit",
    "stop_grace",
    "retries",
    "retry_diverged",
    "keep_branches",
];

impl Run {
    /// Whether trials run on CUDA devices.
    pub fn on_cuda(&self) -> bool {
        self.devices.iter().any(|device| is_cuda(device))
    }

    pub(super) fn read(section: &Section<'_>) -> Result<Self, Box<Mistake>> {
        let one = Share::Fixed(1);
        let threads = section.or("threads", one, |f| share(f, MOST_THREADS))?;
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let devices = section.or("devices", vec!["cpu".to_owned()], devices)?;
        let most = devices.len() as i64;
        let devices_per_trial = section.or("devices_per_trial", one, |f| share(f, most))?;
        let ranks = devices_per_trial.least();
        let jobs = if devices.iter().any(|device| is_cuda(device)) {
            devices.len() / ranks
        } else {
            cores / (threads.least() * ranks)
        };
        Ok(Self {
            jobs: section.or(
                "jobs",
                jobs.max(1),
                |f| Ok(f.within(1, MOST_JOBS)? as usize),
            )?,
            threads,
            devices,
            devices_per_trial,
            cores,
            micro_batch: section.maybe("micro_batch", |f| Ok(f.whole(1)? as u64))?,
            checkpoint_interval: section.or(
                "checkpoint_interval",
                Duration::from_mins(5),
                seconds,
            )?,
            limits: Limits {
                start: section.or("start_limit", Duration::from_mins(30), seconds)?,
                silence: section.or("silence_limit", Duration::from_mins(5), seconds)?,
                step: section.maybe("step_limit", seconds)?,
                total: section.maybe("time_limit", seconds)?,
                stop: section.or("stop_grace", Duration::from_secs(10), seconds)?,
            },
            retries: section.or("retries", 0, |f| Ok(f.within(0, MOST_RETRIES)? as u32))?,
            retry_diverged: section.or("retry_diverged", true, Field::truth)?,
            keep_branches: section.or("keep_branches", true, Field::truth)?,
        })
    }
}

fn seconds(field: &Field<'_>) -> Result<Duration, Box<Mistake>> {
    field
        // Less than a nanosecond would be written as none.
        .number(
            "a number of seconds of at least 0.001, at most a year",
            |x| (0.001..=366.0 * 86_400.0).contains(&x),
        )
        .map(Duration::from_secs_f64)
}

/// A number from 1 to `most`, or `"auto"`.
fn share(field: &Field<'_>, most: i64) -> Result<Share, Box<Mistake>> {
    match &field.node.value {
        Value::Text(word) if word == AUTOMATIC => Ok(Share::Automatic),
        Value::Text(_) => {
            Err(field.unacceptable(format!("a whole number from 1 to {most}, or \"auto\"")))
        }
        _ => Ok(Share::Fixed(field.within(1, most)? as usize)),
    }
}

/// `"auto"` is every GPU, or the CPU where there is none.
fn devices(field: &Field<'_>) -> Result<Vec<String>, Box<Mistake>> {
    const EXPECTED: &str =
        "\"auto\", or 1 to 64 devices such as [\"cpu\", \"cpu\"] or [\"cuda:0\", \"cuda:1\"]";
    if let Value::Text(word) = &field.node.value
        && word == AUTOMATIC
    {
        let gpus = gpus::visible().min(MOST_DEVICES);
        let devices: Vec<String> = (0..gpus).map(|i| format!("{CUDA}{i}")).collect();
        return Ok(if devices.is_empty() {
            vec!["cpu".to_owned()]
        } else {
            devices
        });
    }
    let listed = field.list(EXPECTED)?;
    if !(1..=MOST_DEVICES).contains(&listed.len()) {
        return Err(field.unacceptable(EXPECTED));
    }
    let devices: Vec<String> = listed.iter().map(device).collect::<Result<_, _>>()?;
    // A rank on the CPU would hold up those on GPUs, whose arithmetic is another.
    let foreign = devices
        .iter()
        .position(|device| is_cuda(device) != is_cuda(&devices[0]));
    match foreign {
        None => Ok(devices),
        Some(index) => Err(listed[index].unacceptable("devices of one kind: all cpu, or all cuda")),
    }
}

/// `cpu`, or `cuda:<number>` without a sign or leading zeros.
fn device(field: &Field<'_>) -> Result<String, Box<Mistake>> {
    const EXPECTED: &str = "\"cpu\" or a device such as \"cuda:0\"";
    let name = field.text(EXPECTED)?;
    let number = |text: &str| text.parse::<u16>().is_ok_and(|n| n.to_string() == text);
    if name == "cpu" || name.strip_prefix(CUDA).is_some_and(number) {
        Ok(name)
    } else {
        Err(field.unacceptable(EXPECTED))
    }
}

/// What names of CUDA devices begin with.
const CUDA: &str = "cuda:";

fn is_cuda(device: &str) -> bool {
    device.starts_with(CUDA)
}
