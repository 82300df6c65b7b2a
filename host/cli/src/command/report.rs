//! `analyze`, `visualize`, `predict`, `table`: from finished runs to laws.

use super::{CommandError, print, subject::Finished};
use crate::{
    args::{Format, Predict, Source, Table},
    exit::Exit,
    report::{self, Analysis},
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
