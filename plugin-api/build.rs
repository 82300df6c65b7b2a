//! Finds out which libtorch and compiler this build uses: both travel in every
//! plugin's compatibility record.

use std::{env, fs, path::Path, process::Command};

fn main() {
    let lib = env::var("DEP_TCH_LIBTORCH_LIB").expect("torch-sys tells where libtorch is");
    // For dependants: DEP_FLOPS_FIT_PLUGIN_LIBTORCH_LIB. And for our own tests.
    println!("cargo:libtorch_lib={lib}");
    println!("cargo:rustc-link-arg=-Wl,-rpath={lib}");
    println!(
        "cargo:rustc-env=FLOPS_FIT_LIBTORCH={}",
        libtorch_version(Path::new(&lib))
    );

    let rustc = env::var("RUSTC").expect("cargo sets RUSTC");
    let version = Command::new(rustc)
        .arg("--version")
        .output()
        .map(|out| out.stdout)
        .unwrap_or_default();
    println!(
        "cargo:rustc-env=FLOPS_FIT_RUSTC={}",
        String::from_utf8_lossy(&version).trim()
    );
    println!("cargo:rerun-if-changed=build.rs");
}

/// The release alone: `2.13.0+cu130` and `2.13.0+cpu` share one C++ ABI.
fn libtorch_version(lib: &Path) -> String {
    let folder = lib.parent().expect("the lib folder has a parent");
    for name in ["build-version", "version.py"] {
        let file = folder.join(name);
        println!("cargo:rerun-if-changed={}", file.display());
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        let quoted = text
            .lines()
            .find_map(|line| line.strip_prefix("__version__ = "));
        let version = quoted.unwrap_or(&text).trim().trim_matches(['\'', '"']);
        return version.split('+').next().unwrap_or(version).to_owned();
    }
    panic!(
        "{} has neither build-version nor version.py, so the version of libtorch is unknown; \
         run `flops-fit setup` to get a complete one",
        folder.display()
    );
}
