//! A trial that is to be trained.

use flops_fit_scaling::quantity;
use flops_fit_trial::{TrialDir, TrialSpec};

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
}

impl Trial {
    /// FLOPs that it costs.
    pub fn flops(&self) -> f64 {
        self.spec.run.flops_per_unit * self.spec.recipe.units as f64
    }

    /// The command of the user's program that trains it; empty where none does.
    pub(super) fn program(&self) -> String {
        let words = self.spec.run.program.as_deref();
        words.unwrap_or_default().join(" ")
    }

    /// Which it is, in words: `1e10 d_model 16 seed 0`.
    pub fn label(&self) -> String {
        let recipe = &self.spec.recipe;
        format!(
            "{} {} {} seed {}",
            quantity::flops(recipe.budget),
            self.size_param,
            recipe.size,
            recipe.seed
        )
    }
}
