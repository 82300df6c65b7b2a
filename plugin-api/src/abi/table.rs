//! The tables of functions, in the layout that never changes but at its end.

#![expect(
    clippy::expl_impl_clone_on_copy,
    reason = "written by the StableAbi derive for its prefix references"
)]

use std::ffi::c_void;

use abi_stable::{
    StableAbi,
    library::RootModule,
    sabi_types::VersionStrings,
    std_types::{RResult, RSlice, RStr, RString, RVec},
};
use tch::Device;

use super::tensor::{BorrowedTensor, OwnedTensor};

/// What a call gives: a value, or a [`Fault`](super::Fault) as JSON.
pub type Answer<T> = RResult<T, RString>;

/// A plugin's object: opaque to the host, freed by its table's `drop`.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Handle(pub *mut c_void);

/// A device: −1 for the CPU, else the CUDA device's number.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct AbiDevice(pub i32);

impl From<Device> for AbiDevice {
    fn from(device: Device) -> Self {
        match device {
            Device::Cuda(index) => Self(index as i32),
            _ => Self(-1),
        }
    }
}

impl From<AbiDevice> for Device {
    fn from(device: AbiDevice) -> Self {
        usize::try_from(device.0).map_or(Self::Cpu, Self::Cuda)
    }
}

/// [`Context`](crate::Context).
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct AbiContext {
    /// Whether a gradient will be asked for.
    pub train: bool,
    /// Seed of this pass.
    pub seed: u64,
    /// Optimizer steps done.
    pub step: u64,
}

/// [`Draw`](crate::Draw).
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct AbiDraw {
    /// Index in the split.
    pub index: u64,
    /// Seed of augmentation.
    pub seed: u64,
}

/// [`Parameter`](crate::Parameter).
#[repr(C)]
#[derive(StableAbi)]
pub struct AbiParameter {
    /// Unique name.
    pub name: RString,
    /// The tensor.
    pub tensor: OwnedTensor,
    /// The learning rate's factor.
    pub lr_scale: f64,
    /// The weight decay's factor.
    pub decay_scale: f64,
}

/// [`Buffer`](crate::Buffer).
#[repr(C)]
#[derive(StableAbi)]
pub struct AbiBuffer {
    /// Unique name.
    pub name: RString,
    /// The tensor.
    pub tensor: OwnedTensor,
}

/// [`Batch`](crate::Batch).
#[repr(C)]
#[derive(StableAbi)]
pub struct AbiBatch {
    /// For the model.
    pub inputs: RVec<OwnedTensor>,
    /// For the loss.
    pub targets: RVec<OwnedTensor>,
}

/// [`LossValue`](crate::LossValue).
#[repr(C)]
#[derive(StableAbi)]
pub struct AbiLoss {
    /// Scalar mean.
    pub mean: OwnedTensor,
    /// Units of the mean.
    pub units: u64,
    /// Further means.
    pub metrics: RVec<AbiMetric>,
}

/// A named figure.
#[repr(C)]
#[derive(StableAbi)]
pub struct AbiMetric {
    /// Its name.
    pub name: RString,
    /// Its value.
    pub value: f64,
}

