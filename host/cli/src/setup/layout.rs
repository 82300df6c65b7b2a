//! Lays out a libtorch folder, as torch-sys wants it, from the files of a
//! torch Python package: headers in `include/`, all libraries side by side in
//! `lib/`, and the version beside them.
//!
//! Where the files come from is a [`Source`]: unpacked wheels are written out,
//! an installed package is linked to.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::elf;
use super::error::Error;
use super::release::{VERSION, Variant};

/// `libtorch.so` of the CPU variant. The released one needs the GPU libraries;
/// this linker script stands in for it wherever `-ltorch` is asked for.
const LINKER_SCRIPT: &str = "INPUT(libtorch_cpu.so)\n";

/// Parts of the Python binding: they need symbols that only a Python has.
const OF_PYTHON: [&str; 3] = ["libtorch_python.so", "libshm.so", "libtorch_global_deps.so"];

/// Where the files of a torch package are.
pub(super) trait Source {
    /// File names of all its shared libraries, those of other packages that
    /// torch depends on included.
    fn libraries(&self) -> BTreeSet<String>;

    /// Puts the library with this file name at `to`. `false` if there is none.
    fn place_library(&mut self, name: &str, to: &Path) -> Result<bool, Error>;

    /// Puts the header folder at `to`. `false` if there is none.
    fn place_headers(&mut self, to: &Path) -> Result<bool, Error>;

    /// Puts `version.py` at `to`. `false` if there is none.
    fn place_version(&mut self, to: &Path) -> Result<bool, Error>;

    /// The folder to name when something is missing.
    fn folder(&self) -> &Path;
}

/// Fills the empty folder `home` from `source`.
pub(super) fn build(source: &mut dyn Source, variant: Variant, home: &Path) -> Result<(), Error> {
    let lib = home.join("lib");
    fs::create_dir_all(&lib).map_err(Error::io("create", &lib))?;
    match variant {
        Variant::Cpu => {
            place_with_needs(source, "libtorch_cpu.so", &lib)?;
            write(&lib.join("libtorch.so"), LINKER_SCRIPT)?;
        }
        Variant::Cuda => {
            for name in source.libraries() {
                if !OF_PYTHON.contains(&name.as_str()) {
                    source.place_library(&name, &lib.join(&name))?;
                }
            }
        }
    }
    require(
        source.place_headers(&home.join("include"))?,
        source,
        "torch/include",
    )?;
    require(
        source.place_version(&home.join("version.py"))?,
        source,
        "torch/version.py",
    )?;
    write(&home.join("build-version"), VERSION)
}

/// Places a library and, as far as `source` has them, those that it needs:
/// which these are differs between releases made for CPU and GPU.
fn place_with_needs(source: &mut dyn Source, root: &str, lib: &Path) -> Result<(), Error> {
    require(source.place_library(root, &lib.join(root))?, source, root)?;
    let mut queue = vec![root.to_owned()];
    while let Some(name) = queue.pop() {
        // A defect here is reported with its reason when the folder is verified.
        let needs =
            elf::read(&lib.join(&name)).map_or_else(|_| Vec::new(), |library| library.needs);
        for needed in needs {
            let to = lib.join(&needed);
            if !to.exists() && source.place_library(&needed, &to)? {
                queue.push(needed);
            }
        }
    }
    Ok(())
}

fn require(found: bool, source: &dyn Source, missing: &str) -> Result<(), Error> {
    if found {
        Ok(())
    } else {
        Err(Error::Incomplete {
            source_folder: source.folder().to_owned(),
            missing: missing.to_owned(),
        })
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(Error::io("write", path))
}
