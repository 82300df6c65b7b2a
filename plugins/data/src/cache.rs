//! The folder where work that is worth keeping is kept: token files, digests of
//! large files, downloads. Many workers share it at once, so each file in it is
//! made by one process under a lock and appears whole, by a rename.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::{env, ffi};

use crate::FileError;

/// A cache folder. It need not exist yet.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// A cache in this folder.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder that the configuration names, else `FLOPS_FIT_CACHE`, else
    /// `flops-fit` in `XDG_CACHE_HOME`, else `.cache/flops-fit` in `HOME`.
    pub fn locate(configured: Option<&Path>) -> Result<Self, FileError> {
        Self::locate_in(configured, |name| env::var_os(name))
    }

    fn locate_in(
        configured: Option<&Path>,
        variable: impl Fn(&str) -> Option<ffi::OsString>,
    ) -> Result<Self, FileError> {
        let folder = |name| {
            variable(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        configured
            .map(Path::to_path_buf)
            .or_else(|| folder("FLOPS_FIT_CACHE"))
            .or_else(|| folder("XDG_CACHE_HOME").map(|cache| cache.join("flops-fit")))
            .or_else(|| folder("HOME").map(|home| home.join(".cache/flops-fit")))
            .map(Self::at)
            .ok_or(FileError::NoCacheFolder)
    }

    /// A path in the cache, its folder made.
    pub fn path(&self, folder: &str, file: &str) -> Result<PathBuf, FileError> {
        let folder = self.root.join(folder);
        fs::create_dir_all(&folder).map_err(|source| FileError::Cache {
            path: folder.clone(),
            source,
        })?;
        Ok(folder.join(file))
    }
}

/// The right to make a file, held by one process at a time and let go when this
/// is dropped or its process ends, however it ends.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "closing the file unlocks it")] File);

impl Lock {
    /// Waits until no other process is making `path`.
    pub fn of(path: &Path) -> io::Result<Self> {
        let file = File::create(beside(path, "lock"))?;
        file.lock()?;
        Ok(Self(file))
    }
}

/// `path` with a suffix added to its whole name.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes a finished file durable and moves it to its name.
pub fn publish(file: &File, from: &Path, to: &Path) -> io::Result<()> {
    file.sync_all()?;
    fs::rename(from, to)?;
    match to.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Writes a small file whole. Processes that write it at once don't mix: each
/// has a temporary file of its own and the last rename stays.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let partial = beside(path, &std::process::id().to_string());
    let mut file = File::create(&partial)?;
    file.write_all(bytes)?;
    publish(&file, &partial, path)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn configuration_goes_before_environment() {
        let check = |configured: Option<&str>, set: &[(&str, &str)], expected: &str| {
            let variable = |name: &str| {
                set.iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| (*value).into())
            };
            let cache = Cache::locate_in(configured.map(Path::new), variable).unwrap();
            assert_eq!(cache.root, Path::new(expected));
        };
        let all = [
            ("FLOPS_FIT_CACHE", "/flops"),
            ("XDG_CACHE_HOME", "/xdg"),
            ("HOME", "/home/ada"),
        ];
        check(Some("/configured"), &all, "/configured");
        check(None, &all, "/flops");
        check(None, &all[1..], "/xdg/flops-fit");
        check(None, &all[2..], "/home/ada/.cache/flops-fit");
        check(
            None,
            &[("FLOPS_FIT_CACHE", ""), ("HOME", "/h")],
            "/h/.cache/flops-fit",
        );
        let nowhere = Cache::locate_in(None, |_| None);
        assert!(matches!(nowhere, Err(FileError::NoCacheFolder)));
    }
}
