//! What a reader should know before trusting the numbers.

use flops_fit_scaling::fit::Parameters;
use flops_fit_scaling::isoflop::{Diagnosis, Outcome};
use flops_fit_scaling::quality::LeftOutReason;
use flops_fit_scaling::{Analysis, Method, Run, quantity};
use serde::{Deserialize, Serialize};

use super::analysis::Tally;

/// Scatter around a law, as a multiple of what the noise explains, from which
/// the law itself is in doubt.
const MISFIT: f64 = 4.0;

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
    /// No method has a law.
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
    #[error("the budgets scatter around {law} by {:.1} times the noise", chi_square.sqrt())]
    Misfit {
        /// `N*(C)`, `D*(C)` or `L*(C)`.
        law: String,
        /// Squared residuals over what the noise explains, per degree of freedom.
        chi_square: f64,
    },
    /// What is followed, and why.
    #[error("followed is {reason}")]
    Followed {
        /// Why.
        reason: String,
    },
    /// Methods that differ by more than the interval of what is followed.
    #[error("at {} FLOPs the methods put N* between {} ({lowest}) and {} ({highest}), beyond the interval that the runs alone give; it is widened", quantity::flops(*c), quantity::count(*low), quantity::count(*high))]
    Disagreement {
        /// FLOPs: the farthest prediction up to two decades beyond the runs.
        c: f64,
        /// The method with the smallest N*.
        lowest: Method,
        /// Smallest N*.
        low: f64,
        /// The method with the largest N*.
        highest: Method,
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
    if fits.recommended.is_none() {
        let budgets = fits.budgets.len();
        notes.push(Note::NoLaws {
            minima: budgets - notes.len(),
            budgets,
        });
    }
    notes
}

fn laws(fits: &Analysis) -> Vec<Note> {
    let Some(followed) = &fits.recommended else {
        return Vec::new();
    };
    let mut notes = vec![Note::Followed {
        reason: followed.reason.clone(),
    }];
    let law = fits
        .fitted(followed.method)
        .map(|fitted| &fitted.parameters);
    if let Some(Parameters::Isoflop(law)) = law {
        let misfits = [
            ("N*(C)", law.chi_square.n),
            ("D*(C)", law.chi_square.d),
            ("L*(C)", law.chi_square.loss),
        ];
        notes.extend(misfits.into_iter().filter_map(|(law, chi_square)| {
            let chi_square = chi_square.filter(|value| *value > MISFIT)?;
            let law = law.to_owned();
            Some(Note::Misfit { law, chi_square })
        }));
    }
    if let Some(apart) = fits.disagreement.as_ref().filter(|apart| apart.exceeds) {
        notes.push(Note::Disagreement {
            c: apart.c,
            lowest: apart.lowest.0,
            low: apart.lowest.1,
            highest: apart.highest.0,
            high: apart.highest.1,
        });
    }
    let far = fits
        .predictions
        .iter()
        .max_by(|a, b| a.decades_beyond.total_cmp(&b.decades_beyond));
    if let Some(far) = far.filter(|prediction| prediction.is_far) {
        notes.push(Note::Far {
            c: far.c,
            decades: far.decades_beyond,
        });
    }
    notes
}
