//! Choosing among candidate sizes.

use super::{
    BudgetGrid, Budgets, Candidate, ENOUGH_SIZES, Grid, GridError, GridSpec, Layout, PlannedTrial,
    Side, SizeList, SkipReason, SkippedSize, Spread,
};
use crate::batch::Batch;

/// An accepted candidate.
#[derive(Debug, Clone, Copy)]
struct Sized {
    size: i64,
    n: f64,
    flops_per_unit: f64,
}

/// The model's answers, checked: accepted sizes by ascending N, and refusals.
struct Answers {
    accepted: Vec<Sized>,
    refused: Vec<(i64, String)>,
}

pub(super) fn plan(spec: &GridSpec, candidates: &[Candidate]) -> Result<Grid, GridError> {
    check_batch(&spec.batch)?;
    let answers = check_candidates(candidates)?;
    let mut budgets = match &spec.layout {
        Layout::Around { budgets, spread } => {
            check_spread(spread)?;
            expand(budgets)?
                .into_iter()
                .map(|budget| around(spec, spread, budget, &answers))
                .collect::<Result<Vec<_>, _>>()?
        }
        Layout::Listed(lists) => {
            let budgets: Vec<f64> = lists.iter().map(|list| list.budget).collect();
            check_budgets(&budgets)?;
            lists
                .iter()
                .map(|list| listed(spec, list, &answers))
                .collect::<Result<Vec<_>, _>>()?
        }
    };
    budgets.sort_by(|a, b| a.budget.total_cmp(&b.budget));
    let flops = budgets.iter().flat_map(|b| &b.trials).map(|t| t.c).sum();
    Ok(Grid { budgets, flops })
}

fn check_batch(batch: &Batch) -> Result<(), GridError> {
    if batch.units() == 0 {
        return Err(GridError::NoUnitsPerStep);
    }
    match batch.grows_from {
        Some(found) if !is_positive(found) => Err(GridError::InvalidStart { found }),
        _ => Ok(()),
    }
}

fn check_candidates(candidates: &[Candidate]) -> Result<Answers, GridError> {
    let mut accepted: Vec<Sized> = Vec::new();
    let mut refused = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for candidate in candidates {
        let (Candidate::Accepted { size, .. } | Candidate::Refused { size, .. }) = candidate;
        if !seen.insert(*size) {
            return Err(GridError::RepeatedSize { size: *size });
        }
        match candidate {
            Candidate::Refused { size, reason } => refused.push((*size, reason.clone())),
            &Candidate::Accepted {
                size,
                n,
                flops_per_unit,
            } => {
                for (field, found) in [("n", n), ("flops_per_unit", flops_per_unit)] {
                    if !is_positive(found) {
                        return Err(GridError::InvalidCandidate { size, field, found });
                    }
                }
                accepted.push(Sized {
                    size,
                    n,
                    flops_per_unit,
                });
            }
        }
    }
    if accepted.is_empty() {
        return Err(GridError::NoCandidates {
            refused: refused.len(),
        });
    }
    accepted.sort_by(|a, b| a.n.total_cmp(&b.n).then(a.size.cmp(&b.size)));
    Ok(Answers { accepted, refused })
}

fn check_spread(spread: &Spread) -> Result<(), GridError> {
    if spread.per_budget < 4 {
        return Err(GridError::TooFewSizes {
            found: spread.per_budget,
        });
    }
    if !(spread.span.is_finite() && spread.span > 1.0) {
        return Err(GridError::InvalidSpan { found: spread.span });
    }
    Ok(())
}

fn check_budgets(budgets: &[f64]) -> Result<(), GridError> {
    if budgets.is_empty() {
        return Err(GridError::NoBudgets);
    }
    for (i, &budget) in budgets.iter().enumerate() {
        if !is_positive(budget) {
            return Err(GridError::InvalidBudget { found: budget });
        }
        if budgets[..i].iter().any(|b| b.total_cmp(&budget).is_eq()) {
            return Err(GridError::RepeatedBudget { budget });
        }
    }
    Ok(())
}

pub(super) fn expand(budgets: &Budgets) -> Result<Vec<f64>, GridError> {
    let list = match *budgets {
        Budgets::List(ref list) => list.clone(),
        Budgets::LogSpaced { min, max, count } => {
            if !(is_positive(min) && is_positive(max) && min < max && count >= 2) {
                return Err(GridError::InvalidRange { min, max, count });
            }
            let step = (max / min).ln() / (count - 1) as f64;
            let mut list: Vec<f64> = (0..count).map(|i| min * (step * i as f64).exp()).collect();
            list[count - 1] = max;
            list
        }
    };
    check_budgets(&list)?;
    Ok(list)
}

fn around(
    spec: &GridSpec,
    spread: &Spread,
    budget: f64,
    answers: &Answers,
) -> Result<BudgetGrid, GridError> {
    let center = spread.center.at(budget);
    if !is_positive(center) {
        return Err(GridError::InvalidCenter {
            budget,
            found: center,
        });
    }
    let (low, high) = (center / spread.span, center * spread.span);
    let mut eligible = Vec::new();
    let mut skipped: Vec<SkippedSize> = answers.refused.iter().map(refusal).collect();
    for &sized in &answers.accepted {
        match trial(spec, budget, sized) {
            Ok(trial) => eligible.push(trial),
            Err(reason) if (low..=high).contains(&sized.n) => skipped.push(SkippedSize {
                size: sized.size,
                reason,
            }),
            Err(_) => {}
        }
    }
    // Two settings of the size parameter with one N would be one point twice.
    eligible.dedup_by(|b, a| a.n.total_cmp(&b.n).is_eq());
    let mut uncovered = Vec::new();
    if eligible.first().is_none_or(|t| t.n > low) {
        uncovered.push(Side::Low);
    }
    if eligible.last().is_none_or(|t| t.n < high) {
        uncovered.push(Side::High);
    }
    let trials = spread_out(&eligible, low, high, spread.per_budget);
    skipped.sort_by_key(|s| s.size);
    Ok(BudgetGrid {
        budget,
        center: Some(center),
        trials,
        skipped,
        uncovered,
    })
}

