//! Trials that diverged and are tried again, once, with half the learning rate.
//!
//! The second try has another recipe, so it is a trial of its own: with its own folder,
//! checkpoints and result, and a trunk of its own where trials share them. What diverged
//! keeps its result. Whether there is a second try follows from the first one's result
//! alone, so that a sweep which was stopped between the two goes on as if it was not.

use flops_fit_trial::{Outcome, Recipe, RunSettings, TrainSettings, TrialId};

use crate::output::Output;

/// What the learning rate is multiplied by.
const FACTOR: f64 = 0.5;

/// `recipe` and `run` of the trial that tries trial `first` of them again; `None` where
/// that one has not diverged by the results in `output`.
pub(super) fn of(
    first: &TrialId,
    recipe: Recipe,
    run: RunSettings,
    output: &Output,
) -> Option<(Recipe, RunSettings)> {
    // What can't be read is found out, and told, when trials are selected.
    let result = output.trial(first).result().ok()??;
    let has_diverged = result.id == *first && matches!(result.outcome, Outcome::Diverged { .. });
    has_diverged.then(|| {
        let recipe = Recipe {
            train: TrainSettings {
                lr: FACTOR * recipe.train.lr,
                ..recipe.train
            },
            ..recipe
        };
        let run = RunSettings {
            retry_of: Some(first.clone()),
            ..run
        };
        (recipe, run)
    })
}
