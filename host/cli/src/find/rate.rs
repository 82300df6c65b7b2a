//! Budgets that are given as times: this machine's rate is measured once, and they are
//! FLOPs from then on.
//!
//! A short trial of a size near the expected optimum gives the rate there; how it
//! changes with N is the plan's rule of thumb. The result is kept in `rate.json` of the
//! output folder, so that the next run has the same budgets, and so the same trials.

use std::fmt::Write as _;

use flops_fit_scaling::{
    grid::{Budgets, Layout, SizeList},
    quantity,
};
use flops_fit_trial::{FORMAT, Outcome, TrialResult, hex};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::FindError;
use crate::{
    interrupt::Interrupt,
    manifest::{self, LearningRate, Manifest, Timed, Warmup},
    output::{Kept, Output},
    plan::{self, Prepared, thumb},
    sweep::{self, Callback, Event, Machine, MicroBatches, Observer, Rebuilt, Settings},
    time::given,
    trainer::Trainer,
};

/// Seconds that a rate is measured over, at least.
const LONG_ENOUGH: f64 = 1.0;

/// Seconds that a trial aims at.
const AIM: f64 = 2.0;

/// Trials at most: each aims better.
const ROUNDS: usize = 5;

/// Fewest steps of one.
const STEPS: f64 = 40.0;

/// `rate.json`: a rate and what it made of times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Rate {
    format: u32,
    /// Hash of the parts of the manifest that decide it.
    of: String,
    /// Size that it was measured at.
    size: i64,
    /// N of that.
    n: f64,
    /// FLOP/s of one trial.
    flops_per_second: f64,
    /// The times and what they are.
    budgets: Vec<TimedBudget>,
}

/// A time and its FLOPs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct TimedBudget {
    seconds: f64,
    flops: f64,
}

/// The manifest with every budget in FLOPs, the rate behind it, to be kept, and why what
/// is in the way of that is to be set aside, if anything is.
pub(super) fn settle(
    manifest: &Manifest,
    trainer: &Trainer,
    observer: &mut dyn Observer,
    interrupt: &Interrupt,
) -> Result<(Manifest, Rate, Option<String>), FindError> {
    if let manifest::Trainer::Simulated(_) = manifest.trainer {
        return Err(FindError::NoTime {
            place: manifest.place("sweep.budgets"),
        });
    }
    let timed = &manifest.sweep.timed;
    let of = identity(manifest);
    let path = Output::at(&manifest.output_dir).rate();
    let (kept, foreign) = match Kept::<Rate>::read(&path)? {
        Kept::Whole(rate) => (Some(rate), None),
        Kept::Absent => (None, None),
        Kept::Foreign(reason) => (None, Some(reason)),
    };
    let kept = kept.filter(|rate| rate.of == of && timed.iter().all(|t| rate.flops(t).is_some()));
    let (rate, whence) = match kept {
        Some(rate) => (rate, "measured earlier"),
        None => (measure(manifest, of, trainer, interrupt)?, "measured now"),
    };
    let mut words = String::new();
    let mut settled = manifest.clone();
    for time in timed {
        let flops = rate.flops(time).unwrap_or(f64::NAN);
        settled.settle(time, flops);
        let _ = write!(
            words,
            "a budget of {} is {} FLOPs; ",
            given(time.seconds),
            quantity::flops(flops)
        );
    }
    observer.noted(&format!(
        "{words}a trial does {} FLOP/s at N = {}, {whence} (remove {} to measure again)",
        quantity::flops(rate.flops_per_second),
        quantity::count(rate.n),
        path.display()
    ));
    Ok((settled, rate, foreign))
}

impl Rate {
    fn flops(&self, time: &Timed) -> Option<f64> {
        let found = self
            .budgets
            .iter()
            .find(|budget| budget.seconds.total_cmp(&time.seconds).is_eq());
        found.map(|budget| budget.flops)
    }
}

/// Hash of what decides a rate, or which N a budget means; not of seeds, other budgets
/// or what is done with the results.
fn identity(manifest: &Manifest) -> String {
    let spread = match &manifest.sweep.layout {
        Layout::Around { spread, .. } => Some(spread),
        Layout::Listed(_) => None,
    };
    let run = &manifest.run;
    let parts = (
        (&manifest.model, &manifest.dataset, &manifest.loss),
        (&manifest.train, &manifest.trainer, spread),
        (run.threads.least(), &run.devices, run.micro_batch),
    );
    hex(&Sha256::digest(format!("{parts:?}")))
}

