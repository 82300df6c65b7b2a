//! Runs at a constant rate that trials of one size and seed share up to where each
//! cools down.
//!
//! Where trials see D units each, the longest Dₘ, and cool down over the share f, one
//! trunk and its branches cost (1−f)·Dₘ + f·ΣD in place of ΣD (Hägele et al. 2024, arXiv
//! 2405.18392). A trunk's identity holds nothing of its branches, so that another budget
//! changes no trial.

use flops_fit_trial::{Recipe, RunSettings, TrialId, TrialSpec};

use super::document::{Branch, PlannedTrunk};

/// The trunks of a sweep while its trials are laid out.
#[derive(Debug, Default)]
pub(super) struct Trunks(Vec<TrialSpec>);

impl Trunks {
    /// The trial of `recipe` as a branch of its trunk; as it is where the whole of it is
    /// cool-down.
    pub(super) fn join(&mut self, recipe: Recipe, run: RunSettings) -> TrialSpec {
        let trunk = recipe.to_trunk();
        let id = TrialId::of(&trunk);
        let branch = TrialSpec::new(
            Recipe {
                trunk: Some(id.clone()),
                ..recipe
            },
            run,
        );
        let (recipe, run) = (&branch.recipe, &branch.run);
        let step = recipe.steps - recipe.train.schedule.cooldown_steps(recipe.steps);
        if step == 0 {
            let recipe = Recipe {
                trunk: None,
                ..branch.recipe
            };
            return TrialSpec::new(recipe, branch.run);
        }
        let at = self.0.iter().position(|spec| spec.id == id);
        let at = at.unwrap_or_else(|| {
            let run = RunSettings {
                retry_of: None,
                ..run.clone()
            };
            self.0.push(TrialSpec::new(trunk, run));
            self.0.len() - 1
        });
        let steps = &mut self.0[at].run.branches;
        if let Err(place) = steps.binary_search(&step) {
            steps.insert(place, step);
        }
        branch
    }

    /// Them by size and seed, with what each costs.
    pub(super) fn finish(mut self) -> (Vec<PlannedTrunk>, Vec<TrialSpec>) {
        self.0
            .sort_by_key(|spec| (spec.run.declared_n, spec.recipe.size, spec.recipe.seed));
        (self.0.iter().map(planned).collect(), self.0)
    }
}

fn planned(spec: &TrialSpec) -> PlannedTrunk {
    let branches = spec.run.branches.clone();
    let steps = branches.last().copied().unwrap_or_default();
    let d = (steps * spec.units_per_step()) as f64;
    PlannedTrunk {
        id: spec.id.clone(),
        size: spec.recipe.size,
        seed: spec.recipe.seed,
        n: spec.run.declared_n as f64,
        warmup_steps: spec.recipe.train.warmup_steps,
        branches,
        d,
        c: d * spec.run.flops_per_unit,
    }
}

/// Where `spec` leaves its trunk.
pub(super) fn branch(spec: &TrialSpec) -> Option<Branch> {
    let (trunk, step) = spec.branch()?;
    Some(Branch {
        trunk: trunk.clone(),
        step,
    })
}

#[cfg(test)]
mod tests;
