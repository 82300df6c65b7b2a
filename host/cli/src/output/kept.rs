//! Files that later commands go by, such as `tuning.json`.

use std::{io, path::Path};

use flops_fit_trial::{DocumentError, read_json};
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
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// If the system refuses, or a newer flops-fit has written it.
    pub(crate) fn read(path: &Path) -> Result<Self, DocumentError> {
        match read_json(path) {
            Ok(whole) => Ok(Self::Whole(whole)),
            Err(DocumentError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(Self::Absent)
            }
            Err(error) if error.is_foreign() => Ok(Self::Foreign(error.to_string())),
            Err(error) => Err(error),
        }
    }
}
