//! `analyze`, `visualize`, `predict`, `table`: from finished runs to laws.

use std::path::{Path, PathBuf};

use flops_fit_trial::DocumentError;
use serde::Serialize;

use super::{CommandError, print, print_as, say, subject::Finished};
use crate::{
    args::{Analyze, Format, Predict, Style, Table, Visualize},
    exit::Exit,
    output::{Lock, LockError, Output},
    report::{self, Analysis, recommended, show},
};

fn style(format: Format) -> report::Format {
    match format {
        Format::Text => report::Format::Text,
        Format::Json => report::Format::Json,
    }
}

/// The end of a command that has told what there is: without a law it is an error.
fn ended(analysis: &Analysis) -> Result<Exit, CommandError> {
    recommended(&analysis.fits)?;
    Ok(Exit::Success)
}

/// Held while a command writes to `folder`, if a sweep lives there.
fn lock(folder: &Path) -> Result<Option<Lock>, LockError> {
    let output = Output::at(folder);
    Output::is_one(folder).then(|| output.lock()).transpose()
}

/// Makes a folder that `--out` asks for, with those that it is in.
fn make(folder: &Path) -> Result<(), DocumentError> {
    std::fs::create_dir_all(folder).map_err(|source| DocumentError::Io {
        action: "making",
        path: folder.to_owned(),
        source,
    })
}

/// `flops-fit analyze`: of a sweep, its files are written too; of a table, where
/// `--out` says.
pub(super) fn analyze(analyze: &Analyze, format: Format) -> Result<Exit, CommandError> {
    let finished = Finished::of(&analyze.finished)?.predicting(&analyze.targets);
    let analysis = match (&finished, &analyze.out.out) {
        (
            Finished::Sweep {
                output, options, ..
            },
            None,
        ) => {
            let _lock = lock(output.path())?;
            report::analyze(output, options)?
        }
        (_, Some(folder)) => {
            let _lock = lock(folder)?;
            let (rows, analysis) = finished.analyze(f64::INFINITY)?;
            make(folder)?;
            report::write_into(folder, &rows, &analysis)?;
            report::visualize_into(folder, &analysis, &[])?;
            analysis
        }
        (_, None) => finished.analyze(f64::INFINITY)?.1,
    };
    print(&report::render(&analysis, style(format)))?;
    ended(&analysis)
}

#[derive(Serialize)]
struct Drawn {
    report: PathBuf,
    plots: Vec<PathBuf>,
}

/// `flops-fit visualize`.
pub(super) fn visualize(visualize: &Visualize, format: Format) -> Result<Exit, CommandError> {
    let finished = Finished::of(&visualize.finished)?.predicting(&visualize.targets);
    let folder = match (&finished, &visualize.out.out) {
        (_, Some(folder)) => folder,
        (Finished::Sweep { output, .. }, None) => output.path(),
        (Finished::Table { path, .. } | Finished::Analysed { path, .. }, None) => {
            path.parent().unwrap_or(Path::new(""))
        }
    };
    let _lock = lock(folder)?;
    let (rows, analysis) = finished.analyze(f64::INFINITY)?;
    let mut paths = match (&finished, &visualize.out.out) {
        (_, Some(_)) => {
            make(folder)?;
            report::write_into(folder, &rows, &analysis)?;
            report::visualize_into(folder, &analysis, &[])?
        }
        (Finished::Sweep { output, .. }, None) => report::visualize(output, &analysis)?,
        _ => report::visualize_into(folder, &analysis, &[])?,
    };
    let drawn = Drawn {
        report: paths.remove(0),
        plots: paths,
    };
    print_as(format, &drawn, || {
        let paths = std::iter::once(&drawn.report).chain(&drawn.plots);
        let lines: Vec<_> = paths.map(|path| path.display().to_string()).collect();
        lines.join("\n") + "\n"
    })?;
    if visualize.open
        && let Err(error) = show::open(&drawn.report)
    {
        // The files are there all the same.
        say(&format!("warning: {error}"));
    }
    ended(&analysis)
}

/// `flops-fit predict`.
pub(super) fn predict(predict: &Predict, format: Format) -> Result<Exit, CommandError> {
    let most = predict.fit_up_to.unwrap_or(f64::INFINITY);
    let finished = Finished::of(&predict.finished)?.predicting_at(&predict.budgets);
    let (_, analysis) = finished.analyze(most)?;
    let forecast = report::predict(&analysis, &predict.budgets)?;
    if let Some(out) = &predict.out {
        out.parent().map_or(Ok(()), make)?;
        forecast.write(out)?;
    }
    print(&report::render_forecast(&forecast, style(format)))?;
    Ok(Exit::Success)
}

/// `flops-fit table`.
pub(super) fn table(table: &Table, format: Format) -> Result<Exit, CommandError> {
    let finished = Finished::of(&table.finished)?.predicting(&table.targets);
    let (_, analysis) = finished.analyze(f64::INFINITY)?;
    let style = match (format, table.style) {
        (Format::Json, _) => report::Format::Json,
        (_, Style::Markdown) => report::Format::Markdown,
        _ if table.markdown => report::Format::Markdown,
        (_, Style::Csv) => report::Format::Csv,
        (_, Style::Latex) => report::Format::Latex,
        (_, Style::Text) => report::Format::Text,
    };
    print(&report::render(&analysis, style))?;
    ended(&analysis)
}
