//! The tables one by one.

use flops_fit_scaling::isoflop::{BudgetFit, Method, Minimum, Outcome};
use flops_fit_scaling::loss_law::LossLaw;
use flops_fit_scaling::power_law::PowerLaw;
use flops_fit_scaling::quantity::{count, flops, loss, ratio};
use flops_fit_scaling::{Estimate, Estimator, Interval, Prediction};

use super::numbers::{coefficient, exponent, plain, with_bounds};
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

/// The laws of one estimator.
pub(super) fn laws(estimate: &Estimate) -> Sheet {
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
        let formula = format!(
            "{name} = {} · C^{}",
            coefficient(law.k()),
            exponent(law.exponent.estimate)
        );
        vec![
            formula.into(),
            with_bounds(&law.exponent, loss),
            NOTHING.into(),
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

fn loss_row(law: &LossLaw) -> Vec<Cell> {
    let negative = Interval {
        estimate: -law.exponent.estimate,
        low: -law.exponent.high,
        high: -law.exponent.low,
    };
    let formula = format!(
        "L* = {:.3} + {} · C^{}",
        law.floor.estimate,
        coefficient(law.k),
        exponent(negative.estimate)
    );
    vec![
        formula.into(),
        with_bounds(&negative, loss),
        with_bounds(&law.floor, loss),
    ]
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
pub(super) fn estimators(analysis: &Analysis) -> Option<Sheet> {
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
                estimator_name(estimate.estimator).into(),
                plain(estimate.laws.budgets.len() as f64, count),
                with_bounds(&estimate.laws.n.exponent, loss),
                plain(there.n.estimate, count),
                plain(there.d.estimate, count),
                plain(there.loss.estimate, loss),
            ]
        })
        .collect();
    Some(sheet)
}

/// What the estimator's minima come from.
fn estimator_name(estimator: Estimator) -> &'static str {
    match estimator {
        Estimator::Isoflop => "IsoFLOP curves",
        Estimator::IsoflopCubic => "cubics",
        Estimator::IsoflopParabola => "parabolas",
        Estimator::IsoflopWindowed => "parabolas near the minimum",
    }
}

/// The name of a curve's shape.
fn curve_name(method: Method) -> &'static str {
    match method {
        Method::Cubic => "cubic",
        Method::Parabola => "parabola",
        Method::WindowedParabola => "parabola near the minimum",
    }
}
