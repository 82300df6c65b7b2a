//! A plugin's fault as a trial's failure.

use flops_fit_plugin::abi::Fault;
use flops_fit_trial::{Failure, Phase};

/// What a plugin's answer means for the trial.
pub(super) fn failure(plugin: &str, what: &str, phase: Phase, fault: &str) -> Failure {
    let plugin = plugin.to_owned();
    match Fault::decode(fault) {
        Fault::Panic { message, .. } | Fault::Error { message } | Fault::Config { message, .. }
            if is_out_of_memory(&message) =>
        {
            Failure::OutOfMemory {
                plugin: Some(plugin),
                phase,
                detail: message,
            }
        }
        Fault::Panic {
            message,
            file,
            line,
        } => Failure::Panicked {
            plugin,
            phase,
            message,
            file,
            line,
        },
        Fault::Config { key, message } => Failure::Config {
            plugin,
            what: what.to_owned(),
            key,
            message,
        },
        // A constructor's error is about what it was given.
        Fault::Error { message } if phase == Phase::Build => Failure::Config {
            plugin,
            what: what.to_owned(),
            key: None,
            message,
        },
        Fault::Error { message } => Failure::Plugin {
            plugin,
            phase,
            message,
        },
    }
}

/// What libtorch refused to the host as a trial's failure.
pub(crate) fn refused(phase: Phase, error: &tch::TchError) -> Failure {
    let detail = error.to_string();
    if is_out_of_memory(&detail) {
        Failure::OutOfMemory {
            plugin: None,
            phase,
            detail,
        }
    } else {
        Failure::Host { phase, detail }
    }
}

/// Whether libtorch's words say that an allocation failed, on the CPU or a GPU.
pub(crate) fn is_out_of_memory(message: &str) -> bool {
    [
        "can't allocate memory",
        "CUDA out of memory",
        "not enough memory",
    ]
    .iter()
    .any(|words| message.contains(words))
}
