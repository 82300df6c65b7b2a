//! From finished trials to what a reader sees: rows, laws, tables, plots.
//!
//! ```text
//! trials/<id>/result.json ─ collect ─▶ runs.csv ─ analyze ─▶ analysis.json
//!                                     table.md, plots/*.svg+png, report.html ◀─ draw
//! ```
//!
//! What it keeps true: every file here can be derived again from the trials'
//! folders, each appears whole or not at all, and nothing is computed that was
//! not asked for.

pub mod advice;
pub mod analysis;
pub mod html;
pub mod name;
pub mod note;
pub mod plots;
pub mod prediction;
pub mod runs;
pub mod sheet;
pub mod show;
pub mod table;

#[cfg(test)]
mod sample;

use std::path::{Path, PathBuf};

use flops_fit_scaling::Options;
use flops_fit_trial::{DocumentError, write_document};

pub use analysis::{Analysis, ReadError, Subject, Tally};
pub use note::{NoLaws, Note, recommended};
pub use plots::PlotError;
pub use prediction::{Forecast, ForecastError, predict};
pub use table::{Format, render, render_forecast};

use crate::output::Output;
use crate::plan::Plan;
use runs::Row;

/// Why a sweep could not be analysed.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file of the output folder can't be read or written.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A figure can't be made.
    #[error(transparent)]
    Plot(#[from] PlotError),
    /// The runs can't be fitted.
    #[error("{}: {source}", path.display())]
    Analysis {
        /// The output folder.
        path: PathBuf,
        /// Why.
        source: flops_fit_scaling::AnalysisError,
    },
}

/// Gathers the trials of `output`, fits them, and writes `runs.csv`,
/// `analysis.json` and `table.md`. The rows are written even where there is
/// nothing to fit.
///
/// # Errors
/// When the plan can't be read, no trial has completed, or a file can't be
/// written.
pub fn analyze(output: &Output, options: &Options) -> Result<Analysis, ReportError> {
    let plan = Plan::read(output)?;
    let (tuning, batch) = (plan.tuning.clone(), plan.batch);
    let mut rows = runs::collect(output, &plan);
    runs::write(&output.runs_csv(), &rows)?;
    let sizes = plan.sizes();
    let subject = Subject {
        sweep: plan.name,
        unit: plan.unit,
    };
    let analysis = Analysis::of_sweep(&rows, subject, options, &sizes);
    let mut analysis = analysis.map_err(|source| ReportError::Analysis {
        path: output.path().to_owned(),
        source,
    })?;
    analysis.tell_of_tuning(tuning.as_ref(), &rows);
    analysis.tell_of_batch(batch);
    analysis.annotate(&mut rows);
    write_into(output.path(), &rows, &analysis)?;
    Ok(analysis)
}

/// Writes `runs.csv`, `analysis.json`, `table.md`, `table.tex` and `table.csv` to
/// `folder`, which must be there.
///
/// # Errors
/// When a file can't be written.
pub fn write_into(folder: &Path, rows: &[Row], analysis: &Analysis) -> Result<(), ReportError> {
    let output = Output::at(folder);
    runs::write(&output.runs_csv(), rows)?;
    analysis.write(&output.analysis())?;
    for (path, format) in [
        (output.table(), Format::Markdown),
        (output.table().with_extension("tex"), Format::Latex),
        (output.table().with_extension("csv"), Format::Csv),
    ] {
        write_document(&path, render(analysis, format).as_bytes())?;
    }
    Ok(())
}

/// Draws the figures of a sweep and writes `plots/` and `report.html`; returns
/// the files' paths, the report first. Training losses are shown where the
/// trials' progress is still there.
///
/// # Errors
/// When the plan can't be read, a figure can't be drawn, or a file can't be
/// written.
pub fn visualize(output: &Output, analysis: &Analysis) -> Result<Vec<PathBuf>, ReportError> {
    let mut rows = runs::collect(output, &Plan::read(output)?);
    rows.retain(|row| !row.tuning);
    let curves = plots::LossCurve::read_all(output, &rows);
    visualize_into(output.path(), analysis, &curves)
}

/// The same for runs from elsewhere: `plots/` and `report.html` in `folder`, which must
/// be there.
///
/// # Errors
/// When a figure can't be drawn or a file can't be written.
pub fn visualize_into(
    folder: &Path,
    analysis: &Analysis,
    curves: &[plots::LossCurve],
) -> Result<Vec<PathBuf>, ReportError> {
    let figures = plots::figures(analysis, curves)?;
    let page = folder.join("report.html");
    write_document(&page, html::render(analysis, &figures).as_bytes())?;
    let mut paths = vec![page];
    paths.extend(plots::write(&figures, &folder.join("plots"))?);
    Ok(paths)
}
