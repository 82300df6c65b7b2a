//! Devices by name.

use flops_fit_trial::{Failure, Phase};
use tch::Device;

/// The device that `name` stands for: `cpu`, or `cuda:<number>`.
///
/// # Errors
/// [`Failure::Host`] with the fix in words, if it is no name or there is no such device.
pub(crate) fn named(name: &str) -> Result<Device, Failure> {
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
            "device `{name}`: this libtorch sees {found} CUDA devices; set run.devices to those \
             that there are, such as [\"cpu\"], or, where the GPU is there, set libtorch up for \
             it (`flops-fit setup --cuda`) and build worker and plugins again"
        )))
    }
}

/// A trial that can't have the devices that it names.
pub(crate) fn refused(detail: String) -> Failure {
    Failure::Host {
        phase: Phase::Build,
        detail,
    }
}
