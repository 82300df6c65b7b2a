//! The result in tables: the laws, each budget's minimum, what to train at which
//! budget, the methods side by side.

mod conventions;
mod cost;
mod influence;
mod numbers;
mod sheets;

pub(super) use numbers::interval;

use flops_fit_scaling::design::{Proposal, Wish};
use flops_fit_trial::sealed;

use super::advice::{self, Known};
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
            for (title, sentences) in sections(analysis) {
                text.extend(["\n", title, "\n"]);
                let sentences = sentences.iter();
                text.extend(sentences.map(|sentence| sheet::paragraph(sentence, "  · ")));
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
            for (title, sentences) in sections(analysis) {
                text.extend(["\n## ", title, "\n\n"]);
                let sentences = sentences.iter();
                text.extend(
                    sentences.map(|sentence| format!("- {}\n", sentence.replace('*', "\\*"))),
                );
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
        Format::Csv => optima(analysis).csv(),
        Format::Json => {
            let text = sealed(analysis).expect("an object of plain data");
            String::from_utf8(text).expect("JSON is UTF-8")
        }
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
        Format::Json => {
            let text = serde_json::to_string_pretty(forecast).expect("made of plain data");
            text + "\n"
        }
    }
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
    let mut sheets = Vec::new();
    sheets.extend(conventions::conventions(analysis));
    sheets.extend(influence::influences(analysis));
    sheets.push(sheets::budgets(analysis));
    if let Some(recommended) = &analysis.fits.recommended {
        sheets.extend(sheets::methods(analysis));
        sheets.extend(cost::costs(analysis));
        sheets.extend(recommended.law.as_ref().map(sheets::laws));
        sheets.push(optima(analysis));
    }
    sheets
}

/// The compute-optimal table; without rows where there are no laws.
fn optima(analysis: &Analysis) -> Sheet {
    let fits = &analysis.fits;
    let mut sheet = sheets::predictions(
        "Compute-optimal training",
        &analysis.subject.unit,
        &fits.predictions,
    );
    if let Some(recommended) = &fits.recommended {
        sheet
            .remarks
            .insert(0, format!("following {}", recommended.reason));
    }
    sheet
}

/// What is told in sentences, under a title each.
pub(super) fn sections(analysis: &Analysis) -> Vec<(&'static str, Vec<String>)> {
    let notes: Vec<String> = analysis.notes.iter().map(ToString::to_string).collect();
    let trained = analysis.points.iter().map(|run| {
        let (n, d, c) = (run.n, run.d, run.c);
        (Proposal { n, d, c }, Known::Trained)
    });
    let next = match &analysis.fits.advice {
        Some(advice) => {
            advice::sentences(advice, &analysis.subject.unit, &trained.collect::<Vec<_>>())
        }
        None if analysis.fits.options.wish == Wish::default() => Vec::new(),
        // Who wished for something is told why there is no word on it.
        None => vec![format!("no advice: {}", advice::absent(&analysis.fits))],
    };
    let sections = [("Notes", notes), ("What to train next", next)];
    let told = sections
        .into_iter()
        .filter(|(_, sentences)| !sentences.is_empty());
    told.collect()
}

#[cfg(test)]
mod tests;
