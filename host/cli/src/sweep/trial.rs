//! A trial that is to be trained, or a trunk that is to be grown.

use flops_fit_scaling::quantity;
use flops_fit_trial::{
    DocumentError, Environment, FORMAT, Outcome, Timing, TrialDir, TrialResult, TrialSpec,
};

use super::select::libraries;
use crate::plan::{Prepared, thumb};

/// A specification and its place on disk.
#[derive(Debug, Clone)]
pub struct Trial {
    /// What to train.
    pub spec: TrialSpec,
    /// Where.
    pub dir: TrialDir,
    /// The model's size parameter, for messages.
    pub size_param: String,
    /// Distinct units of the training data; absent if it never repeats.
    pub unique_units: Option<u64>,
    /// Optimizer steps that are done already: those of the trunk that it leaves, or that
    /// it is prolonged from.
    pub done: u64,
}

impl Trial {
    /// The trial of `prepared` that `spec` is of.
    pub(crate) fn planned(spec: &TrialSpec, prepared: &Prepared) -> Self {
        Self {
            spec: spec.clone(),
            dir: prepared.output.trial(&spec.id),
            size_param: prepared.plan.size_param.clone(),
            unique_units: prepared.plan.unique_units,
            done: spec.branch().map_or(0, |(_, step)| step),
        }
    }

    /// The trunk of `prepared` that `spec` is of, as if nothing of it was there.
    pub(crate) fn trunk(spec: TrialSpec, prepared: &Prepared) -> Self {
        Self {
            dir: prepared.output.trunk(&spec.id),
            spec,
            size_param: prepared.plan.size_param.clone(),
            unique_units: prepared.plan.unique_units,
            done: 0,
        }
    }

    /// The step that it ends after.
    pub fn last_step(&self) -> u64 {
        let last = self.spec.run.branches.last();
        last.copied().unwrap_or(self.spec.recipe.steps)
    }

    /// FLOPs that it costs.
    pub fn flops(&self) -> f64 {
        let steps = self.last_step() - self.done;
        self.spec.run.flops_per_unit * (steps * self.spec.units_per_step()) as f64
    }

    /// Seconds that it is likely to take, by a rule of thumb for one core: good enough to
    /// tell which of two trials takes longer, since small models get less out of a
    /// processor.
    pub fn seconds(&self) -> f64 {
        self.flops() / thumb(self.spec.run.declared_n as f64)
    }

    /// Writes the result of a trial whose worker could not, or of which none was started.
    pub(super) fn conclude(&self, outcome: &Outcome, seconds: f64) -> Result<(), DocumentError> {
        self.dir.write_result(&TrialResult {
            format: FORMAT,
            id: self.spec.id.clone(),
            outcome: outcome.clone(),
            environment: Environment {
                libraries: libraries(&self.spec),
                ..Environment::planned(&self.spec.run)
            },
            timing: Timing {
                train: seconds,
                ..Timing::default()
            },
        })
    }

    /// The command of the user's program that trains it; empty where none does.
    pub(super) fn program(&self) -> String {
        let words = self.spec.run.program.as_deref();
        words.unwrap_or_default().join(" ")
    }

    /// Which it is, in words: `1e10 d_model 16 seed 0`, `trunk d_model 16 seed 0`;
    /// of one that is tried again with its learning rate.
    pub fn label(&self) -> String {
        let recipe = &self.spec.recipe;
        let label = format!(
            "{} {} {} seed {}",
            if self.spec.is_trunk() {
                "trunk".to_owned()
            } else {
                quantity::flops(recipe.budget)
            },
            self.size_param,
            recipe.size,
            recipe.seed
        );
        match self.spec.run.retry_of {
            Some(_) => format!("{label} lr {}", recipe.train.lr),
            None => label,
        }
    }
}
