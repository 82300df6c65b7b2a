//! Files of the report that are there whole or not at all.

use std::io;
use std::path::{Path, PathBuf};

use flops_fit_trial::replace as put;

/// Why a file of the report could not be written.
#[derive(Debug, thiserror::Error)]
#[error("writing {}: {source}", path.display())]
pub struct WriteError {
    /// The file or folder.
    pub path: PathBuf,
    /// The system's reason.
    pub source: io::Error,
}

/// Puts `bytes` at `path`: a reader sees the old file or the new one. Folders on
/// the way are made.
///
/// # Errors
/// When the operating system refuses.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .and_then(|()| put(path, bytes))
        .map_err(|source| WriteError {
            path: path.to_owned(),
            source,
        })
}
