//! Why a file, or the place to keep one, can't be used.

use std::io;
use std::path::PathBuf;

/// What goes wrong with files before anybody looks at what is in them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// A file can't be opened or read.
    #[error("{} can't be read; correct its path or its permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file was written to while it was being read.
    #[error("{} changed while it was being read; run again when it is complete", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// There is no place for the cache.
    #[error(
        "no cache folder: neither FLOPS_FIT_CACHE, XDG_CACHE_HOME nor HOME is set; set `cache_dir`, \
         or FLOPS_FIT_CACHE, to a folder with room for the data"
    )]
    NoCacheFolder,
    /// The cache can't be written or read.
    #[error(
        "cache file {} can't be used; free space there, or set `cache_dir` to another folder",
        path.display()
    )]
    Cache {
        /// The file in the cache.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl FileError {
    /// The key of `[dataset.config]` to change, if it is one for all datasets.
    pub fn key(&self) -> Option<&'static str> {
        match self {
            Self::NoCacheFolder | Self::Cache { .. } => Some("cache_dir"),
            Self::Unreadable { .. } | Self::Changed { .. } => None,
        }
    }
}
