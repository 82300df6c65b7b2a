//! Which runs are fitted, and what to be wary of.
//!
//! No run disappears: each one that is left out keeps its position and a
//! [`LeftOutReason`], and what is kept but doubtful gets a [`Flag`]. The checks, in
//! their order: numbers that no law can be fitted to, runs that tried a diverged one
//! again, data repeated too often, the same row again, nearly the same size again, outliers of their budget's curve,
//! and sizes that make a budget lopsided. Without checks every row is fitted as
//! given, and only flags are raised. With or without them, the highest losses are
//! dropped first where that was asked for.

mod duplicates;
mod outliers;
mod trim;

use serde::{Deserialize, Serialize};

use crate::budget::Budget;
use crate::isoflop::{BudgetFit, CUBIC_POINTS, Isoflop, MIN_POINTS, Point};
use crate::quantity;
use crate::run::{Run, RunError};
use crate::student;

/// Passes over the data beyond which a run is left out by default: up to about
/// four, repeated data is nearly worth new data (Muennighoff et al. 2023).
pub const MAX_REPEATS: f64 = 4.0;

/// A run that no fit uses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Position in the list that was analysed.
    pub run: usize,
    /// Why.
    pub reason: LeftOutReason,
}

/// Why a run is left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LeftOutReason {
    /// A number that no law can be fitted to.
    #[error("{field} is {found}, expected a finite number above 0 (1e-60 to 1e60)")]
    Impossible {
        /// Name of the field.
        field: String,
        /// What it holds, as text: JSON has no word for it.
        found: String,
    },
    /// The loss left the numbers that mean anything.
    #[error("diverged: {}", diverged(*loss, *expected))]
    Diverged {
        /// The loss; absent where it is not finite.
        loss: Option<f64>,
        /// What its budget's curve says without it.
        expected: Option<f64>,
    },
    /// It tried a run that diverged again, with a lower learning rate than the others'.
    #[error("trained with a lower learning rate than the others, since {of} diverged")]
    Retried {
        /// The run that diverged.
        of: String,
    },
    /// One of the highest losses, which were to be dropped.
    #[error("among the {count} highest losses, which were to be dropped")]
    Worst {
        /// How many were to be dropped.
        count: usize,
    },
    /// The data was repeated too often.
    #[error("saw its data {repeats:.1} times, more than {limit}")]
    Repeated {
        /// Passes over the data.
        repeats: f64,
        /// Most that are accepted.
        limit: f64,
    },
    /// The same row again.
    #[error("the same as run {of}")]
    Duplicate {
        /// Position of the run that is kept.
        of: usize,
    },
    /// Nearly the same size at the same budget again, as from one point read twice.
    #[error("N differs from run {of} by {:.2} % alone", 100.0 * difference)]
    NearDuplicate {
        /// Position of the run that is kept.
        of: usize,
        /// Relative difference in N.
        difference: f64,
    },
    /// Far off the curve through the rest of its budget.
    #[error("{z:.1} standard deviations off its budget's curve, which says {expected:.3}")]
    Outlier {
        /// Distance from the curve fitted without it, in its own standard deviations.
        z: f64,
        /// What that curve says.
        expected: f64,
    },
    /// So far to one side that its budget's sizes are lopsided around the minimum.
    #[error(
        "the sizes reach ×{:.1} to this side of the minimum and ×{:.1} to the other",
        far,
        near
    )]
    OffCenter {
        /// Ratio between this size and the minimum, at least 1.
        far: f64,
        /// The same on the other side.
        near: f64,
    },
}

fn diverged(loss: Option<f64>, expected: Option<f64>) -> String {
    match (loss, expected) {
        (Some(loss), Some(expected)) => format!("loss {loss:.3} where {expected:.3} was expected"),
        (Some(loss), None) => format!("loss {loss:.3}"),
        _ => "its loss is not a finite number".to_owned(),
    }
}

