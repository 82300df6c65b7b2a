//! A folder of checkpoints.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{Arrangement, Build, Checkpoint, Refusal, refusal};
use crate::{
    Content, DocumentError, SetAside, TrialId,
    aside::set_aside,
    document::{PARTIAL, read_sealed, sync_folder, write_sealed},
};

/// Checkpoints of a trial that are kept: should the latest be torn, the other serves.
const KEPT: usize = 2;

const INDEX: &str = "json";
const TENSORS: &str = "safetensors";

/// `checkpoint/` of a trial or a trunk, or `branches/` of a trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointDir {
    path: PathBuf,
    /// How many are kept, the latest.
    kept: usize,
}

/// What is there to go on from.
#[derive(Debug, Default)]
pub struct Found {
    /// The latest checkpoint that can be continued, and its file of tensors.
    pub usable: Option<(Checkpoint, PathBuf)>,
    /// Those that can't, later ones first; they were moved out of the way.
    pub refused: Vec<SetAsideCheckpoint>,
}

/// A checkpoint that can't be continued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAsideCheckpoint {
    /// Why.
    pub refusal: Refusal,
    /// Where its files are now.
    pub files: Vec<SetAside>,
}

impl CheckpointDir {
    /// The one at `path`, of which the two latest checkpoints are kept.
    pub(crate) fn latest_two(path: PathBuf) -> Self {
        Self { path, kept: KEPT }
    }

