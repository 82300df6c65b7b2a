//! Where a trial's files are.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use rustix::fs::{FallocateFlags, fallocate};

use crate::{
    CheckpointDir, DocumentError, TrialId, TrialResult, TrialSpec,
    document::{PARTIAL, is_sealed, read_document, read_sealed, sealed, sync_folder, write_sealed},
};

/// Exit status of a worker that can't read or write its files (`EX_IOERR` of
/// `<sysexits.h>`), so that no plugin is blamed for it.
pub const CANNOT_WRITE: u8 = 74;

/// Room that is kept for a result: several times the largest.
const RESERVE: u64 = 64 << 10;

/// `trials/<id>/`, or `trunks/<id>/`.
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

    /// The directory of trunk `id` under an output folder.
    pub fn of_trunk(output: &Path, id: &TrialId) -> Self {
        Self(output.join("trunks").join(id.as_str()))
    }

    /// The directory of trunk `id` of the same sweep.
    #[must_use]
    pub fn trunk(&self, id: &TrialId) -> Self {
        Self::of_trunk(&self.0.join("../.."), id)
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

    /// `checkpoint/`.
    pub fn checkpoints(&self) -> CheckpointDir {
        CheckpointDir::latest_two(self.0.join("checkpoint"))
    }

    /// `branches/` of a trunk: where it was when branches left it.
    pub fn branches(&self) -> CheckpointDir {
        CheckpointDir::every(self.0.join("branches"))
    }

    /// Steps that a trunk is to be trained for, for branches to leave after the steps
    /// `wanted`: from the last place before the first missing one where branches leave.
    pub fn steps_to_grow(&self, wanted: &[u64]) -> u64 {
        let there = self.branches().steps();
        let missing = || wanted.iter().filter(|step| !there.contains(step));
        let (Some(first), Some(last)) = (missing().min(), missing().max()) else {
            return 0;
        };
        let from = there.iter().filter(|step| *step < first).max();
        last - from.copied().unwrap_or_default()
    }

    /// Reads the specification.
    pub fn spec(&self) -> Result<TrialSpec, DocumentError> {
        read_sealed(&self.spec_path())
    }

    /// Writes the specification; creates the directory, but not what it is to be
    /// in: an output folder that has vanished does not come back by itself.
    pub fn write_spec(&self, spec: &TrialSpec) -> Result<(), DocumentError> {
        self.create().map_err(|source| DocumentError::Io {
            action: "making",
            path: self.0.clone(),
            source,
        })?;
        write_sealed(&self.spec_path(), spec)
    }

    /// Makes the directory so that it is there after a power cut as well.
    fn create(&self) -> io::Result<()> {
        if self.0.is_dir() {
            return Ok(());
        }
        fs::create_dir(&self.0)?;
        self.0.parent().map_or(Ok(()), sync_folder)
    }

    /// The result, or `None` if the trial has not ended.
    pub fn result(&self) -> Result<Option<TrialResult>, DocumentError> {
        match read_sealed(&self.result_path()) {
            Ok(result) => Ok(Some(result)),
            Err(DocumentError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The result that a program of the user's has left and that carries no checksum
    /// yet; `None` if there is none, or it has one.
    pub fn unsealed_result(&self) -> Result<Option<Vec<u8>>, DocumentError> {
        match read_document(&self.result_path()) {
            Ok(text) => Ok((!is_sealed(&text)).then_some(text)),
            Err(DocumentError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the result: the last thing that happens to a trial.
    pub fn write_result(&self, result: &TrialResult) -> Result<(), DocumentError> {
        write_sealed(&self.result_path(), result)
    }

    /// Takes the room that the result will need, before anything is spent on it:
    /// a trial of days must not be lost to a disk that fills up meanwhile.
    pub fn reserve_result(&self) -> Result<ReservedResult, DocumentError> {
        let path = self.0.join(format!("{PARTIAL}result"));
        reserve(&path)
            .map(|file| ReservedResult {
                file,
                part: path.clone(),
                path: self.result_path(),
            })
            .map_err(|source| DocumentError::Io {
                action: "reserving",
                path,
                source,
            })
    }

    /// Removes what an earlier attempt at the trial has left behind, its result
    /// included. Checkpoints stay, and the progress that led to them.
    pub fn clear(&self) -> Result<(), DocumentError> {
        let remove = |path: PathBuf| match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(DocumentError::Io {
                action: "removing",
                path,
                source,
            }),
            _ => Ok(()),
        };
        remove(self.result_path())?;
        if self.checkpoints().is_empty() {
            remove(self.progress_path())?;
        }
        let Ok(all) = fs::read_dir(&self.0) else {
            return Ok(());
        };
        all.filter_map(Result::ok)
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(PARTIAL))
            .try_for_each(|entry| remove(entry.path()))
    }
}

/// A file with room for a result, which appears under its name once it is whole.
#[derive(Debug)]
pub struct ReservedResult {
    file: File,
    part: PathBuf,
    path: PathBuf,
}

impl ReservedResult {
    /// Writes the result.
    pub fn write(mut self, result: &TrialResult) -> Result<(), DocumentError> {
        self.fill(result).map_err(|source| DocumentError::Io {
            action: "writing",
            path: self.path.clone(),
            source,
        })
    }

    fn fill(&mut self, result: &TrialResult) -> io::Result<()> {
        let text = sealed(result)?;
        self.file.write_all(&text)?;
        self.file.set_len(text.len() as u64)?;
        self.file.sync_all()?;
        fs::rename(&self.part, &self.path)?;
        self.path.parent().map_or(Ok(()), sync_folder)
    }
}

fn reserve(path: &Path) -> io::Result<File> {
    let mut file = File::create(path)?;
    match fallocate(&file, FallocateFlags::empty(), 0, RESERVE) {
        Ok(()) => {}
        // A file system that can't promise room takes what is written at least.
        Err(rustix::io::Errno::OPNOTSUPP) => {
            file.write_all(&vec![b' '; RESERVE as usize])?;
            io::Seek::rewind(&mut file)?;
        }
        Err(error) => return Err(error.into()),
    }
    file.sync_all()?;
    Ok(file)
}
