//! From what the plugins said to the grid and its trials' specifications.

use std::collections::BTreeMap;

use flops_fit_scaling::{
    GridError,
    batch::Batch,
    grid::{self, BudgetGrid, Candidate, Grid, Layout, Side},
    quantity,
};
use flops_fit_trial::{
    Description, FORMAT, Recipe, RunSettings, SizeFacts, SizeOutcome, TrialSpec,
};

use super::{
    Plan, PlanError, PlannedBudget, PlannedRun, Skipped, Surveyed, batch, retry,
    specs::{Sized, Specs},
    trunks::Trunks,
};
use crate::{
    manifest::{Manifest, Problem, Sizes, Trainer},
    output::Output,
};

/// Share of the steps above which a warm-up bends the scaling exponent.
const LONG_WARMUP: f64 = 0.2;

/// Fewest sizes that a curve is fitted through.
const FEW_SIZES: usize = 4;

/// A plan with the specifications of its trials and trunks, in its order.
pub(super) struct LaidOut {
    pub(super) plan: Plan,
    pub(super) specs: Vec<TrialSpec>,
    pub(super) trunks: Vec<TrialSpec>,
}

/// What of the answers a grid is laid out from.
pub(super) struct Measured<'d> {
    /// What is in an optimizer step.
    pub(super) batch: Batch,
    /// What is known of each size that was accepted.
    pub(super) sizes: BTreeMap<i64, Sized<'d>>,
    /// All sizes.
    pub(super) candidates: Vec<Candidate>,
}

impl<'d> Measured<'d> {
    pub(super) fn of(manifest: &Manifest, description: &'d Description) -> Result<Self, PlanError> {
        let (sizes, candidates) = sort_answers(manifest, description)?;
        Ok(Self {
            batch: batch::of(manifest, description)?,
            sizes,
            candidates,
        })
    }

    /// The grid of `layout`.
    pub(super) fn plan(&self, manifest: &Manifest, layout: &Layout) -> Result<Grid, PlanError> {
        let spec = manifest.sweep.grid(layout, self.batch);
        let grid = grid::plan(&spec, &self.candidates);
        let grid = grid.map_err(|source| grid_error(manifest, source))?;
        batch::check_ranks(manifest, &grid, &self.batch)?;
        Ok(grid)
    }
}

/// Lays out `layout`, the manifest's own or what of it has been decided so far, with what
/// is to be tried again by the results in `output`.
pub(super) fn lay_out(
    manifest: &Manifest,
    survey: &Surveyed,
    layout: &Layout,
    output: &Output,
) -> Result<LaidOut, PlanError> {
    let description = &survey.description;
    let measured = Measured::of(manifest, description)?;
    let grid = measured.plan(manifest, layout)?;

    let grows = measured.batch.grows_from;
    let mut plan = Plan {
        format: FORMAT,
        name: title(manifest),
        size_param: manifest.model.size_param.clone(),
        unit: description.data.unit.clone(),
        units_per_step: grows.is_none().then(|| measured.batch.units()),
        batch: grows.map(|_| measured.batch),
        unique_units: description.data.unique_units,
        budgets: Vec::new(),
        tuning: None,
        trunks: Vec::new(),
        upcoming: None,
        flops: 0.0,
        warnings: simulated(manifest).into_iter().collect(),
    };
    let writer = Specs {
        manifest,
        survey,
        batch: measured.batch,
    };
    let mut specs = Vec::new();
    let mut shared = Trunks::default();
    for budget in grid.budgets {
        let mut trials = Vec::new();
        for trial in &budget.trials {
            let sized = &measured.sizes[&trial.size];
            let lr = manifest.train.lr.at(trial.n, trial.d);
            let mut add = |recipe: Recipe, run: RunSettings| {
                let spec = if manifest.train.reuse_trunk {
                    shared.join(recipe, run)
                } else {
                    TrialSpec::new(recipe, run)
                };
                trials.push(PlannedRun::of(&spec, trial, &measured.batch));
                specs.push(spec.clone());
                spec
            };
            for &seed in &manifest.sweep.seeds {
                let recipe = writer.recipe(budget.budget, trial, sized, seed, lr);
                check_warmup(manifest, &recipe)?;
                let run = writer.run_settings(trial.size, sized);
                let first = add(recipe.clone(), run.clone());
                if manifest.run.retry_diverged
                    && let Some((recipe, run)) = retry::of(&first.id, recipe, run, output)
                {
                    add(recipe, run);
                }
            }
        }
        plan.warnings.extend(warnings(manifest, &budget));
        plan.budgets.push(PlannedBudget {
            budget: budget.budget,
            center: budget.center,
            trials,
            skipped: budget
                .skipped
                .into_iter()
                .map(|skipped| Skipped {
                    size: skipped.size,
                    reason: skipped.reason,
                })
                .collect(),
            uncovered: budget.uncovered,
        });
    }
    let more = [repeats(&plan), long_warmups(&specs)];
    plan.warnings.extend(more.into_iter().flatten());
    plan.warnings.extend(batch::doubts(manifest, &plan));
    let (planned, trunks) = shared.finish();
    plan.trunks = planned;
    plan.flops = plan.flops_together();
    Ok(LaidOut {
        plan,
        specs,
        trunks,
    })
}