/// Functions of a [`Model`](crate::Model).
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = ModelTableRef)))]
#[sabi(missing_field(option))]
pub struct ModelTable {
    /// Configuration with its defaults filled in.
    pub canonical: extern "C" fn(config: RStr<'_>) -> Answer<RString>,
    /// `Profile` as JSON, or `null`.
    pub profile: extern "C" fn(config: RStr<'_>, data: RStr<'_>) -> Answer<RString>,
    /// Builds the model.
    pub build: extern "C" fn(
        config: RStr<'_>,
        data: RStr<'_>,
        device: AbiDevice,
        seed: u64,
    ) -> Answer<Handle>,
    /// Ordered parameters.
    pub parameters: extern "C" fn(Handle) -> Answer<RVec<AbiParameter>>,
    /// Ordered buffers.
    pub buffers: extern "C" fn(Handle) -> Answer<RVec<AbiBuffer>>,
    /// The forward pass.
    pub forward:
        extern "C" fn(Handle, RSlice<'_, BorrowedTensor>, AbiContext) -> Answer<RVec<OwnedTensor>>,
    /// N for the fit.
    pub num_params: extern "C" fn(Handle) -> Answer<u64>,
    /// Frees the model.
    #[sabi(last_prefix_field)]
    pub drop: extern "C" fn(Handle) -> Answer<()>,
}

/// Functions of a [`Dataset`](crate::Dataset).
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = DatasetTableRef)))]
#[sabi(missing_field(option))]
pub struct DatasetTable {
    /// The part of the configuration that decides the outcome.
    pub identity: extern "C" fn(config: RStr<'_>) -> Answer<RString>,
    /// Opens the data; `base_dir` is the manifest's folder.
    pub build: extern "C" fn(config: RStr<'_>, base_dir: RStr<'_>) -> Answer<Handle>,
    /// `DataDescription` as JSON.
    pub description: extern "C" fn(Handle) -> Answer<RString>,
    /// Hash of the content.
    pub fingerprint: extern "C" fn(Handle) -> Answer<RString>,
    /// Makes a batch.
    pub batch: extern "C" fn(Handle, held_out: bool, RSlice<'_, AbiDraw>) -> Answer<AbiBatch>,
    /// Frees the dataset.
    #[sabi(last_prefix_field)]
    pub drop: extern "C" fn(Handle) -> Answer<()>,
}

/// Functions of a [`Loss`](crate::Loss).
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = LossTableRef)))]
#[sabi(missing_field(option))]
pub struct LossTable {
    /// Configuration with its defaults filled in.
    pub canonical: extern "C" fn(config: RStr<'_>) -> Answer<RString>,
    /// Builds the loss.
    pub build: extern "C" fn(config: RStr<'_>, data: RStr<'_>) -> Answer<Handle>,
    /// The mean loss of a micro-batch.
    pub compute: extern "C" fn(
        Handle,
        outputs: RSlice<'_, BorrowedTensor>,
        targets: RSlice<'_, BorrowedTensor>,
        train: bool,
    ) -> Answer<AbiLoss>,
    /// Frees the loss.
    #[sabi(last_prefix_field)]
    pub drop: extern "C" fn(Handle) -> Answer<()>,
}

/// A model by the name that manifests use.
#[repr(C)]
#[derive(Clone, StableAbi)]
pub struct NamedModel {
    /// The kind.
    pub kind: RString,
    /// Its functions.
    pub table: ModelTableRef,
}

/// A dataset by the name that manifests use.
#[repr(C)]
#[derive(Clone, StableAbi)]
pub struct NamedDataset {
    /// The kind.
    pub kind: RString,
    /// Its functions.
    pub table: DatasetTableRef,
}

/// A loss by the name that manifests use.
#[repr(C)]
#[derive(Clone, StableAbi)]
pub struct NamedLoss {
    /// The kind.
    pub kind: RString,
    /// Its functions.
    pub table: LossTableRef,
}

/// What a plugin library exports.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = RootRef)))]
#[sabi(missing_field(option))]
pub struct Root {
    /// Its models.
    pub models: extern "C" fn() -> RVec<NamedModel>,
    /// Its datasets.
    pub datasets: extern "C" fn() -> RVec<NamedDataset>,
    /// Its losses.
    #[sabi(last_prefix_field)]
    pub losses: extern "C" fn() -> RVec<NamedLoss>,
}

impl RootModule for RootRef {
    abi_stable::declare_root_module_statics! {RootRef}
    const BASE_NAME: &'static str = "flops_fit_plugin";
    const NAME: &'static str = "flops_fit_plugin";
    // The ABI's version, not the product's: record::ABI_MAJOR and ABI_MINOR.
    const VERSION_STRINGS: VersionStrings = VersionStrings::new("1.0.0");
}
