//! The one libtorch that this build of flops-fit works with: its version, its
//! two variants, and what pip is asked for to get each.

use std::fmt;

use serde::Serialize;

/// Version of libtorch, without a local part such as `+cu130`.
///
/// tch and torch-sys are generated from the headers of exactly this release
/// and their build script refuses any other.
pub const VERSION: &str = "2.13.0";

/// The Python whose wheels are asked for, whatever Python runs pip: only the
/// C++ libraries in them are used, and those are the same in every one.
pub(super) const WHEEL_PYTHON: &str = "3.11";
/// The wheel tag that belongs to [`WHEEL_PYTHON`].
pub(super) const WHEEL_ABI: &str = "cp311";

/// Platform tags that pip may choose from: every glibc up to that of torch's
/// own wheel. pip matches a `--platform` tag literally, and the packages that
/// torch needs are each tagged after another glibc.
pub(super) fn platforms() -> impl Iterator<Item = String> {
    (5..=28)
        .rev()
        .map(|minor| format!("manylinux_2_{minor}_x86_64"))
        .chain(["manylinux2014_x86_64", "manylinux1_x86_64", "any"].map(str::to_owned))
}

/// Which libraries a libtorch folder holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// What training on the CPU needs.
    Cpu,
    /// Everything that the release ships, GPU libraries included.
    Cuda,
}

impl Variant {
    /// Name of this variant's folder in the cache.
    pub(super) fn folder_name(self) -> String {
        format!("libtorch-{VERSION}-{self}")
    }

    /// The requirements handed to `pip download`.
    pub(super) fn requirements(self) -> &'static [&'static str] {
        match self {
            // The wheels' libtorch_cpu.so was linked against the CUDA runtime
            // and its profiler, so these two have to be there without a GPU.
            Self::Cpu => &[
                "torch==2.13.0",
                "nvidia-cuda-runtime==13.0.96",
                "nvidia-cuda-cupti==13.0.85",
            ],
            Self::Cuda => &["torch==2.13.0"],
        }
    }

    /// Whether pip resolves what the requirements depend on. The CPU's list is
    /// complete; torch's own would add gigabytes of GPU libraries.
    pub(super) fn with_dependencies(self) -> bool {
        self == Self::Cuda
    }

    /// Bytes to have free before the download: the wheels twice (pip copies
    /// them), its cache's copy, and what is unpacked from them.
    pub(super) fn bytes_needed(self) -> u64 {
        match self {
            Self::Cpu => 2_500_000_000,
            Self::Cuda => 12_000_000_000,
        }
    }

    /// Size of the download in gigabytes, for a person to read.
    pub(super) fn download_size(self) -> &'static str {
        match self {
            Self::Cpu => "0.5 GB",
            Self::Cuda => "2.7 GB",
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_of_requirements_asks_for_this_version() {
        for variant in [Variant::Cpu, Variant::Cuda] {
            assert_eq!(variant.requirements()[0], format!("torch=={VERSION}"));
        }
    }
}
