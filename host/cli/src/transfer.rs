//! Whether one learning rate serves all sizes: `flops-fit check --transfer`.
//!
//! A sweep trains every size at one rate, so its minima are right only if the best rate
//! does not move with the size, or every size loses the same by it. Two studies find
//! out, on the user's own model, data and loss:
//!
//! ```text
//! manifest ─▶ sizes ─▶ search: short trials at several rates ─▶ curves ─▶ shift ┐
//!                 └──▶ coordinates: outputs' change in ten steps ───────────────┴▶ verdicts
//! ```

mod coordinates;
mod curve;
mod error;
mod render;
mod search;
mod sizes;
mod verdict;

use std::path::{Path, PathBuf};

use flops_fit_scaling::grid::{Layout, SizeList};
use flops_fit_trial::{CheckStatus, FORMAT, write_json};
use serde::Serialize;

pub use coordinates::{Coordinates, SizeMoves};
pub use curve::{Best, Curve, Rate};
pub use error::TransferError;
pub use verdict::{Shift, Verdict};

use crate::{
    interrupt::Interrupt,
    manifest::{self, Manifest, Warmup},
    output::Output,
    report,
    sweep::Observer,
    trainer::Trainer,
};

/// What is asked for beside the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// Sizes to compare; where absent, three that span a factor of 4 from the smallest.
    pub sizes: Option<Vec<i64>>,
    /// Optimizer steps of a trial; [`STEPS`] where absent.
    pub steps: Option<u64>,
    /// Where files go; `transfer/` in the sweep's output folder where absent.
    pub out: Option<PathBuf>,
}

/// Steps of a trial where nobody says.
pub const STEPS: u64 = 300;

/// Seeds that everything is trained with, unless the manifest has more.
const SEEDS: usize = 2;

/// What both studies found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Transfer {
    /// Version of this file.
    pub format: u32,
    /// What was studied, in words.
    pub subject: String,
    /// What the model's size parameter is called.
    pub size_param: String,
    /// What D counts.
    pub unit: String,
    /// `train.lr`, the rate of the sweep.
    pub lr: f64,
    /// Optimizer steps of each trial.
    pub steps: u64,
    /// Seeds of each trial.
    pub seeds: Vec<u64>,
    /// Loss against rate, one curve a size, smallest first.
    pub curves: Vec<Curve>,
    /// How the best rate moves; absent where it was not found at both ends.
    pub shift: Option<Shift>,
    /// How far outputs move; absent of a program of the user's, whose outputs can't be
    /// seen.
    pub coordinates: Option<Coordinates>,
    /// The worst of the verdicts.
    pub status: CheckStatus,
    /// What to make of it.
    pub verdicts: Vec<Verdict>,
    /// The files that were drawn.
    pub plots: Vec<PathBuf>,
}

/// Does both studies, writes `transfer.json` and the plots.
///
/// Trials stay in the folder: the next call trains only what is missing.
///
/// # Errors
/// [`TransferError`] where something could not be trained or written. That the best rate
/// moves is no error but a [`Verdict`].
pub fn run(
    manifest: &Manifest,
    settings: &Settings,
    trainer: &Trainer,
    observer: &mut dyn Observer,
    interrupt: &Interrupt,
) -> Result<Transfer, TransferError> {
    if let manifest::Trainer::Simulated(_) = manifest.trainer {
        return Err(TransferError::Simulated {
            place: manifest.place("trainer"),
        });
    }
    let sizes = match &settings.sizes {
        Some(sizes) => sizes.clone(),
        None => sizes::spread(manifest, trainer, interrupt)?,
    };
    let probe = probe(manifest, &sizes);
    let surveyed = sizes::ask(&probe, trainer, interrupt)?;
    // One for all sizes, whatever they see.
    let batch = surveyed.batch(&probe)?;
    let (batch_examples, units_per_step) = (batch.examples, batch.units());
    let steps = settings.steps.unwrap_or(STEPS);
    let folder = match &settings.out {
        Some(out) => out.clone(),
        None => manifest.output_dir.join("transfer"),
    };
    let output = Output::at(&folder);
    let _lock = output.lock()?;
    let coordinates = coordinates::measure(
        &probe,
        &sizes,
        &probe.train.settings(
            probe.train.lr.typical(),
            steps,
            steps,
            batch_examples,
            units_per_step,
        ),
        trainer,
        interrupt,
    )?;
    let curves = search::Search {
        sizes: sizes::costs(&surveyed, units_per_step),
        manifest: &probe,
        surveyed: &surveyed,
        output: &output,
        steps,
        trainer,
    }
    .run(observer, interrupt)?;
    let shift = Shift::of(&curves, &manifest.candidates());
    let verdicts = verdict::all(&probe, steps, &curves, shift.as_ref(), coordinates.as_ref());
    let mut transfer = Transfer {
        format: FORMAT,
        subject: subject(manifest),
        size_param: manifest.model.size_param.clone(),
        unit: surveyed.description.data.unit.clone(),
        lr: manifest.train.lr.typical(),
        steps,
        seeds: probe.sweep.seeds.clone(),
        curves,
        shift,
        coordinates,
        status: verdict::worst(&verdicts),
        verdicts,
        plots: Vec::new(),
    };
    let figures = report::plots::of_transfer(&transfer)?;
    transfer.plots = report::plots::write(&figures, &output.plots())?;
    write_json(&file(&folder), &transfer)?;
    Ok(transfer)
}

/// `transfer.json`.
fn file(folder: &Path) -> PathBuf {
    folder.join("transfer.json")
}

fn subject(manifest: &Manifest) -> String {
    format!(
        "{}: model {}, dataset {}, loss {}",
        manifest.path().display(),
        manifest.model.component.kind,
        manifest.dataset.kind,
        manifest.loss.kind
    )
}

/// The manifest of a study: listed sizes, seeds that show the noise, a warm-up that goes
/// with short trials. Budgets are filled in later.
fn probe(manifest: &Manifest, sizes: &[i64]) -> Manifest {
    let mut probe = manifest.clone();
    probe.sweep.timed.clear();
    probe.sweep.min_steps = 1;
    probe.sweep.seeds = seeds(manifest, SEEDS);
    // A rate that diverges is a finding here.
    probe.run.retry_diverged = false;
    probe.train.warmup = Warmup::Share(0.1);
    probe.train.batch_units = probe.train.batch_units.constant();
    probe.sweep.layout = Layout::Listed(vec![SizeList {
        budget: f64::MAX,
        sizes: sizes.to_vec(),
    }]);
    probe
}

/// The manifest's seeds, and as many more as make `least`.
fn seeds(manifest: &Manifest, least: usize) -> Vec<u64> {
    let mut seeds = manifest.sweep.seeds.clone();
    let next = seeds.iter().max().map_or(0, |most| most + 1);
    let lacking = least.saturating_sub(seeds.len());
    seeds.extend((next..).take(lacking));
    seeds
}
