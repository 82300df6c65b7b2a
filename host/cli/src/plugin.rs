//! The plugins that a manifest names: found, read and hashed, never opened.
//!
//! Architecture invariant: the parent never dlopens a plugin. What it knows of
//! one comes from the record in the file's bytes, or from a worker's answer.

mod search;

use std::{collections::BTreeMap, io, path::PathBuf};

use flops_fit_record::{Incompatible, Record, RecordError, What};
use flops_fit_trial::Content;

use crate::manifest::{Component, Manifest, ManifestError, Place, Problem, nearest};

pub use search::NotFound;
pub(crate) use search::locate;

/// Why a plugin can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// No file by that name.
    #[error("{place}: {source}")]
    Missing {
        /// Where the manifest names it.
        place: Box<Place>,
        /// What was looked for, and where.
        source: NotFound,
    },
    /// The file is there and is no plugin for this machine.
    #[error("{place}: {source}")]
    Unfit {
        /// Where the manifest names it.
        place: Box<Place>,
        /// What is wrong with the file.
        source: RecordError,
    },
    /// It was built for another version.
    #[error("{place}: {}: {source}", path.display())]
    Incompatible {
        /// Where the manifest names it.
        place: Box<Place>,
        /// The file.
        path: PathBuf,
        /// What differs, and the fix.
        source: Box<Incompatible>,
    },
    /// The file vanished or can't be read.
    #[error("reading plugin {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The manifest is wrong about it.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

/// A library that holds a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// Absolute path.
    pub path: PathBuf,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// What it says of itself.
    pub record: Record,
}

/// The libraries of model, dataset and loss; they may be one and the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Libraries {
    /// The model's.
    pub model: Library,
    /// The dataset's.
    pub dataset: Library,
    /// The loss's.
    pub loss: Library,
}

impl Libraries {
    /// Finds and checks the three libraries and the kinds wanted of them.
    pub fn find(manifest: &Manifest) -> Result<Self, PluginError> {
        let mut known = BTreeMap::new();
        let mut find = |component: &Component, what| {
            let Some(plugin) = &component.plugin else {
                let expected = "the library of a plugin, which this command works on".to_owned();
                return Err(manifest
                    .mistake(component.plugin_key, Problem::Missing { expected })
                    .into());
            };
            let path =
                locate(plugin, &manifest.base_dir, &manifest.plugin_path).map_err(|source| {
                    PluginError::Missing {
                        place: manifest.place(component.plugin_key),
                        source,
                    }
                })?;
            let library = match known.get(&path) {
                Some(library) => library,
                None => known
                    .entry(path.clone())
                    .or_insert(Library::read(manifest, component, path)?),
            };
            library.check_kind(manifest, component, what)?;
            Ok::<_, PluginError>(library.clone())
        };
        Ok(Self {
            model: find(&manifest.model.component, What::Model)?,
            dataset: find(&manifest.dataset, What::Dataset)?,
            loss: find(&manifest.loss, What::Loss)?,
        })
    }
}

impl Libraries {
    /// The plugins' names, each once.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for library in [&self.model, &self.dataset, &self.loss] {
            if !names.contains(&library.record.name) {
                names.push(library.record.name.clone());
            }
        }
        names
    }
}

impl Library {
    fn read(
        manifest: &Manifest,
        component: &Component,
        path: PathBuf,
    ) -> Result<Self, PluginError> {
        let place = || manifest.place(component.plugin_key);
        let record = flops_fit_record::read(&path).map_err(|source| PluginError::Unfit {
            place: place(),
            source,
        })?;
        record
            .check_abi()
            .map_err(|source| PluginError::Incompatible {
                place: place(),
                path: path.clone(),
                source: Box::new(source),
            })?;
        let content = Content::of(&path).map_err(|source| PluginError::Unreadable {
            path: path.clone(),
            source,
        })?;
        Ok(Self {
            path,
            sha256: content.sha256,
            record,
        })
    }

    fn check_kind(
        &self,
        manifest: &Manifest,
        component: &Component,
        what: What,
    ) -> Result<(), ManifestError> {
        let kinds = self.record.kinds(what);
        if kinds.contains(&component.kind.as_str()) {
            return Ok(());
        }
        let problem = Problem::UnknownKind {
            plugin: self.record.name.clone(),
            what: what.as_str(),
            found: component.kind.clone(),
            nearest: nearest(&component.kind, kinds.iter().copied()),
            available: kinds.iter().map(|&kind| kind.to_owned()).collect(),
        };
        Err(manifest.mistake(&format!("{what}.kind"), problem))
    }
}
