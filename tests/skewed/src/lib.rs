//! Libraries as another version of flops-fit-plugin might have made them: sound
//! records, and tables that are laid out otherwise. Each is an example of this
//! package, since a package has one library only.

/// The compatibility record of an example that exports the loss `skewed`.
#[macro_export]
macro_rules! record {
    ($name:literal) => {
        // SAFETY: the section holds this record alone, and no other symbol has the name.
        #[used]
        #[unsafe(link_section = ".flops_fit")]
        #[unsafe(export_name = "flops_fit_plugin_record")]
        static RECORD: flops_fit_plugin::record::RawRecord =
            flops_fit_plugin::record::RawRecord::new(
                [
                    flops_fit_plugin::TCH_VERSION,
                    flops_fit_plugin::LIBTORCH_VERSION,
                    flops_fit_plugin::RUSTC_VERSION,
                    flops_fit_plugin::PLUGIN_API_VERSION,
                ],
                $name,
                "1.0.0",
                "loss skewed\n",
            );
    };
}

/// A root table must not be asked of a library that was refused.
#[must_use]
pub fn never() -> flops_fit_plugin::abi::RootModuleResult {
    // A panic would be turned into an exit by abi_stable.
    std::process::abort()
}
