//! Trials of a few hundred steps at rates that enclose the best one, for each size.

use std::collections::{BTreeMap, BTreeSet};

use flops_fit_scaling::{
    grid::{Layout, SizeList},
    learning_rate::End,
};
use flops_fit_trial::{Outcome, TrialSpec};

use super::{
    TransferError,
    curve::{Curve, Rate},
    sizes::Costs,
};
use crate::{
    interrupt::Interrupt,
    manifest::{LearningRate, Manifest},
    output::Output,
    plan::{Prepared, Surveyed},
    sweep::{self, MicroBatches, Observer, Rebuilt, Selection, Settings},
    trainer::Trainer,
};

/// Neighbouring rates are a factor of 2 apart: rate k is `train.lr`·2ᵏ. These come first.
const FIRST: [i32; 5] = [-2, -1, 0, 1, 2];

/// Rates that are added at once where a curve's minimum is at an end.
const MORE: i32 = 2;

/// How often that is done.
const ROUNDS: usize = 5;

/// What is trained, and where.
pub(super) struct Search<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) surveyed: &'a Surveyed,
    pub(super) output: &'a Output,
    pub(super) sizes: BTreeMap<i64, Costs>,
    pub(super) steps: u64,
    pub(super) trainer: &'a Trainer,
}

/// Losses by size and rate number.
type Found = BTreeMap<i64, BTreeMap<i32, Vec<Option<f64>>>>;

impl Search<'_> {
    /// Trains until every size has its minimum between two rates, or not in reach.
    pub(super) fn run(
        &self,
        observer: &mut dyn Observer,
        interrupt: &Interrupt,
    ) -> Result<Vec<Curve>, TransferError> {
        let sizes = self.sizes.keys();
        let mut wanted: Vec<(i32, i64)> = sizes
            .flat_map(|&size| FIRST.map(|number| (number, size)))
            .collect();
        let mut found = Found::new();
        let mut curves = Vec::new();
        let mut micro_batches = MicroBatches::default();
        for _ in 0..=ROUNDS {
            self.train(&wanted, &mut found, &mut micro_batches, observer, interrupt)?;
            curves = self.curves(&found);
            wanted = curves
                .iter()
                .flat_map(|curve| more(curve, &found))
                .collect();
            if wanted.is_empty() {
                break;
            }
        }
        Ok(curves)
    }

    fn rate(&self, number: i32) -> f64 {
        self.manifest.train.lr.typical() * 2_f64.powi(number)
    }

    /// Trains the `wanted` rates of sizes, all at once.
    fn train(
        &self,
        wanted: &[(i32, i64)],
        found: &mut Found,
        micro_batches: &mut MicroBatches,
        observer: &mut dyn Observer,
        interrupt: &Interrupt,
    ) -> Result<(), TransferError> {
        let numbers: BTreeSet<i32> = wanted.iter().map(|(number, _)| *number).collect();
        let mut specs: Vec<(i32, TrialSpec)> = Vec::new();
        let mut pending = Vec::new();
        for number in numbers {
            let sizes = wanted.iter().filter(|(other, _)| *other == number);
            let prepared = self.prepare(number, sizes.map(|(_, size)| *size))?;
            // A study of a plugin that was built anew is a new study.
            let selection = sweep::select(&prepared, Rebuilt::Retrain)?;
            pending.extend(selection.pending);
            specs.extend(prepared.specs.into_iter().map(|spec| (number, spec)));
        }
        pending.sort_by(|a, b| b.seconds().total_cmp(&a.seconds()));
        let selection = Selection {
            kept: specs.len() - pending.len(),
            pending,
            trunks: Vec::new(),
            branches: Vec::new(),
            kept_flops: 0.0,
            set_aside: Vec::new(),
        };
        let settings = Settings::of(&self.manifest.run);
        let tally = sweep::train(
            selection,
            &settings,
            self.trainer,
            micro_batches,
            observer,
            interrupt,
        )?;
        if tally.interrupted {
            return Err(TransferError::Interrupted);
        }
        if let Some(failed) = tally.failed.into_iter().next() {
            return Err(TransferError::Failed {
                label: failed.label,
                reason: failed.reason,
                log: failed.log,
            });
        }
        for (number, spec) in specs {
            let result = self.output.trial(&spec.id).result()?;
            let loss = match result.map(|result| result.outcome) {
                Some(Outcome::Completed { measured }) => Some(measured.loss),
                _ => None,
            };
            let rates = found.entry(spec.recipe.size).or_default();
            rates.entry(number).or_default().push(loss);
        }
        Ok(())
    }

    /// The trials of rate `number`: all sizes for the same number of steps.
    fn prepare(
        &self,
        number: i32,
        sizes: impl Iterator<Item = i64>,
    ) -> Result<Prepared, TransferError> {
        let mut manifest = self.manifest.clone();
        manifest.train.lr = LearningRate::Fixed(self.rate(number));
        // Each trial by itself, all at once.
        manifest.train.reuse_trunk = false;
        manifest.sweep.adaptive = false;
        let lists = sizes.map(|size| SizeList {
            budget: self.sizes[&size].flops_per_step * self.steps as f64,
            sizes: vec![size],
        });
        manifest.sweep.layout = Layout::Listed(lists.collect());
        Ok(Prepared {
            output: self.output.clone(),
            ..self.surveyed.lay_out(&manifest)?
        })
    }

    fn curves(&self, found: &Found) -> Vec<Curve> {
        let curve = |(size, rates): (&i64, &BTreeMap<i32, Vec<Option<f64>>>)| {
            let rates = rates.iter().map(|(number, losses)| Rate {
                lr: self.rate(*number),
                losses: losses.clone(),
            });
            let n = self.sizes[size].n;
            Curve::new(*size, n, rates.collect(), self.manifest.train.lr.typical())
        };
        found.iter().map(curve).collect()
    }
}

/// The rates that the size of `curve` lacks.
fn more(curve: &Curve, found: &Found) -> Vec<(i32, i64)> {
    let numbers = || found[&curve.size].keys().copied();
    let added = match curve.open_end() {
        None => return Vec::new(),
        Some(End::Low) => numbers().min().map(|least| least - MORE..least),
        Some(End::High) => numbers().max().map(|most| most + 1..most + 1 + MORE),
    };
    let added = added.into_iter().flatten();
    added.map(|number| (number, curve.size)).collect()
}
