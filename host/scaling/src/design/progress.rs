//! Advice for a sweep whose runs have been analysed.

use std::collections::HashSet;

use super::{Advice, HalfWidth, Size, advise, proposals};
use crate::analysis::{Analysis, Options};
use crate::analyze::{AnalysisError, Extent, answer};
use crate::fit::fit;
use crate::method::Method;
use crate::run::Run;
use crate::sample::Sample;

/// Methods whose surface the runs' information is about, best first.
const SURFACES: [Method; 2] = [Method::ParametricMse, Method::ParametricHuber];

/// The answer that `runs` give with `options`, with what to train next for it as
/// [`next_run`] advises, and without what an analysis finds beside it: detours,
/// influence, conventions.
///
/// # Errors
/// As [`analyze`](crate::analyze()).
pub fn next_run_after(
    runs: &[Run],
    options: &Options,
    sizes: &[Size],
) -> Result<Analysis, AnalysisError> {
    let mut answer = answer(runs, options, Extent::Answer)?;
    answer.advice = next_run(&answer, runs, sizes);
    Ok(answer)
}

/// What to train next for the farthest prediction that is within two decades of the
/// budgets, and whether to, by the wish of the analysis's options. `runs` is the list
/// that was analysed; without `sizes` any size can be trained. `None` where the runs
/// carry no surface or the prediction has no interval.
pub fn next_run(analysis: &Analysis, runs: &[Run], sizes: &[Size]) -> Option<Advice> {
    let near = analysis.predictions.iter().filter(|at| !at.is_far);
    let at = near.max_by(|a, b| a.c.total_cmp(&b.c))?;
    let whole = at.ci95?;
    let noise = at.unwidened.unwrap_or(whole);
    let now = [
        HalfWidth::of(whole.n.map(f64::ln), noise.n.map(f64::ln)),
        HalfWidth::of(whole.loss, noise.loss),
    ];
    let left_out: HashSet<usize> = analysis.left_out.iter().map(|one| one.run).collect();
    let rows = runs.iter().enumerate();
    let kept: Vec<(usize, &Run)> = rows.filter(|(row, _)| !left_out.contains(row)).collect();
    let sample = Sample::of(&kept).ok()?;
    let fitted = SURFACES
        .into_iter()
        .find_map(|method| fit(method, &sample).ok())?;
    let budgets: Vec<f64> = analysis
        .budgets
        .iter()
        .map(|budget| budget.budget)
        .collect();
    let proposals = proposals(fitted.law(), &budgets, sizes);
    advise(
        &sample,
        fitted.law(),
        at.c,
        now,
        analysis.options.wish,
        &proposals,
    )
}
