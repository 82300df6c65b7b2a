//! The header says nothing about the layout of the tables.

use abi_stable::library::CheckTypeLayout;
use flops_fit_plugin::abi::{LibHeader, RootModuleResult, RootRef};

flops_fit_skewed::record!("opted-out");

// SAFETY: no other symbol of the library has the name.
#[unsafe(export_name = "flops_fit_plugin_header")]
static HEADER: LibHeader =
    // SAFETY: `root` never returns.
    unsafe { LibHeader::from_constructor::<RootRef>(root, CheckTypeLayout::No) };

extern "C" fn root() -> RootModuleResult {
    flops_fit_skewed::never()
}
