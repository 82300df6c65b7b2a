//! `analyze`, `visualize`, `predict`, `table`: from finished runs to laws.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{CommandError, print, print_as, say, subject::Finished};
use crate::{
    args::{Format, Predict, Source, Table, Visualize},
    exit::Exit,
    output::Output,
    plan::Plan,
    report::{self, Analysis, plots, runs, show},
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
    plots: Vec<PathBuf>,
}

/// `flops-fit visualize`.
pub(super) fn visualize(visualize: &Visualize, format: Format) -> Result<Exit, CommandError> {
    let finished = Finished::of(&visualize.source)?;
    let analysis = finished.analyze(|_| true)?;
    let plots = match &finished {
        Finished::Sweep { output, plan, .. } => draw(&analysis, output, plan)?,
        Finished::Table { path, .. } => {
            let folder = path.parent().unwrap_or(Path::new("")).join("plots");
            plots::draw_all(&analysis, &[], &folder)?
        }
    };
    let drawn = Drawn { plots };
    print_as(format, &drawn, || {
        drawn
            .plots
            .iter()
            .map(|path| format!("{}\n", path.display()))
            .collect()
    })?;
    if visualize.open {
        let pictures = drawn
            .plots
            .iter()
            .filter(|path| path.extension().is_some_and(|extension| extension == "png"));
        for picture in pictures {
            if let Err(error) = show::open(picture) {
                // The files are there all the same.
                say(&format!("warning: {error}"));
                break;
            }
        }
    }
    Ok(Exit::Success)
}

/// Draws the figures of a sweep into its output folder.
pub(super) fn draw(
    analysis: &Analysis,
    output: &Output,
    plan: &Plan,
) -> Result<Vec<PathBuf>, CommandError> {
    let curves = plots::LossCurve::read_all(output, &runs::collect(output, plan));
    Ok(plots::draw_all(analysis, &curves, &output.plots())?)
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
