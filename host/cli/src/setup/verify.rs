//! Whether a folder holds the libtorch that a build can use: the right
//! version, its headers, and whole x86-64 libraries whose own needs are met.
//!
//! Nothing is loaded or run; what is checked is what the dynamic loader would
//! look at first, so that a half-copied or foreign folder is named here and
//! not by a linker error three minutes into a build.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::elf::{self, Defect};
use super::release::{VERSION, Variant};

/// Header whose presence stands for all of them: the one that torch-sys includes.
const HEADER: &str = "include/torch/csrc/api/include/torch/torch.h";

/// Where the loader looks when a library's own search path does not help.
const SYSTEM_FOLDERS: [&str; 6] = [
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
];

/// Libraries that glibc, the compiler's runtime and the GPU driver bring: the
/// last is absent where GPU libraries are only built against.
const GIVEN: [&str; 10] = [
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libm.so.6",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "libutil.so.1",
    "libstdc++.so.6",
    "libgcc_s.so.1",
    "libcuda.so.1",
];

/// What is wrong with a folder that should hold libtorch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// The folder itself is missing.
    NoFolder,
    /// Neither `build-version` nor `version.py` tells a version.
    NoVersion,
    /// It is another release.
    WrongVersion { found: String },
    /// A file is missing; the path is relative to the folder.
    Missing { file: PathBuf },
    /// A file can't be read.
    Unreadable { file: PathBuf, why: String },
    /// A library is no ELF file.
    NotElf { file: PathBuf },
    /// A library is not a shared library for x86-64.
    OtherMachine { file: PathBuf },
    /// A library ends before its headers say it does.
    Truncated {
        file: PathBuf,
        bytes: u64,
        expected: u64,
    },
    /// A library needs another that is nowhere to be found.
    Unmet { file: PathBuf, needs: String },
    /// It has no GPU libraries, which were asked for.
    NoCuda,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFolder => f.write_str("there is no such folder"),
            Self::NoVersion => f.write_str(
                "it is no libtorch folder (neither build-version nor version.py tells a version)",
            ),
            Self::WrongVersion { found } => {
                write!(f, "it holds libtorch {found}, not {VERSION}")
            }
            Self::Missing { file } => write!(f, "it has no {}", file.display()),
            Self::Unreadable { file, why } => {
                write!(f, "its {} can't be read ({why})", file.display())
            }
            Self::NotElf { file } => write!(f, "its {} is no ELF library", file.display()),
            Self::OtherMachine { file } => {
                write!(f, "its {} is no x86-64 shared library", file.display())
            }
            Self::Truncated {
                file,
                bytes,
                expected,
            } => write!(
                f,
                "its {} is cut off ({bytes} bytes of at least {expected})",
                file.display()
            ),
            Self::Unmet { file, needs } => write!(
                f,
                "its {} needs {needs}, which is neither beside it nor among the system's libraries",
                file.display()
            ),
            Self::NoCuda => f.write_str("it has no lib/libtorch_cuda.so, so no GPU support"),
        }
    }
}

/// Checks the libtorch in `home` and says which variant it is. A libtorch with
/// GPU libraries satisfies a wish for the CPU's.
pub(crate) fn check(home: &Path, wanted: Variant) -> Result<Variant, Flaw> {
    if !home.is_dir() {
        return Err(Flaw::NoFolder);
    }
    let found = version(home).ok_or(Flaw::NoVersion)?;
    if found.split('+').next() != Some(VERSION) {
        return Err(Flaw::WrongVersion { found });
    }
    if !home.join(HEADER).is_file() {
        return Err(Flaw::Missing {
            file: HEADER.into(),
        });
    }
    let variant = if home.join("lib/libtorch_cuda.so").exists() {
        Variant::Cuda
    } else {
        Variant::Cpu
    };
    if wanted > variant {
        return Err(Flaw::NoCuda);
    }
    linkable(home, "libtorch.so")?;
    let mut roots = vec!["libtorch_cpu.so", "libc10.so"];
    if variant == Variant::Cuda {
        roots.push("libtorch_cuda.so");
    }
    closure(home, &roots)?;
    Ok(variant)
}

/// The version that the folder states, local part included.
pub(crate) fn version(home: &Path) -> Option<String> {
    if let Ok(text) = fs::read_to_string(home.join("build-version")) {
        return Some(text.trim().to_owned());
    }
    let text = fs::read_to_string(home.join("version.py")).ok()?;
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix("__version__"))?;
    let quoted = value.trim_start_matches([' ', '=']).trim();
    Some(quoted.trim_matches(['\'', '"']).to_owned())
}

/// What `-ltorch` finds: a library, or a linker script that stands for one.
fn linkable(home: &Path, name: &str) -> Result<(), Flaw> {
    let file = Path::new("lib").join(name);
    let path = home.join(&file);
    match fs::read_to_string(&path) {
        Ok(script) if script.contains("INPUT(") => Ok(()),
        _ => inspect(&path, file).map(drop),
    }
}

/// Follows what the libraries need until all of it is found.
fn closure(home: &Path, roots: &[&str]) -> Result<(), Flaw> {
    let mut seen: BTreeSet<String> = roots.iter().map(ToString::to_string).collect();
    let mut queue: Vec<String> = seen.iter().cloned().collect();
    while let Some(name) = queue.pop() {
        let file = Path::new("lib").join(&name);
        let library = inspect(&home.join(&file), file.clone())?;
        for needs in library.needs {
            if GIVEN.contains(&needs.as_str()) || seen.contains(&needs) {
                continue;
            }
            if home.join("lib").join(&needs).exists() {
                seen.insert(needs.clone());
                queue.push(needs);
                continue;
            }
            let elsewhere = library
                .search
                .iter()
                .map(PathBuf::as_path)
                .chain(SYSTEM_FOLDERS.map(Path::new));
            if !elsewhere
                .map(|folder| folder.join(&needs))
                .any(|path| path.exists())
            {
                return Err(Flaw::Unmet { file, needs });
            }
        }
    }
    Ok(())
}

fn inspect(path: &Path, file: PathBuf) -> Result<elf::Library, Flaw> {
    if !path.exists() {
        return Err(Flaw::Missing { file });
    }
    elf::read(path).map_err(|defect| match defect {
        Defect::Unreadable(error) => Flaw::Unreadable {
            file,
            why: error.to_string(),
        },
        Defect::NotElf => Flaw::NotElf { file },
        Defect::OtherMachine => Flaw::OtherMachine { file },
        Defect::Truncated { bytes, expected } => Flaw::Truncated {
            file,
            bytes,
            expected,
        },
    })
}
