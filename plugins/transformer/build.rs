//! Lets this package's own tests find libtorch. The plugins would not need it: the
//! worker has libtorch loaded before them.

fn main() {
    let lib = std::env::var("DEP_FLOPS_FIT_PLUGIN_LIBTORCH_LIB")
        .expect("flops-fit-plugin tells where libtorch is");
    println!("cargo:rustc-link-arg=-Wl,-rpath={lib}");
    println!("cargo:rerun-if-changed=build.rs");
}
