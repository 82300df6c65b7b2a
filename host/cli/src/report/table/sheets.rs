//! The tables one by one.

use flops_fit_scaling::isoflop::{BudgetFit, Method, Minimum, Outcome};
use flops_fit_scaling::quantity::{count, flops, loss, ratio};
use flops_fit_scaling::selection::PowerLaws;
use flops_fit_scaling::{Interval, Prediction, Quantity};

use super::numbers::{coefficient, exponent, plain, predicted, with_bounds};
use crate::report::analysis::Analysis;
use crate::report::sheet::{Cell, Lean, Sheet};

/// Mark of a budget beyond those that were trained.
const BEYOND: char = '↑';
/// Mark of one that is more than two decades beyond.
const FAR: char = '‼';
/// What stands where there is nothing to tell.
const NOTHING: &str = "–";

/// Each budget's minimum.
pub(super) fn budgets(analysis: &Analysis) -> Sheet {
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

fn budget(fit: &BudgetFit) -> Vec<Cell> {
    let found: [Cell; 4] = match &fit.outcome {
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
            curve_name(*method).into(),
        ],
        Outcome::Undetermined(_) => [NOTHING, NOTHING, NOTHING, "none that counts"].map(Cell::from),
    };
    let mut row = vec![
        plain(fit.budget, flops),
        Cell::number(fit.runs.len() as f64, fit.runs.len().to_string()),
        Cell::number(fit.sizes as f64, fit.sizes.to_string()),
    ];
    row.extend(found);
    row
}

/// The recommendation's laws.
pub(super) fn laws(laws: &PowerLaws) -> Sheet {
    let mut sheet = Sheet::new(
        "Laws",
        &[("law", Lean::Left), ("exponent (95%)", Lean::Right)],
    );
    let power = |name: &str, k: f64, interval: &Interval| {
        let formula = format!(
            "{name} = {} · C^{}",
            coefficient(k),
            exponent(interval.estimate)
        );
        vec![formula.into(), with_bounds(interval, loss)]
    };
    sheet.rows = vec![
        power("N*", laws.k_n, &laws.a),
        power("D*", laws.k_d, &laws.b),
    ];
    sheet
}

/// What to train at each budget.
pub(super) fn predictions(title: &str, unit: &str, predictions: &[Prediction]) -> Sheet {
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
                Cell::number(p.c, marked(p)),
                predicted(p, Quantity::N, count),
                predicted(p, Quantity::D, count),
                predicted(p, Quantity::UnitsPerParameter, ratio),
                predicted(p, Quantity::Loss, loss),
            ]
        })
        .collect();
    if predictions.iter().any(is_beyond) {
        sheet
            .remarks
            .push(format!("{BEYOND} outside the budgets that were trained"));
    }
    if predictions.iter().any(|p| p.is_far) {
        sheet
            .remarks
            .push(format!("{FAR} more than two decades outside them"));
    }
    sheet
}

fn is_beyond(prediction: &Prediction) -> bool {
    prediction.is_beyond() && !prediction.is_far
}

fn marked(prediction: &Prediction) -> String {
    let mut text = flops(prediction.c);
    if prediction.is_far {
        text.extend([' ', FAR]);
    } else if is_beyond(prediction) {
        text.extend([' ', BEYOND]);
    }
    text
}

/// The methods beside one another, where there is more than one.
pub(super) fn methods(analysis: &Analysis) -> Option<Sheet> {
    let recommended = analysis.fits.recommended.as_ref()?;
    let place = analysis.fits.predictions.iter().rposition(|p| !p.is_far)?;
    if analysis.fits.laws().count() < 2 {
        return None;
    }
    let at = flops(analysis.fits.predictions[place].c);
    let (n, d, l) = (
        format!("N* at {at} (95%)"),
        format!("D* at {at}"),
        format!("L* at {at}"),
    );
    let mut sheet = Sheet::new(
        "Methods side by side",
        &[
            ("method", Lean::Left),
            ("weight", Lean::Right),
            (&n, Lean::Right),
            (&d, Lean::Right),
            (&l, Lean::Right),
        ],
    );
    let of_method = analysis.fits.laws().map(|(method, fitted)| {
        let there = &fitted.predictions[place];
        let weight = recommended.weights.get(&method).copied().unwrap_or(0.0);
        vec![
            method.name().into(),
            plain(weight, |weight| format!("{weight:.2}")),
            predicted(there, Quantity::N, count),
            plain(there.d, count),
            plain(there.loss, loss),
        ]
    });
    sheet.rows = of_method.collect();
    Some(sheet)
}

/// The name of a curve's shape.
fn curve_name(method: Method) -> &'static str {
    match method {
        Method::Cubic => "cubic",
        Method::Parabola => "parabola",
        Method::WindowedParabola => "parabola near the minimum",
    }
}
