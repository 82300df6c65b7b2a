//! `export_plugin!`: the two symbols of a plugin library.

use abi_stable::{
    library::{CheckTypeLayout, LibHeader, RootModuleResult},
    prefix_type::PrefixTypeTrait,
    std_types::RResult,
};

use super::table::{Root, RootRef};

/// Symbol of the `abi_stable` header, which the worker looks up.
pub const HEADER_SYMBOL: &str = "flops_fit_plugin_header";

/// Symbol of the compatibility record; being exported keeps it in the library.
pub const RECORD_SYMBOL: &str = "flops_fit_plugin_record";

/// The library header over a constructor of the root table.
///
/// # Safety
///
/// `constructor` must return what [`root_result`] made.
pub const unsafe fn header(constructor: extern "C" fn() -> RootModuleResult) -> LibHeader {
    // SAFETY: the caller's promise: the erased module is a RootRef.
    unsafe { LibHeader::from_constructor::<RootRef>(constructor, CheckTypeLayout::Yes) }
}

/// The root table, erased for the header.
pub fn root_result(root: Root) -> RootModuleResult {
    let root: RootRef = root.leak_into_prefix();
    // SAFETY: erasing the prefix type is what the header expects; the layout check precedes the cast back.
    RResult::ROk(unsafe { abi_stable::prefix_type::PrefixRefTrait::to_prefix_ref(root).cast() })
}

/// Exports a plugin's models, datasets and losses from its `cdylib`.
///
/// Any of the three lists may be left out; names must be distinct within a list
/// and are what a manifest's `kind` says.
///
/// ```ignore
/// flops_fit_plugin::export_plugin! {
///     models: { "mlp" => Mlp },
///     losses: { "mse" => Mse, "huber" => Huber },
/// }
/// ```
#[macro_export]
macro_rules! export_plugin {
    (
        $(models: { $($model:literal => $Model:ty),* $(,)? } $(,)?)?
        $(datasets: { $($dataset:literal => $Dataset:ty),* $(,)? } $(,)?)?
        $(losses: { $($loss:literal => $Loss:ty),* $(,)? } $(,)?)?
    ) => {
        #[cfg(panic = "abort")]
        ::core::compile_error!(
            "a flops-fit plugin must unwind, so that a panic ends one trial and not the process: \
             remove `panic = \"abort\"` from [profile.release]"
        );

        const _: () = {
            use $crate::abi;

            // SAFETY: the section holds this record alone, and no other symbol of a plugin has
            // the name.
            #[used]
            #[unsafe(link_section = ".flops_fit")]
            #[unsafe(export_name = "flops_fit_plugin_record")]
            static RECORD: $crate::record::RawRecord = $crate::record::RawRecord::new(
                [$crate::TCH_VERSION, $crate::LIBTORCH_VERSION, $crate::RUSTC_VERSION, $crate::PLUGIN_API_VERSION],
                ::core::env!("CARGO_PKG_NAME"),
                ::core::env!("CARGO_PKG_VERSION"),
                ::core::concat!(
                    $($("model ", $model, "\n",)*)?
                    $($("dataset ", $dataset, "\n",)*)?
                    $($("loss ", $loss, "\n",)*)?
                ),
            );

            // SAFETY: `root` returns what `root_result` made; no other symbol has the name.
            #[unsafe(export_name = "flops_fit_plugin_header")]
            static HEADER: abi::LibHeader = unsafe { abi::header(root) };

            extern "C" fn root() -> abi::RootModuleResult {
                abi::root_result(abi::Root { models, datasets, losses })
            }
            extern "C" fn models() -> abi::RVec<abi::NamedModel> {
                [$($(abi::model_export::<$Model>($model)),*)?].into_iter().collect()
            }
            extern "C" fn datasets() -> abi::RVec<abi::NamedDataset> {
                [$($(abi::dataset_export::<$Dataset>($dataset)),*)?].into_iter().collect()
            }
            extern "C" fn losses() -> abi::RVec<abi::NamedLoss> {
                [$($(abi::loss_export::<$Loss>($loss)),*)?].into_iter().collect()
            }
        };
    };
}
