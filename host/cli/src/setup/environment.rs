//! What set-up and doctor look at outside their own arguments, taken once, so
//! that tests can hand over another machine than the one they run on.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::error::Error;

/// A snapshot of the process's surroundings.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Operating system, as `std::env::consts::OS` names it.
    pub(crate) os: String,
    /// Processor, as `std::env::consts::ARCH` names it.
    pub(crate) arch: String,
    /// `LIBTORCH`, absolute.
    pub(crate) libtorch: Option<PathBuf>,
    /// flops-fit's own cache folder; it need not exist.
    pub(crate) cache: PathBuf,
    /// Root of the active Python virtual environment.
    pub(crate) virtual_env: Option<PathBuf>,
    /// Folders that programs are searched in.
    pub(crate) path: Vec<PathBuf>,
    /// `CXX`, the C++ compiler that the user asks for.
    pub(crate) cxx: Option<OsString>,
    /// Current folder.
    pub(crate) folder: PathBuf,
}

impl Environment {
    /// Reads the process's environment variables and current folder.
    ///
    /// The cache is `FLOPS_FIT_CACHE`, else `flops-fit` in `XDG_CACHE_HOME`,
    /// else `.cache/flops-fit` in `HOME`. An empty variable counts as unset.
    pub fn of_process() -> Result<Self, Error> {
        let folder = env::current_dir().map_err(|source| Error::Io {
            action: "find the current folder",
            path: PathBuf::from("."),
            source,
        })?;
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        let cache = set("FLOPS_FIT_CACHE")
            .map(PathBuf::from)
            .or_else(|| set("XDG_CACHE_HOME").map(|root| Path::new(&root).join("flops-fit")))
            .or_else(|| set("HOME").map(|home| Path::new(&home).join(".cache/flops-fit")))
            .ok_or(Error::NoCacheFolder)?;
        Ok(Self {
            os: env::consts::OS.to_owned(),
            arch: env::consts::ARCH.to_owned(),
            libtorch: set("LIBTORCH").map(|path| folder.join(path)),
            cache: folder.join(cache),
            virtual_env: set("VIRTUAL_ENV").map(PathBuf::from),
            path: set("PATH")
                .map(|paths| env::split_paths(&paths).collect())
                .unwrap_or_default(),
            cxx: set("CXX"),
            folder,
        })
    }

    /// The executable file that `program` names: looked up in `PATH`, or taken
    /// as a path if it has a slash.
    pub(crate) fn find(&self, program: impl AsRef<OsStr>) -> Option<PathBuf> {
        let program = Path::new(program.as_ref());
        if program.components().count() > 1 {
            let path = self.folder.join(program);
            return is_executable(&path).then_some(path);
        }
        self.path
            .iter()
            .map(|folder| folder.join(program))
            .find(|path| is_executable(path))
    }

    /// The Pythons to ask, best first, each once.
    pub(crate) fn pythons(&self) -> Vec<PathBuf> {
        let active = self
            .virtual_env
            .as_ref()
            .map(|root| root.join("bin/python"))
            .filter(|path| is_executable(path));
        let mut found: Vec<PathBuf> = Vec::new();
        for python in active.into_iter().chain(
            ["python3", "python"]
                .iter()
                .filter_map(|name| self.find(name)),
        ) {
            if !found.contains(&python) {
                found.push(python);
            }
        }
        found
    }
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
