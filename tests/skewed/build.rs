//! The layout check tells types apart by the package they are from as well: a
//! table of another layout is one of the same package at another time.

fn main() {
    println!("cargo:rustc-env=CARGO_PKG_NAME=flops-fit-plugin");
    println!("cargo:rerun-if-changed=build.rs");
}
