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

/// Whether libtorch's words, or those of the libraries that it calls, say that an
/// allocation failed, on the CPU or a GPU.
pub(crate) fn is_out_of_memory(message: &str) -> bool {
    [
        // libtorch's allocators.
        "can't allocate memory",
        "not enough memory",
        "CUDA out of memory",
        "HIP out of memory",
        "std::bad_alloc",
        // The driver.
        "error: out of memory",
        // cuBLAS, cuDNN, cuSOLVER, cuSPARSE, cuFFT.
        "STATUS_ALLOC_FAILED",
        "ALLOCATION_FAILED",
        "CUFFT_ALLOC_FAILED",
    ]
    .iter()
    .any(|words| message.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libtorch_says_when_memory_is_out() {
        for message in [
            "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: \
             you tried to allocate 4503599627370496 bytes. Error code 12 (Cannot allocate memory)",
            "DefaultCPUAllocator: not enough memory: you tried to allocate 1024 bytes.",
            "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.10 GiB",
            "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported",
            "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
            "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
            "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
            "cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling `cusolverDnCreate(handle)`",
            "cuFFT error: CUFFT_ALLOC_FAILED",
            "HIP out of memory. Tried to allocate 20.00 MiB",
            "std::bad_alloc",
        ] {
            assert!(is_out_of_memory(message), "{message}");
        }
        for message in [
            "CUDA error: an illegal memory access was encountered",
            "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`",
            "cuDNN error: CUDNN_STATUS_NOT_INITIALIZED",
            "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)",
            "the memory bank has no slot 7",
        ] {
            assert!(!is_out_of_memory(message), "{message}");
        }
    }

    #[test]
    fn what_libtorch_refuses_the_host_is_told_by_its_kind() {
        let of = |words: &str| refused(Phase::Update, &tch::TchError::Torch(words.to_owned()));
        let Failure::OutOfMemory { plugin, phase, .. } = of("CUDA error: out of memory") else {
            panic!("another failure");
        };
        assert_eq!((plugin, phase), (None, Phase::Update));
        assert!(matches!(
            of("an illegal memory access"),
            Failure::Host { .. }
        ));
    }
}
