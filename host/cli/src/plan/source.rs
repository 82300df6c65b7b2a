//! The files whose code a trial runs, with their hashes: a change of one under an
//! unchanged version is asked about.

use std::{
    io,
    path::{Path, PathBuf},
};

use flops_fit_trial::{Content, Load, RunSettings, TrialDir, hex};
use sha2::{Digest, Sha256};

use super::PlanError;
use crate::{
    manifest::Manifest,
    plugin::{Libraries, Library},
};

/// A file and the SHA-256 of its content, in hexadecimal; both empty where no code is
/// run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) sha256: String,
}

/// Those of model, dataset and loss.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Sources {
    pub(super) model: Source,
    pub(super) dataset: Source,
    pub(super) loss: Source,
}

impl From<&Libraries> for Sources {
    fn from(libraries: &Libraries) -> Self {
        let source = |library: &Library| Source {
            path: library.path.clone(),
            sha256: library.sha256.clone(),
        };
        Self {
            model: source(&libraries.model),
            dataset: source(&libraries.dataset),
            loss: source(&libraries.loss),
        }
    }
}

impl Sources {
    /// Each with what a trial that runs as `run` says loads it.
    fn pairs<'a>(&'a self, run: &'a mut RunSettings) -> [(&'a Source, &'a mut Load); 3] {
        [
            (&self.model, &mut run.model),
            (&self.dataset, &mut run.dataset),
            (&self.loss, &mut run.loss),
        ]
    }

    /// Whether the trial in `dir` was trained with other code. One that doesn't say with
    /// which counts as if it was this.
    pub(super) fn outdate(&self, dir: &TrialDir) -> bool {
        let Ok(mut spec) = dir.spec() else {
            return false;
        };
        let mut pairs = self.pairs(&mut spec.run).into_iter();
        pairs.any(|(source, load)| source.sha256 != load.sha256)
    }

    /// Lets a trial that runs as `run` says run this code.
    pub(super) fn renew(&self, run: &mut RunSettings) {
        for (source, load) in self.pairs(run) {
            load.library.clone_from(&source.path);
            load.sha256.clone_from(&source.sha256);
        }
    }

    /// The files among the words of a program's `command`, such as `train.py`, hashed
    /// together; the first of them stands for all. A command without any is named by
    /// its first word and has no hash.
    pub(super) fn of_program(manifest: &Manifest, command: &[String]) -> Result<Self, PlanError> {
        let files: Vec<PathBuf> = command
            .iter()
            .map(|word| manifest.base_dir.join(word))
            .filter(|path| path.is_file())
            .collect();
        let unreadable = |path: &Path, source: io::Error| PlanError::Start {
            worker: path.to_owned(),
            source,
        };
        let sha256 = |file: &PathBuf| match Content::of(file) {
            Ok(content) => Ok(content.sha256),
            Err(source) => Err(unreadable(file, source)),
        };
        let hash = match files.as_slice() {
            [] => String::new(),
            [only] => sha256(only)?,
            several => {
                let mut all = Sha256::new();
                for file in several {
                    all.update(sha256(file)?);
                }
                hex(&all.finalize())
            }
        };
        let first = command.first().map(PathBuf::from).unwrap_or_default();
        let source = Source {
            path: files.into_iter().next().unwrap_or(first),
            sha256: hash,
        };
        Ok(Self {
            model: source.clone(),
            dataset: source.clone(),
            loss: source,
        })
    }
}
