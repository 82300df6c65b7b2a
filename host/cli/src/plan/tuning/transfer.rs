//! What becomes of the best rates: one for all trials, or a law.

use flops_fit_scaling::learning_rate::Transfer;
use flops_fit_trial::{Description, SizeOutcome};

use crate::manifest::Tune;

/// The key of a model's configuration by which it says how its rates move, and the word
/// of one whose best rate does not move with its width.
const PARAMETRIZATION: (&str, &str) = ("parametrization", "u_mup");

/// What the best rates become, and how that is known.
pub(super) fn transfer(tune: &Tune, description: &Description) -> (Transfer, String) {
    if let Some(transfer) = tune.transfer {
        return (transfer, "as train.lr.transfer says".to_owned());
    }
    let (key, word) = PARAMETRIZATION;
    let said = description
        .sizes
        .iter()
        .find_map(|facts| match &facts.outcome {
            SizeOutcome::Accepted { config, .. } => config.get(key),
            SizeOutcome::Refused { .. } => None,
        });
    match said.and_then(serde_json::Value::as_str) {
        Some(found) if found == word => (
            Transfer::OneRate,
            format!("since the model's {key} is {word}"),
        ),
        Some(found) => (Transfer::Law, format!("since the model's {key} is {found}")),
        None => (
            Transfer::Law,
            format!(
                "since the model's configuration says nothing of its {key} (train.lr.transfer = \"one_rate\" if its best rate does not move with its size)"
            ),
        ),
    }
}
