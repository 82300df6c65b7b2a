//! What the answer hangs on: the changes of the runs that move it most.

use flops_fit_scaling::influence::Change;
use flops_fit_scaling::quantity::{count, flops, loss};
use flops_fit_scaling::{Influence, Run};

use super::numbers::{NOTHING, plain};
use crate::report::analysis::Analysis;
use crate::report::note::label;
use crate::report::sheet::{Cell, Lean, Sheet};

/// Changes that are told; `analysis.json` has them all.
const MOST: usize = 8;

/// The largest changes of N*; `None` where none was tried.
pub(super) fn influences(analysis: &Analysis) -> Option<Sheet> {
    let all = &analysis.fits.influence;
    let c = all.iter().find_map(|influence| Some(influence.answer?.c))?;
    let mut sheet = Sheet::new(
        format!("What the answer at {} FLOPs hangs on", flops(c)),
        &[
            ("change", Lean::Left),
            ("N*", Lean::Right),
            ("by", Lean::Right),
            ("L*", Lean::Right),
            ("by", Lean::Right),
            ("within 95%", Lean::Left),
        ],
    );
    let told = all.iter().take(MOST);
    sheet.rows = told.map(|one| row(one, &analysis.points)).collect();
    let more = all.len().saturating_sub(MOST);
    let less = match more {
        0 => None,
        1 => Some("1 other change moves N* less".to_owned()),
        _ => Some(format!("{more} other changes move N* less")),
    };
    sheet.remarks.extend(less);
    Some(sheet)
}

fn row(influence: &Influence, points: &[Run]) -> Vec<Cell> {
    let shown = |value: Option<f64>, show: fn(f64) -> String| {
        value.map_or_else(|| NOTHING.into(), |value| plain(value, show))
    };
    let then = influence.answer;
    vec![
        change(&influence.change, points).into(),
        shown(then.map(|then| then.n), count),
        shown(influence.ln_n, |by| format!("×{:.2}", by.exp())),
        shown(then.map(|then| then.loss), loss),
        shown(influence.loss, difference),
        match (then, influence.beyond) {
            (None, _) => "no law is left",
            (_, true) => "no",
            (_, false) => "yes",
        }
        .into(),
    ]
}

/// A difference of losses with its sign, unless it rounds to 0.
fn difference(by: f64) -> String {
    let text = format!("{by:+.3}");
    match text.get(1..) {
        Some("0.000") => "0.000".to_owned(),
        _ => text,
    }
}

fn change(change: &Change, points: &[Run]) -> String {
    match change {
        Change::WithoutBudget { budget } => format!("without the budget {}", flops(*budget)),
        Change::WithoutRun { run, flagged } => {
            let doubtful = if *flagged { ", doubtful" } else { "" };
            format!("without {}{doubtful}", told(*run, points))
        }
        Change::WithRuns { runs } => match runs.as_slice() {
            [run] => format!("with {}, left out", told(*run, points)),
            runs => format!("with {} runs that are left out", runs.len()),
        },
    }
}

/// A run by size and budget, and its name.
fn told(run: usize, points: &[Run]) -> String {
    let name = label(points, run);
    match points.get(run) {
        Some(point) => {
            let c = point.budget.unwrap_or(point.c);
            format!("{} at {} ({name})", count(point.n), flops(c))
        }
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences() {
        for (by, expected) in [
            (0.0104, "+0.010"),
            (-0.018, "-0.018"),
            (1e-5, "0.000"),
            (-1e-5, "0.000"),
            (0.0, "0.000"),
        ] {
            assert_eq!(difference(by), expected);
        }
    }
}
