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
    /// Devices of each.
    pub devices: Vec<String>,
    /// Examples in one forward pass; the whole batch where absent.
    pub micro_batch: Option<u64>,
    /// Training time between two checkpoints of a trial.
    pub checkpoint_interval: Duration,
    /// When a trial is given up.
    pub limits: Limits,
    /// How often a trial that crashed, ended early or timed out is started
    /// again within one run.
    pub retries: u32,
}

/// When a trial is given up.
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
}

/// Far above what any machine has.
const MOST_THREADS: i64 = 4096;
const MOST_JOBS: i64 = 4096;

/// Far above what could be hoped of one more.
const MOST_RETRIES: i64 = 1000;

pub(super) const KEYS: &[&str] = &[
    "jobs",
    "threads",
    "devices",
    "micro_batch",
    "checkpoint_interval",
    "start_limit",
    "silence_limit",
    "step_limit",
    "time_limit",
    "retries",
];

impl Run {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Box<Mistake>> {
        let threads = section.or("threads", 1, |f| Ok(f.within(1, MOST_THREADS)? as u32))?;
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Ok(Self {
            jobs: section.or("jobs", (cores / threads as usize).max(1), |f| {
                Ok(f.within(1, MOST_JOBS)? as usize)
            })?,
            threads,
            devices: section.or("devices", vec!["cpu".to_owned()], devices)?,
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
            },
            retries: section.or("retries", 0, |f| Ok(f.within(0, MOST_RETRIES)? as u32))?,
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
    const EXPECTED: &str = "[\"cpu\"], the one device that this version trains on";
    match field.list(EXPECTED)?.as_slice() {
        [device] => {
            device.word(&[("cpu", ())])?;
            Ok(vec!["cpu".to_owned()])
        }
        _ => Err(field.unacceptable(EXPECTED)),
    }
}
