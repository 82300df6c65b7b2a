//! Where a benchmark keeps what it makes.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::error::Error;
use crate::workspace::Workspace;

/// A folder of that name that holds nothing.
pub(super) fn empty(workspace: &Workspace, name: &str) -> Result<PathBuf, Error> {
    let folder = workspace.target().join("bench").join(name);
    match fs::remove_dir_all(&folder) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(Error::Io {
                action: "remove",
                path: folder,
                source,
            });
        }
        _ => {}
    }
    fs::create_dir_all(&folder).map_err(|source| Error::Io {
        action: "make",
        path: folder.clone(),
        source,
    })?;
    Ok(folder)
}