fn measure(
    manifest: &Manifest,
    of: String,
    trainer: &Trainer,
    interrupt: &Interrupt,
) -> Result<Rate, FindError> {
    let Layout::Around { spread, .. } = &manifest.sweep.layout else {
        unreachable!("times stand in sweep.budgets, which excludes sweep.grid");
    };
    // FLOPs that take `seconds` where the rate is `level` times the rule of thumb's.
    let flops = |seconds: f64, level: f64| {
        (0..64).fold(1e12, |c, _| seconds * level * thumb(spread.center.at(c)))
    };
    let shortest = manifest
        .sweep
        .timed
        .iter()
        .map(|time| time.seconds)
        .fold(f64::INFINITY, f64::min);
    let mut probe = manifest.clone();
    probe.sweep.timed.clear();
    probe.sweep.seeds.truncate(1);
    probe.sweep.min_steps = 1;
    probe.train.warmup = Warmup::Share(0.1);
    probe.train.reuse_trunk = false;
    probe.run.retry_diverged = false;
    probe.train.lr = LearningRate::Fixed(probe.train.lr.typical());
    probe.sweep.adaptive = false;
    probe.train.eval_units = 1;
    probe.sweep.layout = Layout::Around {
        budgets: Budgets::List(vec![flops(shortest, 1.0)]),
        spread: spread.clone(),
    };
    let growing = probe.train.batch_units;
    probe.train.batch_units = growing.constant();
    let laid_out = plan::prepare(&probe, trainer, Rebuilt::default(), interrupt)?;
    let trials = &laid_out.plan.budgets[0].trials;
    let Some(middle) = trials.get(trials.len() / 2) else {
        return Err(FindError::Probe {
            reason: "no size can be trained".to_owned(),
        });
    };
    // The batch of the trials that it stands for, not of one that sees as little.
    let (first, then) = (probe.train.batch_units, growing.at(middle.d));
    probe.train.batch_units = then;
    let step = middle.c / middle.steps as f64 * (then.units() as f64 / first.units() as f64);
    let (size, n) = (middle.size, middle.n);
    let mut budget = (AIM * thumb(n)).max(STEPS * step);
    let mut rate = 0.0;
    for _ in 0..ROUNDS {
        probe.sweep.layout = Layout::Listed(vec![SizeList {
            budget,
            sizes: vec![size],
        }]);
        let (spent, seconds) = train(&probe, trainer, interrupt)?;
        rate = spent / seconds.max(1e-6);
        if seconds >= LONG_ENOUGH {
            break;
        }
        budget *= (AIM / seconds.max(1e-6)).clamp(2.0, 100.0);
    }
    let level = rate / thumb(n);
    let budgets = manifest.sweep.timed.iter().map(|time| TimedBudget {
        seconds: time.seconds,
        flops: three_digits(flops(time.seconds, level)),
    });
    Ok(Rate {
        format: FORMAT,
        of,
        size,
        n,
        flops_per_second: rate,
        budgets: budgets.collect(),
    })
}

/// FLOPs and seconds of the one trial of `probe`, in a folder that is gone afterwards.
fn train(
    probe: &Manifest,
    trainer: &Trainer,
    interrupt: &Interrupt,
) -> Result<(f64, f64), FindError> {
    let folder = tempfile::tempdir().map_err(|error| FindError::Probe {
        reason: error.to_string(),
    })?;
    let prepared = Prepared {
        output: Output::at(folder.path()),
        ..plan::prepare(probe, trainer, Rebuilt::default(), interrupt)?
    };
    let _lock = prepared.output.lock()?;
    let selection = sweep::select(&prepared, Rebuilt::Ask)?;
    let settings = Settings {
        jobs: 1,
        retries: 0,
        machine: Machine::of(&probe.run).without_tail(),
        ..Settings::of(&probe.run)
    };
    let quiet = &mut Callback(|_: Event<'_>| ());
    let micro_batches = &mut MicroBatches::default();
    sweep::train(
        selection,
        &settings,
        trainer,
        micro_batches,
        quiet,
        interrupt,
    )?;
    if interrupt.is_raised() {
        return Err(plan::PlanError::Interrupted.into());
    }
    let result = prepared.output.trial(&prepared.specs[0].id).result()?;
    let reason = match result {
        Some(TrialResult {
            outcome: Outcome::Completed { measured },
            timing,
            ..
        }) => return Ok((measured.spent, timing.train)),
        Some(TrialResult {
            outcome: Outcome::Diverged { reason, .. },
            ..
        }) => format!("it diverged: {reason}"),
        Some(TrialResult {
            outcome: Outcome::Failed { failure },
            ..
        }) => failure.to_string(),
        None
        | Some(TrialResult {
            outcome: Outcome::Grown { .. },
            ..
        }) => "it left no result".to_owned(),
    };
    Err(FindError::Probe { reason })
}

/// A measured rate is not known better than that.
fn three_digits(flops: f64) -> f64 {
    let unit = 10_f64.powf(flops.log10().floor() - 2.0);
    (flops / unit).round() * unit
}
