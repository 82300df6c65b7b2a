//! Where a trial's files are.

use std::path::{Path, PathBuf};

use crate::{DocumentError, TrialId, TrialResult, TrialSpec, read_json, write_json};

/// `trials/<id>/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialDir(PathBuf);

impl TrialDir {
    /// The directory at `path` itself.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory of trial `id` under an output folder.
    pub fn under(output: &Path, id: &TrialId) -> Self {
        Self(output.join("trials").join(id.as_str()))
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// `trial.json`.
    pub fn spec_path(&self) -> PathBuf {
        self.0.join("trial.json")
    }

    /// `progress.jsonl`.
    pub fn progress_path(&self) -> PathBuf {
        self.0.join("progress.jsonl")
    }

    /// `result.json`.
    pub fn result_path(&self) -> PathBuf {
        self.0.join("result.json")
    }

    /// `worker.log`.
    pub fn log_path(&self) -> PathBuf {
        self.0.join("worker.log")
    }

    /// Reads the specification.
    pub fn spec(&self) -> Result<TrialSpec, DocumentError> {
        read_json(&self.spec_path())
    }

    /// Creates the directory and writes the specification.
    pub fn write_spec(&self, spec: &TrialSpec) -> Result<(), DocumentError> {
        std::fs::create_dir_all(&self.0).map_err(|source| DocumentError::Io {
            action: "writing",
            path: self.0.clone(),
            source,
        })?;
        write_json(&self.spec_path(), spec)
    }

    /// The result, or `None` if the trial has not ended.
    pub fn result(&self) -> Result<Option<TrialResult>, DocumentError> {
        match read_json(&self.result_path()) {
            Ok(result) => Ok(Some(result)),
            Err(DocumentError::Io { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the result: the last thing that happens to a trial.
    pub fn write_result(&self, result: &TrialResult) -> Result<(), DocumentError> {
        write_json(&self.result_path(), result)
    }
}