/// Something that is kept and doubtful.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Flag {
    /// Four or five sizes: a parabola can be fitted but not doubted.
    #[error("{} FLOPs has {sizes} sizes: enough for a parabola, too few to test its shape", quantity::flops(*budget))]
    FewPoints {
        /// FLOPs.
        budget: f64,
        /// Distinct sizes.
        sizes: usize,
    },
    /// Too few sizes for any curve; the runs count for the surface alone.
    #[error("{} FLOPs has {sizes} sizes, fewer than the {MIN_POINTS} of a curve", quantity::flops(*budget))]
    TooFewPoints {
        /// FLOPs.
        budget: f64,
        /// Distinct sizes.
        sizes: usize,
    },
    /// The minimum is far from the middle of the sizes, which are too few to trim.
    #[error("{} FLOPs is lopsided: its sizes reach ×{low:.1} below the minimum and ×{high:.1} above", quantity::flops(*budget))]
    OffCenter {
        /// FLOPs.
        budget: f64,
        /// Ratio between the minimum and the smallest size.
        low: f64,
        /// Ratio between the largest size and the minimum.
        high: f64,
    },
    /// Its minimum counts, and yet the two-sided 95 % interval of the curvature there
    /// reaches 0.
    #[error("{} FLOPs is hardly bent: curvature {curvature:.4}, {:.1} times its standard error", quantity::flops(*budget), curvature / se)]
    WeakCurvature {
        /// FLOPs.
        budget: f64,
        /// Second derivative of the loss by ln N at the minimum.
        curvature: f64,
        /// Its standard error.
        se: f64,
    },
    /// A target that is not predicted.
    #[error("{} FLOPs is so far from the runs that some method's answer there is no number: it is not predicted", quantity::flops(*c))]
    Unanswered {
        /// FLOPs.
        c: f64,
    },
    /// Off its budget's curve, not far enough to be left out.
    #[error("run {run} is {z:.1} standard deviations off its budget's curve")]
    Suspect {
        /// Position in the list that was analysed.
        run: usize,
        /// Distance from the curve fitted without it.
        z: f64,
    },
    /// In no budget, so that the surface alone uses it.
    #[error("{runs} runs belong to no budget; methods by budget pass over them")]
    Loose {
        /// How many.
        runs: usize,
    },
}

/// Which checks are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Checks {
    /// Whether any is.
    pub(crate) enabled: bool,
    /// Largest number of passes over the data; `None` accepts any.
    pub(crate) max_repeats: Option<f64>,
    /// How many of the highest losses are left out before anything else, with or
    /// without checks.
    pub(crate) drop_worst: usize,
}

/// A run with its position in the list that is being analysed.
type Indexed<'a> = (usize, &'a Run);

/// The runs of one budget.
#[derive(Debug, Clone)]
struct Group<'a> {
    /// FLOPs that they were planned for, or used.
    budget: f64,
    runs: Vec<Indexed<'a>>,
}

impl Group<'_> {
    /// Distinct sizes.
    fn sizes(&self) -> usize {
        self.sizes_without(usize::MAX)
    }

    /// Distinct sizes if the run at position `left_out` were not there.
    fn sizes_without(&self, left_out: usize) -> usize {
        let others = self.runs.iter().filter(|(index, _)| *index != left_out);
        let mut sizes: Vec<u64> = others.map(|(_, run)| run.n.to_bits()).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes.len()
    }

    /// ln N, loss and weight of each run.
    fn points(&self) -> Vec<Point> {
        self.runs
            .iter()
            .map(|(_, run)| Point {
                ln_n: run.n.ln(),
                loss: run.loss,
                weight: run.weight.unwrap_or(1.0),
            })
            .collect()
    }
}

/// Runs to fit, runs left out, and what to be wary of.
#[derive(Debug)]
pub(crate) struct Screened<'a> {
    /// Runs to fit, in the order given.
    pub(crate) kept: Vec<Indexed<'a>>,
    /// Runs that are not fitted, in the order given.
    pub(crate) left_out: Vec<LeftOut>,
    /// Budgets first, then runs.
    pub(crate) flags: Vec<Flag>,
}

/// Splits runs into those to fit and those left out, and groups the former.
///
/// # Errors
/// Without checks, the first number that no law can be fitted to.
pub(crate) fn screen(runs: &[Run], checks: Checks) -> Result<Screened<'_>, RunError> {
    let mut left_out = Vec::new();
    let mut kept: Vec<Indexed<'_>> = Vec::new();
    for (row, run) in runs.iter().enumerate() {
        match run.check(row) {
            Ok(()) => kept.push((row, run)),
            Err(error) if !checks.enabled => return Err(error),
            Err(error) => left_out.push(LeftOut {
                run: row,
                reason: impossible(&error),
            }),
        }
    }
    if checks.enabled {
        let retried = retried(&kept);
        remove(&mut kept, &mut left_out, retried);
    }
    let worst = worst(&kept, checks.drop_worst);
    remove(&mut kept, &mut left_out, worst);
    if checks.enabled {
        if let Some(limit) = checks.max_repeats {
            let repeated = repeated(&kept, limit);
            remove(&mut kept, &mut left_out, repeated);
        }
        let duplicates = duplicates::exact(&kept);
        remove(&mut kept, &mut left_out, duplicates);
    }
    let mut groups = group(&kept);
    let loose = kept.len() - groups.iter().map(|group| group.runs.len()).sum::<usize>();
    let mut suspects = Vec::new();
    if checks.enabled {
        let near = duplicates::near(&groups);
        remove_grouped(&mut groups, &mut left_out, near);
        let found = outliers::find(&groups);
        remove_grouped(&mut groups, &mut left_out, found.left_out);
        suspects = found.suspects;
        let lopsided = trim::find(&groups);
        remove_grouped(&mut groups, &mut left_out, lopsided);
    }
    let mut is_kept = vec![true; runs.len()];
    for one in &left_out {
        is_kept[one.run] = false;
    }
    kept.retain(|(index, _)| is_kept[*index]);
    left_out.sort_by_key(|one| one.run);
    let mut flags = flag(&groups, loose);
    flags.extend(suspects.into_iter().filter(|flag| match flag {
        Flag::Suspect { run, .. } => is_kept[*run],
        _ => true,
    }));
    Ok(Screened {
        kept,
        left_out,
        flags,
    })
}

