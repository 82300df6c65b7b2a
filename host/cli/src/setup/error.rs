//! Why a set-up stopped. Every message says what was found and what to do.

use std::io;
use std::path::PathBuf;

use super::release::VERSION;
use super::verify::Flaw;

/// Why libtorch could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(
        "libtorch is set up on Linux x86-64 only, and this machine is {os} {arch}: \
         train on a Linux x86-64 machine; analysing finished runs works here all the same"
    )]
    Platform { os: String, arch: String },

    #[error(
        "no C++ compiler found (tried {}): install one, for example `apt install g++`, \
         or name it in CXX",
        tried.join(", ")
    )]
    NoCompiler { tried: Vec<String> },

    #[error(
        "found the C++ compiler {} but no `c++`, which cargo builds look for: \
         run `export CXX={}` and try again", found.display(), found.display()
    )]
    CompilerNotDefault { found: PathBuf },

    #[error(
        "the C++ compiler {} can't compile a C++17 program ({detail}): install its standard \
         library, for example `apt install g++`, or name another compiler in CXX",
        compiler.display()
    )]
    CompilerUnusable { compiler: PathBuf, detail: String },

    #[error(
        "no cache folder: neither FLOPS_FIT_CACHE, XDG_CACHE_HOME nor HOME is set; \
         set FLOPS_FIT_CACHE to a folder with some gigabytes free"
    )]
    NoCacheFolder,

    #[error(
        "LIBTORCH names {}, but {flaw}: point LIBTORCH at a libtorch {VERSION}, \
         or unset it to have one set up", path.display()
    )]
    LibtorchVariable { path: PathBuf, flaw: Flaw },

    #[error(
        "no Python found (tried python3 and python on PATH): install Python 3 with pip, for \
         example `apt install python3-pip`, or point LIBTORCH at an unpacked libtorch {VERSION}"
    )]
    NoPython,

    #[error(
        "found {}, but it has no pip: install it, for example `apt install python3-pip` or \
         `{} -m ensurepip`, or point LIBTORCH at an unpacked libtorch {VERSION}",
        python.display(), python.display()
    )]
    NoPip { python: PathBuf },

    #[error(
        "pip could not reach its package index ({detail}): connect to the network or point \
         pip at a mirror, then run set-up again; or point LIBTORCH at an unpacked libtorch {VERSION}"
    )]
    Offline { detail: String },

    #[error(
        "pip's package index does not offer what libtorch {VERSION} is made from ({detail}): \
         use an index that has it, or point LIBTORCH at an unpacked libtorch {VERSION}"
    )]
    NotOffered { detail: String },

    #[error(
        "`{} -m pip download` failed ({status}): {detail}; once that is mended, run set-up again",
        python.display()
    )]
    Pip {
        python: PathBuf,
        status: std::process::ExitStatus,
        detail: String,
    },

    #[error("the wheel {} can't be read ({source}): run set-up again", path.display())]
    Wheel {
        path: PathBuf,
        source: zip::result::ZipError,
    },

    #[error(
        "the torch in {} has no {missing}, so no libtorch can be laid out from it",
        source_folder.display()
    )]
    Incomplete {
        source_folder: PathBuf,
        missing: String,
    },

    #[error("the libtorch just laid out in {} is unusable: {flaw}; run set-up again", path.display())]
    Unusable { path: PathBuf, flaw: Flaw },

    #[error(
        "{} has {:.1} GB free and the set-up needs {:.1} GB: free some, or set FLOPS_FIT_CACHE \
         to a folder on a larger disk",
        folder.display(), *free as f64 / 1e9, *needed as f64 / 1e9
    )]
    DiskFull {
        folder: PathBuf,
        free: u64,
        needed: u64,
    },

    #[error(
        "{} is a file or folder of its own, not a link: move it away, or choose another \
         folder with --link", path.display()
    )]
    LinkTaken { path: PathBuf },

    #[error("could not {action} {}: {source}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

impl Error {
    /// Closure for `map_err` around an operation on `path`.
    pub(super) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
