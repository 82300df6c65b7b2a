//! JSON files that are there whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use serde_json::Value;

use crate::{FORMAT, canonical::canonical_hash};

/// The key of a sealed document that holds its checksum.
const CHECKSUM: &str = "checksum";

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The operating system said no.
    #[error("{action} {}: {source}{}", path.display(), advice(action, source))]
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
    /// The file is not as it was written.
    #[error("{} is not as flops-fit wrote it: {why}; move it away and run again", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
        /// What gives it away.
        why: &'static str,
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

impl DocumentError {
    /// Whether the file is there and is none of ours, or no longer: it can be
    /// set aside, and what it stood for made again.
    pub fn is_foreign(&self) -> bool {
        match self {
            Self::Foreign { .. } | Self::Altered { .. } => true,
            Self::Io { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::IsADirectory | io::ErrorKind::FileTooLarge
            ),
            Self::Newer { .. } => false,
        }
    }
}

/// What a person can do about the system's refusal.
fn advice(action: &str, error: &io::Error) -> &'static str {
    if action == "reading" {
        return "";
    }
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; make room and run again: what has completed is kept"
        }
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            "; make the folder writable and run again: what has completed is kept"
        }
        io::ErrorKind::NotFound => {
            "; the folder was moved or removed meanwhile: bring it back and run again"
        }
        _ => "",
    }
}

/// Writes `value` to `path` as [`write_document`] does.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), DocumentError> {
    let text = text(value).map_err(|source| unwritten(path, source))?;
    write_document(path, &text)
}

/// Puts `bytes` at `path` atomically: a reader sees the old file, or the new one, and
/// after a power cut one of the two is there. Who may read it is for the user's umask
/// to say, as with any file. The folder must be there: where it was moved away, no other
/// is begun in its place.
///
/// # Errors
/// [`DocumentError::Io`]; what was there before still is.
pub fn write_document(path: &Path, bytes: &[u8]) -> Result<(), DocumentError> {
    replace(path, bytes).map_err(|source| unwritten(path, source))
}

fn unwritten(path: &Path, source: io::Error) -> DocumentError {
    DocumentError::Io {
        action: "writing",
        path: path.to_owned(),
        source,
    }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    // Errors then don't name a file that nobody has heard of.
    let mut file = tempfile::Builder::new()
        .prefix(PARTIAL)
        .make_in(folder, |path| File::create_new(path))?;
    file.as_file_mut().write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The rename itself must survive too.
    sync_folder(folder)
}

/// Removes what [`write_document`] had not finished in `folder` when its process was killed.
/// Nobody may be writing there.
pub fn remove_partial(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        if entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(PARTIAL.as_bytes())
        {
            // One that stays is in nobody's way.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// How the name of a file that is not whole yet begins.
pub(crate) const PARTIAL: &str = ".part-";

/// The bytes of a document.
pub(crate) fn text<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}

pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all())
}

/// `value` as a JSON object that carries the checksum of all else in it.
///
/// # Errors
/// If it is no object; none of this crate's documents are anything else.
pub(crate) fn seal<T: Serialize>(value: &T) -> io::Result<Value> {
    let mut value = serde_json::to_value(value)?;
    let sum = canonical_hash(&value);
    let object = value
        .as_object_mut()
        .ok_or_else(|| io::Error::other("a document is a JSON object"))?;
    object.insert(CHECKSUM.to_owned(), sum.into());
    Ok(value)
}

/// The bytes of a document that carries its checksum, as `trial.json` and
/// `result.json` do.
pub fn sealed<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    text(&seal(value)?)
}

/// [`write_json`] with a checksum.
pub fn write_sealed<T: Serialize>(path: &Path, value: &T) -> Result<(), DocumentError> {
    let sealed = seal(value).map_err(|source| unwritten(path, source))?;
    write_json(path, &sealed)
}

/// Reads a file that [`write_sealed`] wrote. What a torn write, a bad sector or an
/// editor has changed since does not go unseen.
pub(crate) fn read_sealed<T: DeserializeOwned>(path: &Path) -> Result<T, DocumentError> {
    parse_sealed(path, &read_document(path)?)
}

