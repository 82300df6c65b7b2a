//! What is in an optimizer step of each trial, and whether that can be.

use flops_fit_scaling::{batch::Batch, grid::Grid, quantity};
use flops_fit_trial::Description;

use super::{Plan, PlanError};
use crate::manifest::{BatchUnits, Manifest, Problem};

/// Factor in D either way from which a batch that grows is a guess: the exponent was
/// measured over some two decades.
const FAR: f64 = 100.0;

/// What is in an optimizer step.
pub(super) fn of(manifest: &Manifest, description: &Description) -> Result<Batch, PlanError> {
    let units_per_example = description.data.units_per_example.max(1);
    let (units, grows_from) = match manifest.train.batch_units {
        BatchUnits::Exactly(units) => (units, None),
        BatchUnits::Auto { units, d } => (units, Some(d)),
        BatchUnits::About(units) => {
            return Ok(about(units, units_per_example, None));
        }
        BatchUnits::Usual => {
            let (units, d) = (BatchUnits::USUAL, BatchUnits::USUAL_D);
            return Ok(about(units, units_per_example, Some(d)));
        }
    };
    if units.is_multiple_of(units_per_example) {
        return Ok(about(units, units_per_example, grows_from));
    }
    let unit = &description.data.unit;
    let below = units / units_per_example * units_per_example;
    let near = if below == 0 {
        units_per_example.to_string()
    } else {
        format!("{below} or {}", below + units_per_example)
    };
    Err(manifest
        .mistake(
            "train.batch_tokens",
            Problem::Unacceptable {
                found: units.to_string(),
                expected: format!(
                    "a multiple of {units_per_example}, the {unit} in one example, such as {near}"
                ),
            },
        )
        .into())
}

/// The whole number of examples that is nearest to `units`, one at least.
fn about(units: u64, units_per_example: u64, grows_from: Option<f64>) -> Batch {
    let examples = (units as f64 / units_per_example as f64).round().max(1.0);
    Batch {
        units_per_example,
        examples: examples as u64,
        grows_from,
    }
}

/// Every rank of a trial needs an example of every batch.
pub(super) fn check_ranks(
    manifest: &Manifest,
    grid: &Grid,
    batch: &Batch,
) -> Result<(), PlanError> {
    let ranks = manifest.run.devices_per_trial.least();
    let trials = grid.budgets.iter().flat_map(|budget| {
        let trials = budget.trials.iter();
        trials.map(|trial| {
            (
                trial.units_per_step / batch.units_per_example,
                trial.size,
                budget.budget,
            )
        })
    });
    let Some((least, size, budget)) = trials
        .min_by_key(|(examples, ..)| *examples)
        .filter(|(least, ..)| *least < ranks as u64)
    else {
        return Ok(());
    };
    let expected = match batch.grows_from {
        None => format!("at most {least}, the examples of one batch; or raise train.batch_tokens"),
        Some(_) => format!(
            "at most {least}, the examples in a batch of size {size} at {} FLOPs; or a train.batch_tokens whose `auto` is larger",
            quantity::flops(budget)
        ),
    };
    let found = ranks.to_string();
    let problem = Problem::Unacceptable { found, expected };
    Err(manifest.mistake("run.devices_per_trial", problem).into())
}

/// What a user should know of a batch that grows.
pub(super) fn doubts(manifest: &Manifest, plan: &Plan) -> Vec<String> {
    let Some(from) = plan.batch.and_then(|batch| batch.grows_from) else {
        return Vec::new();
    };
    let mut doubts = Vec::new();
    let ds = || plan.runs().map(|(_, run)| run.d);
    let far = |d: &f64| *d > from * FAR || *d < from / FAR;
    let count = ds().filter(far).count();
    if count > 0 {
        let (low, high) = ds().fold((f64::INFINITY, 0.0_f64), |(low, high), d| {
            (low.min(d), high.max(d))
        });
        doubts.push(format!(
            "the batch of {count} trials is a guess: they see more than {FAR} times more or fewer {} ({} to {}) than the {} from which train.batch_tokens grows; give {{ auto = …, d = … }} of a run like them",
            plan.unit,
            quantity::count(low),
            quantity::count(high),
            quantity::count(from)
        ));
    }
    if manifest.train.optimizer.weight_decay > 0.0 {
        doubts.push(
            "weight decay acts once a step, and a batch that grows makes fewer of them: it decays less in trials with more data; train.batch_tokens as a number, or weight_decay = 0, avoids that".to_owned(),
        );
    }
    doubts
}
