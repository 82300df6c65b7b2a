//! What a command is about: a manifest, an output folder, or a table of runs.

use std::path::PathBuf;

use flops_fit_scaling::Options;

use super::CommandError;
use crate::{
    args::{self, Source},
    input::{self, Checks, Form, Mapping},
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
    if Form::of(path).is_some() {
        return Err(CommandError::NotAManifest { path: path.clone() });
    }
    Ok(Manifest::load(path, &source.sets)?)
}

/// Finished runs, wherever they come from.
pub(super) enum Finished {
    /// A sweep of ours.
    Sweep {
        output: Output,
        plan: Box<Plan>,
        options: Options,
    },
    /// A table.
    Table {
        path: PathBuf,
        form: Form,
        mapping: Mapping,
        unit: String,
        options: Options,
    },
    /// An `analysis.json`.
    Analysed {
        path: PathBuf,
        analysis: Box<Analysis>,
        options: Options,
    },
}

impl Finished {
    pub(super) fn of(args: &args::Finished) -> Result<Self, CommandError> {
        let path = &args.source.path;
        let options = |mut options: Options| {
            args.fit.apply(&mut options);
            options
        };
        if path.file_name() == Some("analysis.json".as_ref()) && args.columns.given().is_none() {
            let analysis = Box::new(Analysis::read(path)?);
            return Ok(Self::Analysed {
                path: path.clone(),
                options: options(analysis.fits.options.clone()),
                analysis,
            });
        }
        if let Some(form) = args.columns.form.or_else(|| Form::of(path))
            && !path.is_dir()
        {
            if let Some(set) = args.source.sets.first() {
                return Err(CommandError::SetOnTable { set: set.clone() });
            }
            return Ok(Self::Table {
                path: path.clone(),
                form,
                mapping: args.columns.mapping(),
                unit: args
                    .columns
                    .unit
                    .clone()
                    .unwrap_or_else(|| TOKENS.to_owned()),
                options: options(Options::default()),
            });
        }
        if let Some(flag) = args.columns.given() {
            return Err(CommandError::FlagOfTable {
                flag,
                path: path.clone(),
            });
        }
        let manifest = manifest(&args.source)?;
        let output = Output::at(&manifest.output_dir);
        if !Output::is_one(output.path()) {
            return Err(CommandError::NotPlanned {
                output: output.path().to_owned(),
                manifest: path.clone(),
            });
        }
        Ok(Self::Sweep {
            plan: Box::new(Plan::read(&output)?),
            output,
            options: options(manifest.analysis),
        })
    }

    /// The same with what to predict.
    pub(super) fn predicting(mut self, targets: &args::Targets) -> Self {
        targets.apply(self.options_mut());
        self
    }

    /// The same with the budgets to predict, in FLOPs.
    pub(super) fn predicting_at(mut self, budgets: &[f64]) -> Self {
        self.options_mut().targets = budgets.to_vec();
        self
    }

    fn options_mut(&mut self) -> &mut Options {
        let (Self::Sweep { options, .. }
        | Self::Table { options, .. }
        | Self::Analysed { options, .. }) = self;
        options
    }

    /// The runs with a budget up to `most` FLOPs, and their analysis; nothing is
    /// written.
    pub(super) fn analyze(&self, most: f64) -> Result<(Vec<Row>, Analysis), CommandError> {
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
            Self::Table {
                path,
                form,
                mapping,
                unit,
                options,
            } => {
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                let subject = Subject {
                    sweep: name.into_owned(),
                    unit: unit.clone(),
                };
                let checks = if options.quality_checks {
                    Checks::On
                } else {
                    Checks::Off
                };
                let rows = input::read(path, *form, mapping, checks)?;
                (path.as_path(), rows, subject, options)
            }
            Self::Analysed {
                path,
                analysis,
                options,
            } => {
                let rows: Vec<Row> = analysis.points.iter().map(Row::from).collect();
                if most == f64::INFINITY && *options == analysis.fits.options {
                    return Ok((rows, Analysis::clone(analysis)));
                }
                (path.as_path(), rows, analysis.subject.clone(), options)
            }
        };
        rows.retain(|row| row.budget.or(row.c).is_none_or(|budget| budget <= most));
        let (sizes, tuning, batch) = match self {
            Self::Sweep { plan, .. } => (plan.sizes(), plan.tuning.as_ref(), plan.batch),
            Self::Table { .. } => (Vec::new(), None, None),
            Self::Analysed { analysis, .. } => {
                (Vec::new(), analysis.learning_rate.as_ref(), analysis.batch)
            }
        };
        let analysis = Analysis::of_sweep(&rows, subject, options, &sizes);
        let mut analysis = analysis.map_err(|source| CommandError::Analysis {
            path: path.to_owned(),
            source,
        })?;
        analysis.tell_of_tuning(tuning, &rows);
        analysis.tell_of_batch(batch);
        analysis.annotate(&mut rows);
        Ok((rows, analysis))
    }
}

/// What D counts where nobody says.
const TOKENS: &str = "tokens";
