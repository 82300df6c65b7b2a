//! Files of the report that are there whole or not at all.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

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
        .and_then(|()| {
            let mut file = tempfile::Builder::new()
                .prefix(".part-")
                // Reports are for reading by others, unlike most temporary files.
                .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
                .tempfile_in(folder)?;
            file.write_all(bytes)?;
            file.persist(path).map_err(|error| error.error)?;
            Ok(())
        })
        .map_err(|source| WriteError {
            path: path.to_owned(),
            source,
        })
}
