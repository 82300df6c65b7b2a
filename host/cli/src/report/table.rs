//! The result in tables: the laws, each budget's minimum, what to train at which
//! budget, the methods side by side.

mod numbers;
mod sheets;

pub(super) use numbers::interval;

use super::analysis::Analysis;
use super::prediction::Forecast;
use super::sheet::{self, Sheet};

/// How a result is to be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns for a terminal.
    Text,
    /// `table.md`.
    Markdown,
    /// `table.tex`.
    Latex,
    /// `table.csv`: the compute-optimal table alone.
    Csv,
    /// The whole of `analysis.json`.
    Json,
}

/// The result in one text that ends with a line break.
pub fn render(analysis: &Analysis, format: Format) -> String {
    match format {
        Format::Text => {
            let sheets: Vec<String> = sheets(analysis).iter().map(Sheet::text).collect();
            let mut text = format!("{}\n\n{}", summary(analysis), sheets.join("\n"));
            if !analysis.notes.is_empty() {
                text += "\nNotes\n";
                let notes = analysis.notes.iter();
                text.extend(notes.map(|note| sheet::paragraph(&note.to_string(), "  · ")));
            }
            text
        }
        Format::Markdown => {
            let sheets: Vec<String> = sheets(analysis).iter().map(Sheet::markdown).collect();
            let mut text = format!(
                "# {}\n\n{}\n\n{}",
                analysis.subject.sweep,
                summary(analysis),
                sheets.join("\n")
            );
            if !analysis.notes.is_empty() {
                text += "\n## Notes\n\n";
                let notes = analysis.notes.iter().map(|note| format!("- {note}\n"));
                text.extend(notes.map(|note| note.replace('*', "\\*")));
            }
            text
        }
        Format::Latex => {
            let sheets: Vec<String> = sheets(analysis).iter().map(Sheet::latex).collect();
            format!(
                "% {}\n% Needs \\usepackage{{booktabs}}.\n\n{}",
                summary(analysis),
                sheets.join("\n")
            )
        }
        Format::Csv => sheets(analysis).last().map_or_else(String::new, Sheet::csv),
        Format::Json => json(analysis),
    }
}

/// A forecast in one text that ends with a line break.
pub fn render_forecast(forecast: &Forecast, format: Format) -> String {
    let sheet = || {
        sheets::predictions(
            &format!("{}: compute-optimal training", forecast.subject.sweep),
            &forecast.subject.unit,
            &forecast.predictions,
        )
    };
    match format {
        Format::Text => sheet().text(),
        Format::Markdown => sheet().markdown(),
        Format::Latex => sheet().latex(),
        Format::Csv => sheet().csv(),
        Format::Json => json(forecast),
    }
}

fn json<T: serde::Serialize>(value: &T) -> String {
    let text = serde_json::to_string_pretty(value).expect("made of plain data");
    text + "\n"
}

/// One line on what the result rests on.
pub(super) fn summary(analysis: &Analysis) -> String {
    let minima = analysis.fits.budgets.iter();
    let minima = minima.filter(|fit| fit.outcome.minimum().is_some()).count();
    let noise = analysis.fits.noise.map_or_else(String::new, |noise| {
        format!(", a run scatters by {:.3} around its curve", noise.sd)
    });
    format!(
        "{}: {} runs, {minima} of {} budgets with a minimum{noise}",
        analysis.subject.sweep,
        analysis.points.len(),
        analysis.fits.budgets.len(),
    )
}

/// Every table of the result; the one to act on comes last, next to the prompt.
pub(super) fn sheets(analysis: &Analysis) -> Vec<Sheet> {
    let mut sheets = vec![sheets::budgets(analysis)];
    if let Some(recommended) = &analysis.fits.recommended {
        if let Some(sheet) = sheets::methods(analysis) {
            sheets.push(sheet);
        }
        sheets.extend(recommended.law.as_ref().map(sheets::laws));
        let mut sheet = sheets::predictions(
            "Compute-optimal training",
            &analysis.subject.unit,
            &analysis.fits.predictions,
        );
        let holdout = analysis.fits.holdout.as_ref();
        sheet
            .remarks
            .insert(0, sheets::followed(recommended, holdout));
        sheets.push(sheet);
    }
    sheets
}

#[cfg(test)]
mod tests;