/// What is wrong with a grid, at the key that it is about.
pub(super) fn grid_error(manifest: &Manifest, source: GridError) -> PlanError {
    let key = match (&source, &manifest.sweep.layout) {
        (GridError::NoCandidates { .. }, Layout::Around { .. }) => "model.sizes",
        (_, Layout::Around { .. }) => "sweep.budgets",
        (_, Layout::Listed(_)) => "sweep.grid",
    };
    PlanError::Grid {
        place: manifest.place(key),
        source,
    }
}

/// The model's answers, once by size and once as the grid wants them. A size
/// that was written out has to be accepted; of a range the refused are skipped,
/// unless nothing is left then.
fn sort_answers<'d>(
    manifest: &Manifest,
    description: &'d Description,
) -> Result<(BTreeMap<i64, Sized<'d>>, Vec<Candidate>), PlanError> {
    let listed = matches!(manifest.sweep.layout, Layout::Listed(_))
        || matches!(manifest.model.sizes, Some(Sizes::List(_)));
    let mut sizes = BTreeMap::new();
    let mut candidates = Vec::new();
    for facts in &description.sizes {
        let size = facts.size;
        match &facts.outcome {
            SizeOutcome::Accepted {
                n,
                counts,
                flops_per_unit,
                config,
                ..
            } => {
                let sized = Sized {
                    n: *n,
                    counts,
                    flops_per_unit: *flops_per_unit,
                    config,
                };
                sizes.insert(size, sized);
                candidates.push(Candidate::Accepted {
                    size,
                    n: *n as f64,
                    flops_per_unit: *flops_per_unit,
                });
            }
            SizeOutcome::Refused { key, reason } => {
                if listed || all_refused(description) {
                    return Err(manifest.refused_size(size, key.as_deref(), reason).into());
                }
                let reason = match key {
                    Some(key) => format!("{key}: {reason}"),
                    None => reason.clone(),
                };
                candidates.push(Candidate::Refused { size, reason });
            }
        }
    }
    Ok((sizes, candidates))
}

fn all_refused(description: &Description) -> bool {
    let refused = |facts: &SizeFacts| matches!(facts.outcome, SizeOutcome::Refused { .. });
    description.sizes.iter().all(refused)
}

/// What the sweep is called in tables and figures: one that was not trained says so
/// everywhere.
fn title(manifest: &Manifest) -> String {
    match manifest.trainer {
        Trainer::Simulated(_) => format!("{} (simulated)", manifest.name),
        Trainer::Plugins | Trainer::Program(_) => manifest.name.clone(),
    }
}

fn simulated(manifest: &Manifest) -> Option<String> {
    let Trainer::Simulated(simulation) = &manifest.trainer else {
        return None;
    };
    let law = &simulation.law;
    Some(format!(
        "nothing is trained: losses are {} + {}/N^{} + {}/D^{} with normal noise of {} (trainer = \"simulated\")",
        law.e, law.a, law.alpha, law.b, law.beta, simulation.noise
    ))
}

fn check_warmup(manifest: &Manifest, recipe: &Recipe) -> Result<(), PlanError> {
    let (warmup, steps) = (recipe.train.warmup_steps, recipe.steps);
    if warmup < steps {
        return Ok(());
    }
    Err(manifest
        .mistake(
            "train.warmup",
            Problem::Unacceptable {
                found: format!("a warm-up of {warmup} steps"),
                expected: format!(
                    "fewer than the {steps} steps that size {} trains for at {} FLOPs; shorten it, or raise sweep.min_steps to skip such short trials",
                    recipe.size,
                    quantity::flops(recipe.budget)
                ),
            },
        )
        .into())
}

fn warnings(manifest: &Manifest, grid: &BudgetGrid) -> Vec<String> {
    let budget = quantity::flops(grid.budget);
    let mut warnings = Vec::new();
    if grid.trials.len() < FEW_SIZES {
        warnings.push(format!(
            "budget {budget} has {} trainable sizes; a curve needs {FEW_SIZES}, so it will not be part of the fit",
            grid.trials.len()
        ));
    }
    for side in &grid.uncovered {
        let (end, fix) = match side {
            Side::Low => ("small", "add smaller ones"),
            Side::High => ("large", "add larger ones"),
        };
        warnings.push(format!(
            "budget {budget}: no candidate is {end} enough to reach the end of the window around N = {}; {fix} to model.sizes, or the minimum may stay unbracketed ({} candidates)",
            quantity::count(grid.center.unwrap_or_default()),
            manifest.candidates().len()
        ));
    }
    warnings
}

fn repeats(plan: &Plan) -> Option<String> {
    let unique = plan.unique_units? as f64;
    let most = plan.runs().map(|(_, run)| run.d).fold(0.0, f64::max);
    let count = plan.runs().filter(|(_, run)| run.d > unique).count();
    (count > 0).then(|| {
        format!(
            "{count} trials see data more than once (up to {} passes over {} {}); repeated data teaches less, and the laws assume fresh data",
            quantity::ratio(most / unique),
            quantity::count(unique),
            plan.unit
        )
    })
}

fn long_warmups(specs: &[TrialSpec]) -> Option<String> {
    let share = |spec: &TrialSpec| spec.recipe.train.warmup_steps as f64 / spec.recipe.steps as f64;
    let count = specs
        .iter()
        .filter(|spec| share(spec) > LONG_WARMUP)
        .count();
    let most = specs.iter().map(share).fold(0.0, f64::max);
    (count > 0).then(|| {
        format!(
            "{count} trials warm up for more than {:.0} % of their steps (up to {:.0} %), which bends the fitted exponents; shorten train.warmup or raise sweep.min_steps",
            100.0 * LONG_WARMUP,
            100.0 * most
        )
    })
}
