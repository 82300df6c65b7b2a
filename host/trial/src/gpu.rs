//! What a worker finds out about the GPUs of a machine.

use serde::{Deserialize, Serialize};

/// The answer of `flops-fit-worker gpu`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GpuReport {
    /// Version of this file.
    pub format: u32,
    /// Version of libtorch.
    pub libtorch: String,
    /// Every CUDA device that libtorch sees; empty where it sees none.
    pub devices: Vec<GpuDevice>,
    /// What keeps libtorch from knowing such devices at all, if anything does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GpuDevice {
    /// Its name, such as `cuda:0`.
    pub name: String,
    /// What was looked at, in order.
    pub checks: Vec<GpuCheck>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GpuCheck {
    /// What was looked at, in a few words.
    pub what: String,
    /// Whether it is as it should be.
    pub passed: bool,
    /// What was found.
    pub found: String,
}
