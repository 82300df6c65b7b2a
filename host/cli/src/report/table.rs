//! The result in tables: the laws, each budget's minimum, what to train at which
//! budget, the estimators side by side.

use flops_fit_scaling::isoflop::{BudgetFit, Method, Minimum, Outcome};
use flops_fit_scaling::loss_law::LossLaw;
use flops_fit_scaling::power_law::PowerLaw;
use flops_fit_scaling::quantity::{count, flops, loss, ratio};
use flops_fit_scaling::{Estimate, Estimator, Interval, Prediction};

use super::analysis::Analysis;
use super::prediction::Forecast;
use super::sheet::{Lean, Sheet};

/// Mark of a budget beyond those that were trained.
const BEYOND: char = '↑';
/// Mark of one that is more than two decades beyond.
const FAR: char = '‼';
/// What stands where there is nothing to tell.
const NOTHING: &str = "–";

/// How a result is to be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns for a terminal.
    Text,
    /// `table.md`.
    Markdown,
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
                for note in &analysis.notes {
                    text += &format!("  · {note}\n");
                }
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
                for note in &analysis.notes {
                    text += &format!("- {}\n", note.to_string().replace('*', "\\*"));
                }
            }
            text
        }
        Format::Json => json(analysis),
    }
}

/// A forecast in one text that ends with a line break.
pub fn render_forecast(forecast: &Forecast, format: Format) -> String {
    let sheet = || {
        predictions(
            &format!("{}: compute-optimal training", forecast.subject.sweep),
            &forecast.subject.unit,
            &forecast.predictions,
        )
    };
    match format {
        Format::Text => sheet().text(),
        Format::Markdown => sheet().markdown(),
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
    let mut text = format!(
        "{}: {} runs, {minima} of {} budgets with a minimum",
        analysis.subject.sweep,
        analysis.points.len(),
        analysis.fits.budgets.len(),
    );
    if let Some(noise) = analysis.fits.noise {
        text += &format!(", a run scatters by {:.3} around its curve", noise.sd);
    }
    text
}

/// Every table of the result; the one to act on comes last, next to the prompt.
pub(super) fn sheets(analysis: &Analysis) -> Vec<Sheet> {
    let mut sheets = vec![budgets(analysis)];
    if let Some(estimate) = analysis.fits.recommended() {
        if let Some(sheet) = estimators(analysis) {
            sheets.push(sheet);
        }
        sheets.push(laws(estimate));
        sheets.push(predictions(
            "Compute-optimal training",
            &analysis.subject.unit,
            &estimate.predictions,
        ));
    }
    sheets
}

fn budgets(analysis: &Analysis) -> Sheet {
    let d = format!("D* {} (95%)", analysis.subject.unit);
    let mut sheet = Sheet::new(
        "IsoFLOP minima",
        &[
            ("C", Lean::Right),
            ("runs", Lean::Right),
            ("sizes", Lean::Right),
            ("N* (95%)", Lean::Right),
            (&d, Lean::Right),
            ("L* (95%)", Lean::Right),
            ("curve", Lean::Left),
        ],
    );
    sheet.rows = analysis.fits.budgets.iter().map(budget).collect();
    sheet
}

fn budget(fit: &BudgetFit) -> Vec<String> {
    let found: [String; 4] = match &fit.outcome {
        Outcome::Minimum(Minimum {
            n,
            d,
            loss: l,
            method,
            ..
        }) => [
            with_bounds(n, count),
            with_bounds(d, count),
            with_bounds(l, loss),
            curve_name(*method).to_owned(),
        ],
        Outcome::Undetermined(_) => {
            [NOTHING, NOTHING, NOTHING, "none that counts"].map(str::to_owned)
        }
    };
    let mut row = vec![
        flops(fit.budget),
        fit.runs.len().to_string(),
        fit.sizes.to_string(),
    ];
    row.extend(found);
    row
}

fn laws(estimate: &Estimate) -> Sheet {
    let laws = &estimate.laws;
    let mut sheet = Sheet::new(
        format!(
            "Laws, from {} between {} and {} FLOPs",
            estimator_name(estimate.estimator),
            flops(laws.budgets[0]),
            flops(laws.budgets[laws.budgets.len() - 1]),
        ),
        &[
            ("law", Lean::Left),
            ("exponent (95%)", Lean::Right),
            ("floor E (95%)", Lean::Right),
        ],
    );
    let power = |name: &str, law: &PowerLaw| {
        vec![
            format!(
                "{name} = {} · C^{}",
                coefficient(law.k()),
                exponent(law.exponent.estimate)
            ),
            with_bounds(&law.exponent, loss),
            NOTHING.to_owned(),
        ]
    };
    sheet.rows = vec![
        power("N*", &laws.n),
        power("D*", &laws.d),
        power("D*/N*", &laws.units_per_parameter),
        loss_row(&laws.loss),
    ];
    sheet
}

fn loss_row(law: &LossLaw) -> Vec<String> {
    let negative = Interval {
        estimate: -law.exponent.estimate,
        low: -law.exponent.high,
        high: -law.exponent.low,
    };
    vec![
        format!(
            "L* = {:.3} + {} · C^{}",
            law.floor.estimate,
            coefficient(law.k),
            exponent(negative.estimate)
        ),
        with_bounds(&negative, loss),
        with_bounds(&law.floor, loss),
    ]
}

/// What to train at each budget.
fn predictions(title: &str, unit: &str, predictions: &[Prediction]) -> Sheet {
    let (d, d_per_n) = (format!("D* {unit} (95%)"), format!("{unit} per parameter"));
    let mut sheet = Sheet::new(
        title,
        &[
            ("C", Lean::Left),
            ("N* (95%)", Lean::Right),
            (&d, Lean::Right),
            (&d_per_n, Lean::Right),
            ("L* (95%)", Lean::Right),
        ],
    );
    sheet.rows = predictions
        .iter()
        .map(|p| {
            vec![
                marked(p),
                with_bounds(&p.n, count),
                with_bounds(&p.d, count),
                with_bounds(&p.units_per_parameter, ratio),
                with_bounds(&p.loss, loss),
            ]
        })
        .collect();
    if predictions.iter().any(is_beyond) {
        sheet
            .remarks
            .push(format!("{BEYOND} outside the budgets that were trained"));
    }
    if predictions.iter().any(Prediction::is_far) {
        sheet
            .remarks
            .push(format!("{FAR} more than two decades outside them"));
    }
    sheet
}

fn is_beyond(prediction: &Prediction) -> bool {
    // Realised budgets miss the round number by the rounding of steps.
    prediction.decades_beyond > 0.02 && !prediction.is_far()
}

fn marked(prediction: &Prediction) -> String {
    let mut text = flops(prediction.c);
    if prediction.is_far() {
        text.extend([' ', FAR]);
    } else if is_beyond(prediction) {
        text.extend([' ', BEYOND]);
    }
    text
}

/// The estimators beside one another, where there is more than one.
fn estimators(analysis: &Analysis) -> Option<Sheet> {
    let first = analysis.fits.recommended()?;
    let target = first.predictions.iter().rfind(|p| !p.is_far())?;
    // One that comes to the same laws, because it uses the same curves, tells
    // nothing.
    let others = analysis
        .fits
        .estimates
        .iter()
        .filter(|other| other.laws != first.laws);
    let estimates: Vec<&Estimate> = std::iter::once(first).chain(others).collect();
    if estimates.len() < 2 {
        return None;
    }
    let at = flops(target.c);
    let (n, d, l) = (
        format!("N* at {at}"),
        format!("D* at {at}"),
        format!("L* at {at}"),
    );
    let mut sheet = Sheet::new(
        "Estimators side by side",
        &[
            ("minima from", Lean::Left),
            ("budgets", Lean::Right),
            ("N* exponent (95%)", Lean::Right),
            (&n, Lean::Right),
            (&d, Lean::Right),
            (&l, Lean::Right),
        ],
    );
    sheet.rows = estimates
        .iter()
        .map(|estimate| {
            let there = estimate.laws.predict(target.c);
            vec![
                estimator_name(estimate.estimator).to_owned(),
                estimate.laws.budgets.len().to_string(),
                with_bounds(&estimate.laws.n.exponent, loss),
                count(there.n.estimate),
                count(there.d.estimate),
                loss(there.loss.estimate),
            ]
        })
        .collect();
    Some(sheet)
}

/// What the estimator's minima come from.
pub(super) fn estimator_name(estimator: Estimator) -> &'static str {
    match estimator {
        Estimator::Isoflop => "IsoFLOP curves",
        Estimator::IsoflopCubic => "cubics",
        Estimator::IsoflopParabola => "parabolas",
        Estimator::IsoflopWindowed => "parabolas near the minimum",
    }
}

/// The name of a curve's shape.
pub(super) fn curve_name(method: Method) -> &'static str {
    match method {
        Method::Cubic => "cubic",
        Method::Parabola => "parabola",
        Method::WindowedParabola => "parabola near the minimum",
    }
}

fn with_bounds(interval: &Interval, show: impl Fn(f64) -> String) -> String {
    let show = |value: f64| show(value).replace('-', "−");
    // A dash between two minus signs can't be read.
    let between = if interval.low < 0.0 { " to " } else { "–" };
    format!(
        "{} ({}{between}{})",
        show(interval.estimate),
        show(interval.low),
        show(interval.high)
    )
}

/// An exponent as it stands in a formula.
fn exponent(value: f64) -> String {
    format!("{value:.3}").replace('-', "−")
}

/// A prefactor: three significant digits, scientific outside 0.01…1000.
pub(super) fn coefficient(value: f64) -> String {
    if (1000.0..1e6).contains(&value) {
        count(value)
    } else if (0.01..1000.0).contains(&value) {
        let decimals = (2 - value.log10().floor() as i32).max(0) as usize;
        format!("{value:.decimals$}")
    } else {
        flops(value)
    }
}

#[cfg(test)]
mod tests;
