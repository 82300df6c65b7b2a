//! Files that later commands go by, such as `tuning.json`.

use std::{io, path::Path};

use flops_fit_trial::{DocumentError, is_sealed, parse_json, parse_sealed, read_document};
use serde::de::DeserializeOwned;

/// What is found in the place of such a file.
#[derive(Debug, Clone)]
pub(crate) enum Kept<T> {
    /// Nothing.
    Absent,
    /// The file, whole.
    Whole(T),
    /// Something that flops-fit has not written, or not so, and why that is known. It is
    /// to be set aside before the file is written.
    Foreign(String),
}

impl<T: DeserializeOwned> Kept<T> {
    /// Reads the file at `path`, by its checksum where it has one: earlier builds wrote
    /// none.
    ///
    /// # Errors
    /// If the system refuses, or a newer flops-fit has written it.
    pub(crate) fn read(path: &Path) -> Result<Self, DocumentError> {
        let parsed = read_document(path).and_then(|text| {
            if is_sealed(&text) {
                parse_sealed(path, &text)
            } else {
                parse_json(path, &text)
            }
        });
        match parsed {
            Ok(whole) => Ok(Self::Whole(whole)),
            Err(DocumentError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(Self::Absent)
            }
            Err(error) if error.is_foreign() => Ok(Self::Foreign(error.to_string())),
            Err(error) => Err(error),
        }
    }
}
