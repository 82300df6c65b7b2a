//! The tables one by one.

use flops_fit_scaling::fit::Parameters;
use flops_fit_scaling::isoflop::{BudgetFit, Method as Shape, Minimum, Outcome};
use flops_fit_scaling::quantity::{count, flops, loss, ratio};
use flops_fit_scaling::selection::PowerLaws;
use flops_fit_scaling::tolerance::EXTRA;
use flops_fit_scaling::{self as scaling, FittedMethod, Interval, Method, Prediction, Quantity};

use super::numbers::{NOTHING, coefficient, exponent, plain, predicted, tolerance, with_bounds};
use crate::report::analysis::Analysis;
use crate::report::sheet::{Cell, Lean, Sheet};

/// Mark of a budget beyond those that were trained.
const BEYOND: char = '↑';
/// Mark of one that is more than two decades beyond.
const FAR: char = '‼';
/// Head of the sizes that cost little more.
const TOLERANCE: &str = "N tolerance";

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
            (TOLERANCE, Lean::Right),
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
                tolerance(p),
                predicted(p, Quantity::D, count),
                predicted(p, Quantity::UnitsPerParameter, ratio),
                predicted(p, Quantity::Loss, loss),
            ]
        })
        .collect();
    if predictions.iter().any(|p| p.tolerance.is_some()) {
        sheet.remarks.push(format!(
            "{TOLERANCE}: sizes that reach the same loss with at most {} % more compute",
            100.0 * EXTRA
        ));
    }
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

/// Every method's weight in the recommendation and its law, largest weight first.
pub(super) fn by_weight(fits: &scaling::Analysis) -> Vec<(Method, f64, &FittedMethod)> {
    let weights = fits.recommended.as_ref().map(|followed| &followed.weights);
    let weight = |method: Method| weights?.get(&method).copied();
    let laws = fits.laws();
    let laws = laws.map(|(method, law)| (method, weight(method).unwrap_or(0.0), law));
    let mut laws: Vec<_> = laws.collect();
    laws.sort_by(|a, b| b.1.total_cmp(&a.1));
    laws
}

/// The methods beside one another, where there is more than one, best first.
pub(super) fn methods(analysis: &Analysis) -> Option<Sheet> {
    let fits = &analysis.fits;
    let near = fits
        .predictions
        .iter()
        .enumerate()
        .filter(|(_, p)| !p.is_far);
    let (place, _) = near.max_by(|a, b| a.1.c.total_cmp(&b.1.c))?;
    let laws = by_weight(fits);
    if laws.len() < 2 {
        return None;
    }
    let scores = |method: Method| fits.holdout.as_ref()?.scores.get(&method);
    let mut sheet = Sheet::new(
        format!("Methods at {} FLOPs", flops(fits.predictions[place].c)),
        &[
            ("method", Lean::Left),
            ("weight", Lean::Right),
            ("regret", Lean::Right),
            ("N* missed by", Lean::Right),
            ("a", Lean::Right),
            ("N* (95%)", Lean::Right),
            (TOLERANCE, Lean::Right),
            ("D*", Lean::Right),
            ("L*", Lean::Right),
        ],
    );
    sheet.rows = laws
        .iter()
        .map(|&(method, weight, fitted)| {
            let there = &fitted.predictions[place];
            let score = scores(method);
            let scored = |value: Option<f64>, show: &dyn Fn(f64) -> String| {
                value.map_or_else(|| NOTHING.into(), |value| plain(value, show))
            };
            vec![
                method.name().into(),
                plain(weight, |weight| format!("{weight:.2}")),
                scored(score.map(|s| s.regret), &regret),
                scored(score.map(|s| s.ln_n_error.exp()), &|factor| {
                    format!("×{factor:.2}")
                }),
                plain(n_exponent(&fitted.parameters), |a| format!("{a:.3}")),
                predicted(there, Quantity::N, count),
                tolerance(there),
                plain(there.d, count),
                plain(there.loss, loss),
            ]
        })
        .collect();
    if let Some(holdout) = &fits.holdout {
        let tests = holdout.tests().count();
        sheet.remarks.push(format!(
            "regret and miss: mean and root mean square over {tests} test{} on held-out larger budgets; \
             a: exponent of N*(C)",
            if tests == 1 { "" } else { "s" }
        ));
    }
    Some(sheet)
}

/// A regret, which may be very small, or 0 without noise.
fn regret(value: f64) -> String {
    if value > 0.0 {
        coefficient(value)
    } else {
        "0".to_owned()
    }
}

/// Exponent of N*(C); of a surface where C is proportional to N·D.
fn n_exponent(parameters: &Parameters) -> f64 {
    match parameters {
        Parameters::Isoflop(law) => law.a,
        Parameters::Surface(law) => law.a,
        Parameters::Envelope(law) => law.a,
        Parameters::DataConstrained(law) => law.beta / (law.alpha + law.beta),
    }
}

/// The name of a curve's shape.
fn curve_name(method: Shape) -> &'static str {
    match method {
        Shape::Cubic => "cubic",
        Shape::Parabola => "parabola",
        Shape::WindowedParabola => "parabola near the minimum",
    }
}
