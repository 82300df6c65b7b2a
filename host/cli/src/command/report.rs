//! `analyze`, `visualize`, `predict`, `table`: from finished runs to laws.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{CommandError, print, print_as, say, subject::Finished};
use crate::{
    args::{Format, Predict, Source, Table, Visualize},
    exit::Exit,
    report::{self, Analysis, show},
};

fn style(format: Format) -> report::Format {
    match format {
        Format::Text => report::Format::Text,
        Format::Json => report::Format::Json,
    }
}

/// `flops-fit analyze`: of a sweep, its files are written too.
pub(super) fn analyze(source: &Source, format: Format) -> Result<Exit, CommandError> {
    let analysis = analyze_and_keep(&Finished::of(source)?)?;
    print(&report::render(&analysis, style(format)))?;
    Ok(Exit::Success)
}

fn analyze_and_keep(finished: &Finished) -> Result<Analysis, CommandError> {
    match finished {
        Finished::Sweep {
            output, options, ..
        } => Ok(report::analyze(output, options)?),
        Finished::Table { .. } => finished.analyze(|_| true),
    }
}

#[derive(Serialize)]
struct Drawn {
    report: PathBuf,
    plots: Vec<PathBuf>,
}

/// `flops-fit visualize`.
pub(super) fn visualize(visualize: &Visualize, format: Format) -> Result<Exit, CommandError> {
    let finished = Finished::of(&visualize.source)?;
    let analysis = finished.analyze(|_| true)?;
    let mut paths = match &finished {
        Finished::Sweep { output, .. } => report::visualize(output, &analysis)?,
        Finished::Table { path, .. } => {
            let folder = path.parent().unwrap_or(Path::new(""));
            report::visualize_into(folder, &analysis, &[])?
        }
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
    Ok(Exit::Success)
}

/// `flops-fit predict`.
pub(super) fn predict(predict: &Predict, format: Format) -> Result<Exit, CommandError> {
    let most = predict.fit_up_to.unwrap_or(f64::INFINITY);
    let analysis = Finished::of(&predict.source)?
        .analyze(|row| row.budget.or(row.c).is_none_or(|budget| budget <= most))?;
    let forecast = report::predict(&analysis, &predict.budgets)?;
    if let Some(out) = &predict.out {
        forecast.write(out)?;
    }
    print(&report::render_forecast(&forecast, style(format)))?;
    Ok(Exit::Success)
}

/// `flops-fit table`.
pub(super) fn table(table: &Table, format: Format) -> Result<Exit, CommandError> {
    let analysis = Finished::of(&table.source)?.analyze(|_| true)?;
    let style = if table.markdown && format == Format::Text {
        report::Format::Markdown
    } else {
        style(format)
    };
    print(&report::render(&analysis, style))?;
    Ok(Exit::Success)
}
