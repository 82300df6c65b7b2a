//! `[run]`: where and how trials run. None of it is meant to change a result.

use std::{num::NonZero, time::Duration};

use super::{
    mistake::Mistake,
    section::{Field, Section},
};

/// `[run]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Trials at once.
    pub jobs: usize,
    /// Intra-op threads of each.
    pub threads: u32,
    /// Devices that there are.
    pub devices: Vec<String>,
    /// How many of them one trial trains on, a rank on each.
    pub devices_per_trial: usize,
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
}

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
];

impl Run {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Box<Mistake>> {
        let threads = section.or("threads", 1, |f| Ok(f.within(1, MOST_THREADS)? as u32))?;
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let devices = section.or("devices", vec!["cpu".to_owned()], devices)?;
        let most = devices.len() as i64;
        let devices_per_trial =
            section.or("devices_per_trial", 1, |f| Ok(f.within(1, most)? as usize))?;
        let busy = threads as usize * devices_per_trial;
        Ok(Self {
            jobs: section.or("jobs", (cores / busy).max(1), |f| {
                Ok(f.within(1, MOST_JOBS)? as usize)
            })?,
            threads,
            devices,
            devices_per_trial,
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

fn devices(field: &Field<'_>) -> Result<Vec<String>, Box<Mistake>> {
    const EXPECTED: &str = "1 to 64 devices such as [\"cpu\", \"cpu\"]";
    let listed = field.list(EXPECTED)?;
    if !(1..=MOST_DEVICES).contains(&listed.len()) {
        return Err(field.unacceptable(EXPECTED));
    }
    let name = |device: &Field<'_>| Ok(device.word(&[("cpu", "cpu")])?.to_owned());
    listed.iter().map(name).collect()
}