/// Reads `text`, which is that of a file at `path` that carries its checksum.
pub fn parse_sealed<T: DeserializeOwned>(path: &Path, text: &[u8]) -> Result<T, DocumentError> {
    let mut value: Value = parse_json(path, text)?;
    let altered = |why| DocumentError::Altered {
        path: path.to_owned(),
        why,
    };
    let stored = value
        .as_object_mut()
        .and_then(|object| object.remove(CHECKSUM))
        .ok_or_else(|| altered("it has no checksum"))?;
    if stored.as_str() != Some(&canonical_hash(&value)) {
        return Err(altered("its checksum is another"));
    }
    T::deserialize(value).map_err(|source| DocumentError::Foreign {
        path: path.to_owned(),
        source,
    })
}

/// Largest document, in bytes: that of a plan of many thousand trials.
const LARGEST: u64 = 32 << 20;

/// Reads a file that [`write_json`] wrote.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, DocumentError> {
    parse_json(path, &read_document(path)?)
}

/// Whether `text` is a document with a checksum, right or wrong.
pub fn is_sealed(text: &[u8]) -> bool {
    serde_json::from_slice(text).is_ok_and(|value: Value| value.get(CHECKSUM).is_some())
}

/// The bytes of a document, of 32 MiB at most.
///
/// # Errors
/// [`DocumentError::Io`].
pub fn read_document(path: &Path) -> Result<Vec<u8>, DocumentError> {
    read_bounded(path).map_err(|source| DocumentError::Io {
        action: "reading",
        path: path.to_owned(),
        source,
    })
}

/// The bytes of a file, of 32 MiB at most: of others `FileTooLarge`, so that no file
/// fills the memory.
pub fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    // One byte more than is allowed tells whether there is more.
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LARGEST {
        let why = format!("it has more than {LARGEST} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(text)
}

/// Reads `text`, which is that of a file at `path`.
pub fn parse_json<T: DeserializeOwned>(path: &Path, text: &[u8]) -> Result<T, DocumentError> {
    let foreign = |source| DocumentError::Foreign {
        path: path.to_owned(),
        source,
    };
    let value: serde_json::Value = serde_json::from_slice(text).map_err(foreign)?;
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
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_changed_digit_does_not_go_unseen() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("a.json");
        let value = serde_json::json!({"format": 1, "loss": 1.25, "n": 3.0, "id": "x"});
        write_sealed(&path, &value).expect("written");
        let back: Value = read_sealed(&path).expect("as it was written");
        assert_eq!(back, value);
        let text = std::fs::read_to_string(&path).expect("read");
        let check = |text: String, words: &str| {
            std::fs::write(&path, text).expect("written");
            let error = read_sealed::<Value>(&path).expect_err("refused");
            assert!(error.is_foreign());
            assert!(error.to_string().contains(words), "{error}");
        };
        check(text.replace("1.25", "1.26"), "its checksum is another");
        check(text.replace("checksum", "chequesum"), "it has no checksum");
        check(text[..text.len() / 2].to_owned(), "is not a file that");
        check("[]".to_owned(), "it has no checksum");
    }

    #[test]
    fn what_can_t_be_written_is_said_with_its_own_name_and_what_to_do() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("gone/table.md");
        let error = write_document(&path, b"text").expect_err("there is no folder");
        let expected = format!(
            "writing {}: No such file or directory (os error 2); the folder was moved or removed meanwhile: bring it back and run again",
            path.display()
        );
        assert_eq!(error.to_string(), expected);
        assert!(!folder.path().join("gone").exists(), "none is begun");
    }

    #[test]
    fn a_document_without_an_end_is_not_read_to_it() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("a.json");
        let file = File::create(&path).expect("created");
        file.set_len(LARGEST + 1).expect("a sparse file");
        let error = read_json::<Value>(&path).expect_err("too large");
        assert!(error.is_foreign(), "{error}");
        assert!(
            error.to_string().contains("more than 33554432 bytes"),
            "{error}"
        );
    }

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
        let mode = |path| {
            fs::metadata(path)
                .expect("it is there")
                .permissions()
                .mode()
        };
        let plain = folder.path().join("plain");
        fs::write(&plain, "").expect("written");
        assert_eq!(mode(&path), mode(&plain), "as private as any other file");

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
