//! What a command is about: a manifest, an output folder, or a table of runs.

use std::path::{Path, PathBuf};

use flops_fit_scaling::Options;

use super::CommandError;
use crate::{
    args::Source,
    manifest::Manifest,
    output::Output,
    plan::Plan,
    report::{
        Analysis, Subject,
        runs::{self, Row},
    },
};

/// The sweep of a command that trains.
pub(super) fn manifest(source: &Source) -> Result<Manifest, CommandError> {
    let path = &source.path;
    if path.is_dir() {
        let inside = path.join("manifest.toml");
        if !inside.is_file() {
            return Err(CommandError::NoSweep { path: path.clone() });
        }
        let mut manifest = Manifest::load(&inside, &source.sets)?;
        if Output::is_one(path) {
            // The folder may have been moved since it was written.
            manifest.output_dir = path.canonicalize().unwrap_or_else(|_| path.clone());
        }
        return Ok(manifest);
    }
    if is_table(path) {
        return Err(CommandError::NotAManifest { path: path.clone() });
    }
    Ok(Manifest::load(path, &source.sets)?)
}

/// Finished runs, wherever they come from.
pub(super) enum Finished {
    /// A sweep of ours.
    Sweep {
        output: Output,
        plan: Plan,
        options: Options,
    },
    /// A table.
    Table { path: PathBuf, options: Options },
}

impl Finished {
    pub(super) fn of(source: &Source) -> Result<Self, CommandError> {
        let path = &source.path;
        if is_table(path) {
            return Ok(Self::Table {
                path: path.clone(),
                options: Options::default(),
            });
        }
        let manifest = manifest(source)?;
        let output = Output::at(&manifest.output_dir);
        if !Output::is_one(output.path()) {
            return Err(CommandError::NotPlanned {
                output: output.path().to_owned(),
                manifest: path.clone(),
            });
        }
        Ok(Self::Sweep {
            plan: Plan::read(&output)?,
            output,
            options: manifest.analysis,
        })
    }

    /// Fits the runs that `keep` likes, without writing anything.
    pub(super) fn analyze(&self, keep: impl Fn(&Row) -> bool) -> Result<Analysis, CommandError> {
        let (path, mut rows, subject, options) = match self {
            Self::Sweep {
                output,
                plan,
                options,
            } => {
                let subject = Subject {
                    sweep: plan.name.clone(),
                    unit: plan.unit.clone(),
                };
                let rows = runs::collect(output, plan);
                (output.path(), rows, subject, options)
            }
            Self::Table { path, options } => {
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                let subject = Subject {
                    sweep: name.into_owned(),
                    unit: "tokens".to_owned(),
                };
                (path.as_path(), runs::read(path)?, subject, options)
            }
        };
        rows.retain(|row| keep(row));
        Analysis::of(&rows, subject, options).map_err(|source| CommandError::Analysis {
            path: path.to_owned(),
            source,
        })
    }
}

fn is_table(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "csv")
}
