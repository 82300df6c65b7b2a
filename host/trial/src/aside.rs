//! Files that are in the way and not ours to delete.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use crate::DocumentError;

/// A file that was moved out of the way, with the reason in a file beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where it is now.
    pub now: PathBuf,
    /// Why.
    pub reason: String,
}

impl fmt::Display for SetAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "set aside as {}: {}", self.now.display(), self.reason)
    }
}

/// Renames `path` to the first free `<name>.aside-<number>` beside it, and writes
/// `reason` to `<name>.aside-<number>.reason`.
///
/// # Errors
/// If it can't be renamed.
pub fn set_aside(path: &Path, reason: &str) -> Result<SetAside, DocumentError> {
    let with = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let now = (1..u64::MAX)
        .map(|number| with(&format!(".aside-{number}")))
        .find(|aside| !aside.exists())
        .expect("some number is free");
    fs::rename(path, &now).map_err(|source| DocumentError::Io {
        action: "moving",
        path: path.to_owned(),
        source,
    })?;
    let mut note = now.as_os_str().to_owned();
    note.push(".reason");
    // The reason is said on standard error too: a full disk may swallow this one.
    let _ = fs::write(PathBuf::from(note), format!("{reason}\n"));
    Ok(SetAside {
        now,
        reason: reason.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_set_aside_is_written_over() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("result.json");
        for (text, number) in [("one", 1), ("two", 2)] {
            fs::write(&path, text).expect("written");
            let aside = set_aside(&path, "it is torn").expect("moved");
            assert_eq!(
                aside.now,
                folder.path().join(format!("result.json.aside-{number}"))
            );
            assert_eq!(fs::read_to_string(&aside.now).expect("read"), text);
            let note = folder
                .path()
                .join(format!("result.json.aside-{number}.reason"));
            assert_eq!(fs::read_to_string(note).expect("read"), "it is torn\n");
            assert!(!path.exists());
        }
    }
}
