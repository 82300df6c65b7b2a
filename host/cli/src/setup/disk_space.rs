//! Free space on the disk that a folder is, or will be, on.

use std::path::Path;

use super::error::Error;

/// Bytes that an ordinary user may still write where `folder` is; it need not
/// exist yet.
pub(crate) fn free(folder: &Path) -> std::io::Result<u64> {
    let existing = folder
        .ancestors()
        .find(|folder| folder.exists())
        .unwrap_or(Path::new("/"));
    let stats = rustix::fs::statvfs(existing)?;
    Ok(stats.f_bavail.saturating_mul(stats.f_frsize))
}

/// Refuses to start what could only end with a full disk.
pub(super) fn require(folder: &Path, needed: u64) -> Result<(), Error> {
    let free = free(folder).map_err(Error::io("measure the disk of", folder))?;
    if free < needed {
        return Err(Error::DiskFull {
            folder: folder.to_owned(),
            free,
            needed,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_to_come_is_measured_by_the_one_it_will_be_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let absent = folder.path().join("a/b/c");
        assert!(free(&absent).expect("a figure") > 0);
        let error = require(&absent, u64::MAX).expect_err("no disk is that large");
        assert!(
            matches!(
                error,
                Error::DiskFull {
                    needed: u64::MAX,
                    ..
                }
            ),
            "{error}"
        );
    }
}
