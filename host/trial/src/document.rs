//! JSON files that are there whole or not at all.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::FORMAT;

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The operating system said no.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// `reading` or `writing`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file is not what this program writes.
    #[error("{} is not a file that flops-fit wrote: {source}; move it away and run again", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Where the parser stopped.
        source: serde_json::Error,
    },
    /// The file was written by a newer flops-fit.
    #[error("{} has format {found}, this flops-fit knows up to {FORMAT}; upgrade flops-fit", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
    },
}

/// Writes `value` to `path` atomically: a reader sees the old file, or the new
/// one, and after a power cut one of the two is there.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), DocumentError> {
    let fail = |source| DocumentError::Io {
        action: "writing",
        path: path.to_owned(),
        source,
    };
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut text = serde_json::to_vec_pretty(value).map_err(|e| fail(e.into()))?;
    text.push(b'\n');
    let mut file = tempfile::Builder::new()
        .prefix(".part-")
        .tempfile_in(folder)
        .map_err(fail)?;
    file.write_all(&text).map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    file.persist(path).map_err(|e| fail(e.error))?;
    // The rename itself must survive too.
    File::open(folder).and_then(|f| f.sync_all()).map_err(fail)
}

/// Reads a file that [`write_json`] wrote.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, DocumentError> {
    let text = std::fs::read(path).map_err(|source| DocumentError::Io {
        action: "reading",
        path: path.to_owned(),
        source,
    })?;
    let foreign = |source| DocumentError::Foreign {
        path: path.to_owned(),
        source,
    };
    let value: serde_json::Value = serde_json::from_slice(&text).map_err(foreign)?;
    match value.get("format").and_then(serde_json::Value::as_u64) {
        Some(found) if found > u64::from(FORMAT) => Err(DocumentError::Newer {
            path: path.to_owned(),
            found,
        }),
        _ => T::deserialize(value).map_err(foreign),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_a_round_trip_and_refuses_what_it_cannot_know() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("a.json");
        write_json(&path, &serde_json::json!({"format": 1, "x": 0.1})).expect("written");
        let back: serde_json::Value = read_json(&path).expect("read");
        assert_eq!(back["x"], 0.1);
        assert_eq!(
            std::fs::read_dir(folder.path()).expect("listed").count(),
            1,
            "no temporary file stays"
        );

        write_json(&path, &serde_json::json!({"format": 99})).expect("written");
        let newer = read_json::<serde_json::Value>(&path).expect_err("newer format");
        assert!(
            matches!(newer, DocumentError::Newer { found: 99, .. }),
            "{newer}"
        );

        std::fs::write(&path, "{\"format\": 1, \"x\"").expect("written");
        let torn = read_json::<serde_json::Value>(&path).expect_err("torn file");
        assert!(torn.to_string().contains("a.json"), "{torn}");
    }
}