fn group<'a>(runs: &[Indexed<'a>]) -> Vec<Group<'a>> {
    Budget::group(runs.iter().map(|(_, run)| *run))
        .into_iter()
        .map(|budget| Group {
            budget: budget.nominal,
            runs: budget.rows.iter().map(|&row| runs[row]).collect(),
        })
        .collect()
}

fn impossible(error: &RunError) -> LeftOutReason {
    if error.field == "loss" && !error.value.is_finite() {
        LeftOutReason::Diverged {
            loss: None,
            expected: None,
        }
    } else {
        LeftOutReason::Impossible {
            field: error.field.to_owned(),
            found: error.value.to_string(),
        }
    }
}

fn retried(runs: &[Indexed<'_>]) -> Vec<LeftOut> {
    let reason = |of: &String| LeftOutReason::Retried { of: of.clone() };
    let found = runs.iter().filter_map(|(run, row)| {
        Some(LeftOut {
            run: *run,
            reason: row.retry_of.as_ref().map(reason)?,
        })
    });
    found.collect()
}

/// The `count` highest losses; of equal ones, those given last.
fn worst(runs: &[Indexed<'_>], count: usize) -> Vec<LeftOut> {
    let mut ranked: Vec<Indexed<'_>> = runs.to_vec();
    ranked.sort_by(|a, b| b.1.loss.total_cmp(&a.1.loss).then(b.0.cmp(&a.0)));
    ranked
        .iter()
        .take(count)
        .map(|(run, _)| LeftOut {
            run: *run,
            reason: LeftOutReason::Worst { count },
        })
        .collect()
}

fn repeated(runs: &[Indexed<'_>], limit: f64) -> Vec<LeftOut> {
    runs.iter()
        .filter_map(|(run, row)| {
            let repeats = row.repeats().filter(|repeats| *repeats > limit)?;
            Some(LeftOut {
                run: *run,
                reason: LeftOutReason::Repeated { repeats, limit },
            })
        })
        .collect()
}

fn remove(runs: &mut Vec<Indexed<'_>>, left_out: &mut Vec<LeftOut>, more: Vec<LeftOut>) {
    if more.is_empty() {
        return;
    }
    let gone: std::collections::HashSet<usize> = more.iter().map(|one| one.run).collect();
    runs.retain(|(index, _)| !gone.contains(index));
    left_out.extend(more);
}

fn remove_grouped(groups: &mut Vec<Group<'_>>, left_out: &mut Vec<LeftOut>, more: Vec<LeftOut>) {
    if more.is_empty() {
        return;
    }
    let gone: std::collections::HashSet<usize> = more.iter().map(|one| one.run).collect();
    for group in groups.iter_mut() {
        group.runs.retain(|(index, _)| !gone.contains(index));
    }
    groups.retain(|group| !group.runs.is_empty());
    left_out.extend(more);
}

/// What is doubtful about whole budgets.
fn flag(groups: &[Group<'_>], loose: usize) -> Vec<Flag> {
    let mut flags = Vec::new();
    for group in groups {
        let budget = group.budget;
        let sizes = group.sizes();
        if sizes < MIN_POINTS {
            flags.push(Flag::TooFewPoints { budget, sizes });
        } else if sizes < CUBIC_POINTS {
            flags.push(Flag::FewPoints { budget, sizes });
        }
        if let Some(reach) = trim::reach(group).filter(trim::Reach::is_lopsided) {
            flags.push(Flag::OffCenter {
                budget,
                low: reach.low.exp(),
                high: reach.high.exp(),
            });
        }
    }
    if loose > 0 {
        flags.push(Flag::Loose { runs: loose });
    }
    flags
}

/// The budgets whose minimum counts although the curve is hardly bent there.
pub(crate) fn hardly_bent(isoflop: &Isoflop) -> Vec<Flag> {
    let Some(noise) = isoflop.noise else {
        return Vec::new();
    };
    let t = student::two_sided(noise.dof);
    let weak = |budget: &BudgetFit| {
        let curvature = budget.outcome.minimum()?.curvature;
        (curvature.low <= 0.0).then(|| Flag::WeakCurvature {
            budget: budget.budget,
            curvature: curvature.estimate,
            se: curvature.half_width() / t,
        })
    };
    isoflop.budgets.iter().filter_map(weak).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]
mod tests;
