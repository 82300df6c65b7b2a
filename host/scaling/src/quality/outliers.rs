//! Runs far off the curve through the rest of their budget.
//!
//! Each budget's polynomial in ln N is fitted with and, by its leverages, without
//! each run. The scale is one for all budgets and robust: the median of the
//! absolute residuals, so that half of the runs may be wrong. The worst run of a
//! budget goes first, of hundreds the worst hundredth, and the curve is fitted again,
//! since bad runs drag their neighbours along.

use super::{Flag, Group, Indexed, LeftOut, LeftOutReason};
use crate::isoflop::{CUBIC_POINTS, Curve, MIN_POINTS};
use crate::median::median;

/// Standard deviations beyond which a run is left out.
const OUTLIER: f64 = 6.0;
/// Standard deviations beyond which it is worth a look.
const SUSPECT: f64 = 4.0;
/// A run that the curve follows more closely than this says nothing by itself. It is
/// small: of all runs the bad one has the largest residual in its own standard
/// deviations, and if the ends of a budget (free to .04 with six sizes, to .07 with
/// seven) were not judged, their neighbours would be blamed for them.
const FREE: f64 = 0.02;
/// Fewest residuals, less coefficients, that make a scale.
const MIN_DOF: usize = 6;
/// Of so many runs of a budget one goes before the curve is fitted again.
const AT_ONCE: usize = 100;
/// At most one run in so many of a budget is an outlier.
const ONE_IN: usize = 5;
/// Median absolute deviation of the standard normal.
const NORMAL_MAD: f64 = 0.674_489_750_196_081_7;
/// Residuals below this share of the loss are rounding and lack of fit.
const RESOLUTION: f64 = 2e-4;

pub(super) struct Found {
    pub(super) left_out: Vec<LeftOut>,
    pub(super) suspects: Vec<Flag>,
}

/// One run against the curve through the others.
struct Judged {
    run: usize,
    loss: f64,
    /// What the curve says without it.
    expected: f64,
    /// The residual over what noise of standard deviation 1 makes of it.
    residual: f64,
}

pub(super) fn find(groups: &[Group<'_>]) -> Found {
    let mut budgets = groups.to_vec();
    let limits: Vec<usize> = budgets
        .iter()
        .map(|budget| (budget.runs.len() / ONE_IN).max(1))
        .collect();
    let mut taken = vec![0; budgets.len()];
    let mut left_out = Vec::new();
    let mut judged: Vec<Vec<Judged>> = budgets.iter().map(judge).collect();
    loop {
        let Some(scale) = scale(&budgets, &judged) else {
            return Found {
                left_out,
                suspects: Vec::new(),
            };
        };
        let before = left_out.len();
        for ((budget, judged), (limit, taken)) in budgets
            .iter_mut()
            .zip(&mut judged)
            .zip(limits.iter().zip(&mut taken))
        {
            let mut worst: Vec<&Judged> = judged
                .iter()
                .filter(|one| one.residual.abs() > OUTLIER * scale)
                .collect();
            worst.sort_by(|a, b| b.residual.abs().total_cmp(&a.residual.abs()));
            let at_once = (budget.runs.len() / AT_ONCE).max(1);
            worst.truncate(at_once.min(limit - *taken));
            let mut is_changed = false;
            for one in worst {
                if budget.sizes_without(one.run) < MIN_POINTS {
                    break;
                }
                is_changed = true;
                *taken += 1;
                let reason = reason(one, scale, &budget.runs);
                budget.runs.retain(|(run, _)| *run != one.run);
                left_out.push(LeftOut {
                    run: one.run,
                    reason,
                });
            }
            if is_changed {
                *judged = judge(budget);
            }
        }
        if left_out.len() == before {
            return Found {
                left_out,
                suspects: suspects(&judged, scale),
            };
        }
    }
}

/// Diverged where it lies above the curve by more than the rest of the budget
/// spans; an outlier otherwise.
fn reason(worst: &Judged, scale: f64, runs: &[Indexed<'_>]) -> LeftOutReason {
    let (low, high) = runs.iter().filter(|(run, _)| *run != worst.run).fold(
        (f64::INFINITY, f64::NEG_INFINITY),
        |(low, high), (_, run)| (low.min(run.loss), high.max(run.loss)),
    );
    if worst.loss - worst.expected > high - low && worst.loss > high {
        LeftOutReason::Diverged {
            loss: Some(worst.loss),
            expected: Some(worst.expected),
        }
    } else {
        LeftOutReason::Outlier {
            z: worst.residual / scale,
            expected: worst.expected,
        }
    }
}

fn suspects(judged: &[Vec<Judged>], scale: f64) -> Vec<Flag> {
    judged
        .iter()
        .flatten()
        .filter(|one| one.residual.abs() > SUSPECT * scale)
        .map(|one| Flag::Suspect {
            run: one.run,
            z: one.residual / scale,
        })
        .collect()
}

/// Five sizes or more leave a residual that tells which run is to blame.
fn degree(budget: &Group<'_>) -> Option<usize> {
    match budget.sizes() {
        CUBIC_POINTS.. => Some(3),
        sizes if sizes > MIN_POINTS => Some(2),
        _ => None,
    }
}

fn judge(budget: &Group<'_>) -> Vec<Judged> {
    let points = budget.points();
    let Some((curve, _)) = degree(budget).and_then(|degree| Curve::fit(&points, degree)) else {
        return Vec::new();
    };
    points
        .iter()
        .zip(&budget.runs)
        .filter_map(|(point, (run, _))| {
            let basis = curve.basis((point.ln_n - curve.center) / curve.half_width, 0);
            let free = 1.0 - point.weight * curve.unit_cov(&basis, &basis);
            let residual = point.loss - curve.loss_at(point.ln_n.exp());
            let judged = Judged {
                run: *run,
                loss: point.loss,
                expected: point.loss - residual / free,
                residual: residual * (point.weight / free).sqrt(),
            };
            (free > FREE && judged.residual.is_finite()).then_some(judged)
        })
        .collect()
}

/// The standard deviation of one run of weight 1, from the median.
fn scale(budgets: &[Group<'_>], judged: &[Vec<Judged>]) -> Option<f64> {
    let dof: usize = budgets
        .iter()
        .zip(judged)
        .filter(|(_, judged)| !judged.is_empty())
        .filter_map(|(budget, _)| {
            let degree = degree(budget)?;
            Some(budget.runs.len().saturating_sub(degree + 1))
        })
        .sum();
    if dof < MIN_DOF {
        return None;
    }
    let residuals: Vec<f64> = judged.iter().flatten().map(|j| j.residual.abs()).collect();
    let losses: Vec<f64> = judged.iter().flatten().map(|j| j.loss).collect();
    let resolution = RESOLUTION * median(losses)?;
    Some((median(residuals)? / NORMAL_MAD).max(resolution))
}
