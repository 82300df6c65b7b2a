//! Two fields of the root table have changed places.
#![expect(
    clippy::expl_impl_clone_on_copy,
    reason = "written by the StableAbi derive for its prefix references"
)]

use abi_stable::{
    StableAbi,
    library::{CheckTypeLayout, RootModule},
    sabi_types::VersionStrings,
};
use flops_fit_plugin::abi::{
    LibHeader, NamedDataset, NamedLoss, NamedModel, RVec, RootModuleResult,
};

flops_fit_skewed::record!("swapped");

/// `flops_fit_plugin::abi::Root` with its first two fields swapped.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = RootRef)))]
#[sabi(missing_field(option))]
pub struct Root {
    /// Where the models are looked for.
    pub datasets: extern "C" fn() -> RVec<NamedDataset>,
    /// Where the datasets are looked for.
    pub models: extern "C" fn() -> RVec<NamedModel>,
    /// As ever.
    #[sabi(last_prefix_field)]
    pub losses: extern "C" fn() -> RVec<NamedLoss>,
}

impl RootModule for RootRef {
    abi_stable::declare_root_module_statics! {RootRef}
    const BASE_NAME: &'static str = "flops_fit_plugin";
    const NAME: &'static str = "flops_fit_plugin";
    const VERSION_STRINGS: VersionStrings = VersionStrings::new("1.0.0");
}

// SAFETY: no other symbol of the library has the name.
#[unsafe(export_name = "flops_fit_plugin_header")]
static HEADER: LibHeader =
    // SAFETY: `root` never returns.
    unsafe { LibHeader::from_constructor::<RootRef>(root, CheckTypeLayout::Yes) };

extern "C" fn root() -> RootModuleResult {
    flops_fit_skewed::never()
}
