//! What a reader should know before trusting the numbers.

use flops_fit_scaling::isoflop::{Diagnosis, Outcome};
use flops_fit_scaling::laws::FAR;
use flops_fit_scaling::quality::LeftOutReason;
use flops_fit_scaling::{Analysis, Estimator, Run, quantity};
use serde::{Deserialize, Serialize};

use super::analysis::Tally;

/// Scatter around a law, as a multiple of what the noise explains, from which
/// the law itself is in doubt.
const MISFIT: f64 = 4.0;

/// Ratio between two estimators' N* from which their disagreement is told.
const DISAGREEMENT: f64 = 1.3;

/// One remark on an analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Note {
    /// Trials that gave no point.
    #[error("{} without a result: {}; reasons stand in runs.csv", counted(tally.failed + tally.diverged + tally.pending, "trial"), parts(tally))]
    Unfinished {
        /// How the trials ended.
        tally: Tally,
    },
    /// Sizes that the plan left out.
    #[error("{} left out of the plan; reasons stand in runs.csv", counted(*sizes, "size"))]
    Skipped {
        /// How many.
        sizes: usize,
    },
    /// A run that no fit uses.
    #[error("run {label} is left out: {reason}")]
    LeftOut {
        /// The run's name.
        label: String,
        /// Why.
        reason: LeftOutReason,
    },
    /// A budget without a minimum that counts.
    #[error("{} FLOPs has no minimum: {diagnosis}", quantity::flops(*budget))]
    NoMinimum {
        /// FLOPs.
        budget: f64,
        /// What is wrong, and what to train.
        diagnosis: Diagnosis,
    },
    /// Fewer than two budgets have a minimum.
    #[error("no laws: {minima} of {budgets} budgets have a minimum, two are needed")]
    NoLaws {
        /// Budgets with a minimum.
        minima: usize,
        /// Budgets.
        budgets: usize,
    },
    /// Curves through four or five sizes.
    #[error(
        "{} FLOPs: four or five sizes carry a parabola but do not test its shape",
        list(budgets)
    )]
    FewPoints {
        /// FLOPs of each.
        budgets: Vec<f64>,
    },
    /// Each size was trained once.
    #[error(
        "one seed per size: the noise is what the curves leave over, {dof:.0} degrees of freedom"
    )]
    OneSeed {
        /// Degrees of freedom of the noise.
        dof: f64,
    },
    /// Budgets that do not lie on a law.
    #[error("the budgets scatter around {law} by {:.1} times the noise; its interval is widened by as much", chi_square.sqrt())]
    Misfit {
        /// `N*(C)`, `D*(C)` or `L*(C)`.
        law: String,
        /// Squared residuals over what the noise explains, per degree of freedom.
        chi_square: f64,
    },
    /// Estimators that differ.
    #[error("at {} FLOPs the estimators put N* between {} and {}", quantity::flops(*c), quantity::count(*low), quantity::count(*high))]
    Disagreement {
        /// FLOPs: the farthest prediction up to two decades beyond the runs.
        c: f64,
        /// Smallest N*.
        low: f64,
        /// Largest N*.
        high: f64,
    },
    /// Predictions far outside the measured budgets.
    #[error("predictions up to {} FLOPs reach {decades:.1} decades beyond the measured budgets: a guess more than a forecast", quantity::flops(*c))]
    Far {
        /// FLOPs of the farthest.
        c: f64,
        /// Decades beyond.
        decades: f64,
    },
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn parts(tally: &Tally) -> String {
    let parts = [
        (tally.failed, "failed"),
        (tally.diverged, "diverged"),
        (tally.pending, "pending"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    parts.join(", ")
}

fn list(budgets: &[f64]) -> String {
    let texts: Vec<String> = budgets.iter().map(|&c| quantity::flops(c)).collect();
    texts.join(", ")
}

/// The remarks on an analysis, gravest first.
pub(super) fn all(tally: &Tally, points: &[Run], fits: &Analysis) -> Vec<Note> {
    let mut notes = Vec::new();
    notes.extend(minima(fits));
    if tally.failed + tally.diverged + tally.pending > 0 {
        notes.push(Note::Unfinished { tally: *tally });
    }
    if tally.skipped > 0 {
        notes.push(Note::Skipped {
            sizes: tally.skipped,
        });
    }
    notes.extend(fits.left_out.iter().map(|left_out| {
        Note::LeftOut {
            label: points[left_out.run]
                .label
                .clone()
                .unwrap_or_else(|| left_out.run.to_string()),
            reason: left_out.reason.clone(),
        }
    }));
    notes.extend(laws(fits));
    let few: Vec<f64> = fits
        .budgets
        .iter()
        .filter(|fit| fit.few_points)
        .map(|fit| fit.budget)
        .collect();
    if !few.is_empty() {
        notes.push(Note::FewPoints { budgets: few });
    }
    if let Some(noise) = fits.noise.filter(|noise| noise.between_seeds.is_none()) {
        notes.push(Note::OneSeed { dof: noise.dof });
    }
    notes
}

fn minima(fits: &Analysis) -> Vec<Note> {
    let mut notes: Vec<Note> = fits
        .budgets
        .iter()
        .filter_map(|fit| match &fit.outcome {
            Outcome::Minimum(_) => None,
            Outcome::Undetermined(diagnosis) => Some(Note::NoMinimum {
                budget: fit.budget,
                diagnosis: diagnosis.clone(),
            }),
        })
        .collect();
    if fits.estimates.is_empty() {
        let budgets = fits.budgets.len();
        notes.push(Note::NoLaws {
            minima: budgets - notes.len(),
            budgets,
        });
    }
    notes
}

fn laws(fits: &Analysis) -> Vec<Note> {
    let Some(estimate) = fits.recommended() else {
        return Vec::new();
    };
    let laws = &estimate.laws;
    let mut notes: Vec<Note> = [
        ("N*(C)", laws.n.chi_square),
        ("D*(C)", laws.d.chi_square),
        ("L*(C)", laws.loss.chi_square),
    ]
    .into_iter()
    .filter_map(|(law, chi_square)| {
        let chi_square = chi_square.filter(|value| *value > MISFIT)?;
        let law = law.to_owned();
        Some(Note::Misfit { law, chi_square })
    })
    .collect();
    let near = estimate.predictions.iter().rfind(|p| !p.is_far());
    if let Some(c) = near.map(|prediction| prediction.c) {
        let (low, high) = fits
            .estimates
            .iter()
            // A budget that a curve has no minimum at is missing from its laws,
            // which then differ for that reason.
            .filter(|other| other.estimator != Estimator::IsoflopCubic)
            .map(|other| other.laws.n.predict(c).estimate)
            .fold((f64::INFINITY, 0.0_f64), |(low, high), n| {
                (low.min(n), high.max(n))
            });
        if high > low * DISAGREEMENT {
            notes.push(Note::Disagreement { c, low, high });
        }
    }
    let far = estimate
        .predictions
        .iter()
        .max_by(|a, b| a.decades_beyond.total_cmp(&b.decades_beyond));
    if let Some(far) = far.filter(|prediction| prediction.decades_beyond > FAR + 0.05) {
        notes.push(Note::Far {
            c: far.c,
            decades: far.decades_beyond,
        });
    }
    notes
}
