//! Devices by name.

use std::sync::OnceLock;

use flops_fit_trial::{Failure, Phase};
use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
use tch::Device;

use crate::plugin::linkers_words;

/// What of libtorch knows CUDA devices. Nothing of ours names a symbol of it, so the
/// linker leaves it out; it makes itself known to the rest as it is loaded.
const CUDA: &str = "libtorch_cuda.so";

/// How many CUDA devices there are, and in words what is in the way of some, if anything is.
///
/// To be asked before anything else that could ask libtorch for devices, its generator's
/// seed among it: libtorch looks once whether it knows any.
pub(crate) fn cuda_devices() -> (usize, Option<&'static str>) {
    static LOADED: OnceLock<Result<(), String>> = OnceLock::new();
    let loaded = LOADED.get_or_init(|| load(CUDA));
    let count = usize::try_from(tch::Cuda::device_count()).unwrap_or_default();
    (count, loaded.as_ref().err().map(String::as_str))
}

/// Whether `name` is that of a CUDA device.
pub(crate) fn is_cuda(name: &str) -> bool {
    name.starts_with("cuda")
}

/// Loads `library`, which lies where this program's other libraries do.
fn load(library: &str) -> Result<(), String> {
    // SAFETY: it is libtorch's, whose CPU half this program is linked with; its initialisers
    // register it and call nothing of ours.
    match unsafe { Library::open(Some(library), RTLD_NOW | RTLD_GLOBAL) } {
        Ok(library) => {
            // What has registered itself must stay.
            std::mem::forget(library);
            Ok(())
        }
        Err(error) => Err(linkers_words(&error)),
    }
}

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
    let (found, problem) = cuda_devices();
    if index < found {
        return Ok(Device::Cuda(index));
    }
    let problem = problem.map_or_else(String::new, |words| format!(" ({words})"));
    Err(refused(format!(
        "device `{name}`: this libtorch sees {found} CUDA devices{problem}; set run.devices to \
         those that there are, such as [\"cpu\"], or, where the GPU is there, set libtorch up \
         for it (`flops-fit setup --cuda`) and build worker and plugins again"
    )))
}

/// A trial that can't have the devices that it names.
pub(crate) fn refused(detail: String) -> Failure {
    Failure::Host {
        phase: Phase::Build,
        detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_not_there_is_told() {
        let told = load("libnone_of_torch.so").expect_err("not there");
        assert!(told.contains("libnone_of_torch.so"), "{told}");
        assert_eq!(load("libtorch_cpu.so"), Ok(()));
    }

    #[test]
    fn what_is_no_device_is_refused_in_words() {
        let told = named("cuda:1000").expect_err("not there").to_string();
        assert!(told.contains("CUDA devices"), "{told}");
        let told = named("gpu").expect_err("no name").to_string();
        assert!(told.contains("expected cpu or cuda:<number>"), "{told}");
    }
}
