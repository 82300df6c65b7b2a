//! Lets this crate's own tests find libtorch. The library itself would not need
//! it: the worker has libtorch in memory before it opens a plugin.

fn main() {
    if let Ok(lib) = std::env::var("DEP_FLOPS_FIT_PLUGIN_LIBTORCH_LIB") {
        println!("cargo:rustc-link-arg=-Wl,-rpath={lib}");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
