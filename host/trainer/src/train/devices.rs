//! The devices of a trial.

use flops_fit_trial::{Failure, Phase, TrialSpec};
use tch::Device;

use crate::parent::MOST_RANKS;

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
    names.iter().map(|name| device(name)).collect()
}

/// The device that `name` stands for.
fn device(name: &str) -> Result<Device, Failure> {
    if name == "cpu" {
        return Ok(Device::Cpu);
    }
    let index = name
        .strip_prefix("cuda:")
        .and_then(|index| index.parse::<usize>().ok());
    let index =
        index.ok_or_else(|| refused(format!("device `{name}`: expected cpu or cuda:<number>")))?;
    let found = tch::Cuda::device_count();
    if (index as i64) < found {
        Ok(Device::Cuda(index))
    } else {
        Err(refused(format!(
            "device `{name}`: this libtorch sees {found} CUDA devices"
        )))
    }
}

fn refused(detail: String) -> Failure {
    Failure::Host {
        phase: Phase::Build,
        detail,
    }
}