    /// The one at `path`, of which every checkpoint is kept.
    pub(crate) fn every(path: PathBuf) -> Self {
        Self {
            path,
            kept: usize::MAX,
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is any checkpoint, usable or not.
    pub fn is_empty(&self) -> bool {
        self.steps().is_empty()
    }

    /// Whether there is one of `step`, usable or not.
    pub fn has(&self, step: u64) -> bool {
        self.file(step, INDEX).is_file()
    }

    /// What trial `trial` was trained on before the latest checkpoint; `None` where there is
    /// none, or it can't be read. Whether it can be continued is not looked at.
    pub fn arrangement(&self, trial: &TrialId) -> Option<Arrangement> {
        let latest = self.steps().first().copied()?;
        let checkpoint: Checkpoint = read_sealed(&self.file(latest, INDEX)).ok()?;
        (checkpoint.trial == *trial).then_some(checkpoint.arrangement)
    }

    /// The latest checkpoint that trial `trial` can go on from under `build`; what
    /// is torn, foreign or of another build is set aside.
    ///
    /// # Errors
    /// If a file can't be read, or can't be moved.
    pub fn latest(&self, trial: &TrialId, build: &Build) -> Result<Found, DocumentError> {
        let mut found = Found::default();
        for step in self.steps() {
            match self.read(step, trial, build)? {
                Ok(usable) => {
                    found.usable = Some(usable);
                    break;
                }
                Err(refusal) => found.refused.push(self.refuse(step, refusal)?),
            }
        }
        Ok(found)
    }

    /// The checkpoint of `step`, likewise.
    ///
    /// # Errors
    /// As [`latest`](Self::latest).
    pub fn at(&self, step: u64, trial: &TrialId, build: &Build) -> Result<Found, DocumentError> {
        let mut found = Found::default();
        if self.has(step) {
            match self.read(step, trial, build)? {
                Ok(usable) => found.usable = Some(usable),
                Err(refusal) => found.refused.push(self.refuse(step, refusal)?),
            }
        }
        Ok(found)
    }

    /// Moves the checkpoint of `step` out of the way.
    ///
    /// # Errors
    /// If a file can't be moved.
    pub fn refuse(&self, step: u64, refusal: Refusal) -> Result<SetAsideCheckpoint, DocumentError> {
        let reason = refusal.to_string();
        let paths = [INDEX, TENSORS].map(|kind| self.file(step, kind));
        let files = paths
            .iter()
            .filter(|path| path.exists())
            .map(|path| set_aside(path, &reason));
        Ok(SetAsideCheckpoint {
            files: files.collect::<Result<_, _>>()?,
            refusal,
        })
    }

    /// Saves `checkpoint`, whose [`Content`] is filled in here: `write` makes the
    /// file of tensors at the path it is given. Then all that are not to be kept go.
    ///
    /// # Errors
    /// If a file can't be written; the checkpoints that were there before still are.
    pub fn save(
        &self,
        mut checkpoint: Checkpoint,
        write: impl FnOnce(&Path) -> io::Result<()>,
    ) -> Result<(), DocumentError> {
        let step = checkpoint.position.step;
        let tensors = self.file(step, TENSORS);
        let part = self.path.join(format!("{PARTIAL}{TENSORS}"));
        let saved = self.create().and_then(|()| {
            write(&part)?;
            checkpoint.tensors = Content::of(&part)?;
            // The content must be there before the name is.
            File::open(&part)?.sync_all()?;
            fs::rename(&part, &tensors)
        });
        let saved = saved.map_err(|source| DocumentError::Io {
            action: "writing",
            path: tensors.clone(),
            source,
        });
        let saved = saved.and_then(|()| write_sealed(&self.file(step, INDEX), &checkpoint));
        // Without its index the file of tensors is no checkpoint, whatever else
        // went wrong.
        self.prune();
        saved
    }

    /// Removes the checkpoints of the steps that are not to be kept, and what was left
    /// of others. A file that stays is in nobody's way: the next call tries again.
    pub fn retain(&self, is_kept: impl Fn(u64) -> bool) {
        for step in self.steps().into_iter().filter(|&step| !is_kept(step)) {
            // Without its index the file of tensors is no checkpoint.
            let _ = fs::remove_file(self.file(step, INDEX));
        }
        self.prune();
    }

    /// Removes the checkpoints of steps up to `last`, and the folder if nothing else is
    /// in it.
    pub fn remove_until(&self, last: u64) {
        self.retain(|step| step > last);
        // What was set aside stays, and the folder with it.
        let _ = fs::remove_dir(&self.path);
    }

    /// The steps of all checkpoints, usable or not, latest first.
    pub fn steps(&self) -> Vec<u64> {
        let Ok(all) = fs::read_dir(&self.path) else {
            return Vec::new();
        };
        // A file of another name is none of ours.
        let step = |path: PathBuf| {
            let step = path.file_stem()?.to_str()?.parse().ok()?;
            (path == self.file(step, INDEX)).then_some(step)
        };
        let mut steps: Vec<u64> = all.filter_map(|entry| step(entry.ok()?.path())).collect();
        steps.sort_unstable_by(|a, b| b.cmp(a));
        steps
    }

    fn file(&self, step: u64, kind: &str) -> PathBuf {
        self.path.join(format!("{step:012}.{kind}"))
    }

    fn create(&self) -> io::Result<()> {
        if self.path.is_dir() {
            return Ok(());
        }
        fs::create_dir(&self.path)?;
        self.path.parent().map_or(Ok(()), sync_folder)
    }

    fn read(
        &self,
        step: u64,
        trial: &TrialId,
        build: &Build,
    ) -> Result<Result<(Checkpoint, PathBuf), Refusal>, DocumentError> {
        let torn = |why: String| Refusal::Torn { step, why };
        let checkpoint: Checkpoint = match read_sealed(&self.file(step, INDEX)) {
            Ok(checkpoint) => checkpoint,
            Err(DocumentError::Newer { found, .. }) => {
                return Ok(Err(Refusal::Newer { step, found }));
            }
            Err(error) if error.is_foreign() => return Ok(Err(torn(error.to_string()))),
            Err(error) => return Err(error),
        };
        if checkpoint.position.step != step {
            let found = checkpoint.position.step;
            return Ok(Err(torn(format!(
                "its name says step {step}, it says {found}"
            ))));
        }
        if let Err(refusal) = refusal::check(&checkpoint, trial, build) {
            return Ok(Err(refusal));
        }
        let path = self.file(step, TENSORS);
        let content = match Content::of(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Err(torn("its tensors are missing".to_owned())));
            }
            Err(source) => {
                return Err(DocumentError::Io {
                    action: "reading",
                    path,
                    source,
                });
            }
        };
        if content != checkpoint.tensors {
            return Ok(Err(torn(format!(
                "its tensors have {} bytes and checksum {}, written were {} and {}",
                content.bytes, content.sha256, checkpoint.tensors.bytes, checkpoint.tensors.sha256
            ))));
        }
        Ok(Ok((checkpoint, path)))
    }

    /// Removes what is not one of the latest checkpoints, save what was set aside.
    /// A file that stays is in nobody's way: the next call tries again.
    fn prune(&self) {
        let steps = self.steps();
        for &step in steps.iter().skip(self.kept) {
            let _ = fs::remove_file(self.file(step, INDEX));
        }
        let kept: Vec<PathBuf> = steps
            .iter()
            .take(self.kept)
            .flat_map(|&step| [INDEX, TENSORS].map(|kind| self.file(step, kind)))
            .collect();
        let Ok(all) = fs::read_dir(&self.path) else {
            return;
        };
        for path in all.filter_map(|entry| Some(entry.ok()?.path())) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !kept.contains(&path) && !name.contains(".aside-") {
                let _ = fs::remove_file(&path);
            }
        }
    }
}

#[cfg(test)]
mod tests;