fn listed(spec: &GridSpec, list: &SizeList, answers: &Answers) -> Result<BudgetGrid, GridError> {
    let mut trials = Vec::new();
    let mut skipped = Vec::new();
    for (i, &size) in list.sizes.iter().enumerate() {
        if list.sizes[..i].contains(&size) {
            return Err(GridError::RepeatedSize { size });
        }
        let accepted = answers.accepted.iter().find(|s| s.size == size);
        let refused = answers.refused.iter().find(|(s, _)| *s == size);
        let reason = match (accepted, refused) {
            (Some(&sized), _) => match trial(spec, list.budget, sized) {
                Ok(trial) => {
                    trials.push(trial);
                    continue;
                }
                Err(reason) => reason,
            },
            (None, Some(refused)) => refusal(refused).reason,
            (None, None) => SkipReason::NotMeasured,
        };
        skipped.push(SkippedSize { size, reason });
    }
    trials.sort_by(|a, b| a.n.total_cmp(&b.n));
    Ok(BudgetGrid {
        budget: list.budget,
        center: None,
        trials,
        skipped,
        uncovered: Vec::new(),
    })
}

fn refusal((size, reason): &(i64, String)) -> SkippedSize {
    SkippedSize {
        size: *size,
        reason: SkipReason::Refused {
            reason: reason.clone(),
        },
    }
}

fn trial(spec: &GridSpec, budget: f64, sized: Sized) -> Result<PlannedTrial, SkipReason> {
    let units_per_step = spec.batch.units_at(budget / sized.flops_per_unit);
    let step = sized.flops_per_unit * units_per_step as f64;
    let steps = (budget / step).round() as u64;
    if steps < spec.min_steps.max(1) {
        return Err(SkipReason::TooFewSteps {
            steps,
            min_steps: spec.min_steps.max(1),
        });
    }
    let d = steps as f64 * units_per_step as f64;
    Ok(PlannedTrial {
        size: sized.size,
        n: sized.n,
        steps,
        d,
        c: d * sized.flops_per_unit,
        units_per_step,
    })
}

/// The `count` trials that cover `low..high` most evenly in ln N.
fn spread_out(eligible: &[PlannedTrial], low: f64, high: f64, count: usize) -> Vec<PlannedTrial> {
    if eligible.is_empty() {
        return Vec::new();
    }
    let last = eligible.len() - 1;
    let mut first = eligible.iter().rposition(|t| t.n <= low).unwrap_or(0);
    let mut end = eligible.iter().position(|t| t.n >= high).unwrap_or(last);
    // Where candidates are sparser than that, reach out to the nearest ones.
    let middle = (low * high).sqrt();
    while end - first + 1 < count.min(ENOUGH_SIZES) && (first > 0 || end < last) {
        let below = (first > 0).then(|| middle / eligible[first - 1].n);
        let above = (end < last).then(|| eligible[end + 1].n / middle);
        match (below, above) {
            (Some(below), Some(above)) if below <= above => first -= 1,
            (Some(_), None) => first -= 1,
            _ => end += 1,
        }
    }
    let window = &eligible[first..=end];
    let x: Vec<f64> = window.iter().map(|t| t.n.ln()).collect();
    nearest_to_even(&x, count)
        .into_iter()
        .map(|i| window[i])
        .collect()
}

/// Indices of `count` distinct values of the ascending `x`, both ends included,
/// with the least sum of squared distances to evenly spaced targets.
fn nearest_to_even(x: &[f64], count: usize) -> Vec<usize> {
    if x.len() <= count {
        return (0..x.len()).collect();
    }
    let (low, high) = (x[0], x[x.len() - 1]);
    let target = |j: usize| low + (high - low) * j as f64 / (count - 1) as f64;
    // best[j][i]: least cost of giving targets 0..=j distinct values, the last x[i].
    let mut best = vec![vec![f64::INFINITY; x.len()]; count];
    let mut from = vec![vec![0; x.len()]; count];
    best[0][0] = 0.0;
    for j in 1..count {
        let (mut least, mut argument) = (f64::INFINITY, 0);
        for i in j..x.len() {
            if best[j - 1][i - 1] < least {
                (least, argument) = (best[j - 1][i - 1], i - 1);
            }
            best[j][i] = least + (x[i] - target(j)).powi(2);
            from[j][i] = argument;
        }
    }
    let mut chosen = vec![x.len() - 1];
    for j in (1..count).rev() {
        chosen.push(from[j][chosen[chosen.len() - 1]]);
    }
    chosen.reverse();
    chosen
}

/// The straight line through known minima in ln C, ln N; exponent ½ outside.
pub(super) fn interpolate(minima: &[(f64, f64)], budget: f64) -> f64 {
    let mut points: Vec<(f64, f64)> = minima.iter().map(|(c, n)| (c.ln(), n.ln())).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let x = budget.ln();
    let after = points.partition_point(|p| p.0 <= x);
    let ln_n = match (points[..after].last(), points.get(after)) {
        (Some(a), Some(b)) => a.1 + (b.1 - a.1) * (x - a.0) / (b.0 - a.0),
        (Some(only), None) | (None, Some(only)) => only.1 + 0.5 * (x - only.0),
        (None, None) => f64::NAN,
    };
    ln_n.exp()
}

fn is_positive(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
