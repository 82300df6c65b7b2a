//! Specifications of trials: what the manifest asks for, with what the plugins said.

use std::collections::BTreeMap;

use flops_fit_scaling::{batch::Batch, grid::PlannedTrial};
use flops_fit_trial::{Component, ComponentFacts, Load, Recipe, RunSettings, with_size};
use serde_json::Value as Json;

use super::{Surveyed, source::Source};
use crate::manifest::{Manifest, Trainer, four_digits};

/// What a size is known to be.
pub(super) struct Sized<'d> {
    pub(super) n: u64,
    pub(super) counts: &'d BTreeMap<String, f64>,
    pub(super) flops_per_unit: f64,
    pub(super) config: &'d Json,
}

/// Makes the specifications of one sweep.
pub(super) struct Specs<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) survey: &'a Surveyed,
    /// What is in an optimizer step.
    pub(super) batch: Batch,
}

impl Specs<'_> {
    /// `lr` as a step of so many units wants it. That of a constant batch is as it was
    /// written; no other is known better than to four digits.
    fn rate(&self, lr: f64, units_per_step: u64) -> f64 {
        if self.batch.grows_from.is_none() {
            return lr;
        }
        four_digits(lr * self.batch.rate_factor(units_per_step))
    }

    /// What decides the outcome of a trial at peak rate `lr`, times what its batch asks for.
    pub(super) fn recipe(
        &self,
        budget: f64,
        trial: &PlannedTrial,
        sized: &Sized<'_>,
        seed: u64,
        lr: f64,
    ) -> Recipe {
        let (manifest, description) = (self.manifest, &self.survey.description);
        let component = |facts: &ComponentFacts, config: &Json| Component {
            plugin: facts.plugin.clone(),
            version: facts.version.clone(),
            kind: facts.kind.clone(),
            config: config.clone(),
        };
        let units_per_step = trial.units_per_step;
        let examples = units_per_step / self.batch.units_per_example;
        Recipe {
            model: component(&description.model, sized.config),
            dataset: component(&description.dataset, &description.dataset.config),
            fingerprint: description.data.fingerprint.clone(),
            loss: component(&description.loss, &description.loss.config),
            size: trial.size,
            budget,
            steps: trial.steps,
            units: trial.steps * units_per_step,
            train: manifest.train.settings(
                self.rate(lr, units_per_step),
                trial.steps,
                manifest.sweep.min_steps,
                examples,
                units_per_step,
            ),
            seed,
            simulation: match manifest.trainer {
                Trainer::Simulated(simulation) => Some(simulation),
                Trainer::Plugins | Trainer::Program(_) => None,
            },
            trunk: None,
        }
    }

    /// Where and how a trial of `size` runs.
    pub(super) fn run_settings(&self, size: i64, sized: &Sized<'_>) -> RunSettings {
        let (manifest, sources) = (self.manifest, &self.survey.sources);
        let load = |source: &Source, config: &Json| Load {
            library: source.path.clone(),
            sha256: source.sha256.clone(),
            config: config.clone(),
        };
        let (config, size_param) = (&manifest.model.component.config, &manifest.model.size_param);
        let model_config = with_size(config, size_param, size);
        RunSettings {
            model: load(&sources.model, &model_config),
            dataset: load(&sources.dataset, &manifest.dataset.config),
            loss: load(&sources.loss, &manifest.loss.config),
            base_dir: manifest.base_dir.clone(),
            declared_n: sized.n,
            counts: sized.counts.clone(),
            flops_per_unit: sized.flops_per_unit,
            gemm: self.survey.description.gemm,
            units_per_example: self.survey.description.data.units_per_example,
            devices: manifest.run.devices[..manifest.run.devices_per_trial.least()].to_vec(),
            threads: manifest.run.threads.least() as u32,
            micro_batch: manifest.run.micro_batch,
            attempt: 0,
            retry_of: None,
            checkpoint_interval: manifest.run.checkpoint_interval.as_secs_f64(),
            program: match &manifest.trainer {
                Trainer::Program(command) => Some(command.clone()),
                Trainer::Plugins | Trainer::Simulated(_) => None,
            },
            branches: Vec::new(),
        }
    }
}
