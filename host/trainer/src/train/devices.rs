//! The devices of a trial.

use flops_fit_trial::{Failure, TrialSpec};
use tch::Device;

use crate::{
    device::{named, refused},
    parent::MOST_RANKS,
};

/// Those that `spec` names, one rank each.
pub(super) fn of(spec: &TrialSpec) -> Result<Vec<Device>, Failure> {
    let names = &spec.run.devices;
    let batch = spec.recipe.train.batch_examples.max(1);
    if names.is_empty() || names.len() > MOST_RANKS {
        return Err(refused(format!(
            "a trial runs on 1 to {MOST_RANKS} devices, this one names {}",
            names.len()
        )));
    }
    if names.len() as u64 > batch {
        return Err(refused(format!(
            "{} devices share a batch of {batch} examples; lower run.devices_per_trial or raise \
             train.batch_tokens",
            names.len()
        )));
    }
    names.iter().map(|name| named(name)).collect()
}
