//! What a reader should know before trusting the numbers.

mod disagreement;
mod left_out;
mod no_law;
mod strained;

use flops_fit_scaling::fit::Parameters;
use flops_fit_scaling::isoflop::{Diagnosis, Outcome};
use flops_fit_scaling::quality::Flag;
use flops_fit_scaling::{Analysis, Run, quantity};
use serde::{Deserialize, Serialize};

use super::analysis::Tally;
pub use disagreement::Disagreement;
pub use left_out::Group;
pub(super) use left_out::{label, reason};
pub use no_law::{NoLaw, NoLaws, recommended};
pub use strained::Strained;

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
    /// Runs that no fit uses.
    #[error("{group}")]
    LeftOut {
        /// Those of one kind of reason.
        #[serde(flatten)]
        group: Group,
    },
    /// How the learning rate was tuned.
    #[error("{text}")]
    LearningRate {
        /// What was found.
        text: String,
    },
    /// How the batch grew.
    #[error("{text}")]
    Batch {
        /// From what, and to what.
        text: String,
    },
    /// Something that is kept and doubtful.
    #[error("{text}")]
    Doubtful {
        /// What.
        text: String,
    },
    /// Methods that have no law, all for the same reason.
    #[error("no law by {group}")]
    NoLaw {
        /// Those methods.
        #[serde(flatten)]
        group: NoLaw,
    },
    /// A law whose parameters deserve a second look.
    #[error("{fit}")]
    Strained {
        /// How its search ended.
        #[serde(flatten)]
        fit: Strained,
    },
    /// A budget without a minimum that counts.
    #[error("{} FLOPs has no minimum: {diagnosis}", quantity::flops(*budget))]
    NoMinimum {
        /// FLOPs.
        budget: f64,
        /// What is wrong, and what to train.
        diagnosis: Diagnosis,
    },
    /// No method has a law; the reasons follow.
    #[error("no method has a law; {}", found(*minima, *budgets))]
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
    /// Methods that differ by more than the interval of what is followed.
    #[error("{apart}")]
    Disagreement {
        /// How far.
        #[serde(flatten)]
        apart: Disagreement,
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

fn found(minima: usize, budgets: usize) -> String {
    match budgets {
        0 => "their C is scattered, so that none of them form a budget".to_owned(),
        _ => format!("{minima} of {budgets} budgets have a minimum"),
    }
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
    let groups = Group::all(&fits.left_out, points).into_iter();
    notes.extend(groups.map(|group| Note::LeftOut { group }));
    notes.extend(laws(fits));
    notes.extend(doubtful(&fits.flags, points));
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
        notes.extend(no_law(fits));
    }
    notes
}

fn no_law(fits: &Analysis) -> impl Iterator<Item = Note> {
    let groups = NoLaw::all(fits).into_iter();
    groups.map(|group| Note::NoLaw { group })
}

/// Flags, those on runs together. Budgets with few sizes have a note of their own.
fn doubtful(flags: &[Flag], points: &[Run]) -> Vec<Note> {
    let suspects: Vec<String> = flags
        .iter()
        .filter_map(|flag| match flag {
            Flag::Suspect { run, z } => {
                Some(format!("{} ({z:.1} σ)", left_out::label(points, *run)))
            }
            _ => None,
        })
        .collect();
    let budgets = flags.iter().filter(|flag| {
        // A budget with too few sizes has no minimum, which is told.
        !matches!(
            flag,
            Flag::FewPoints { .. } | Flag::TooFewPoints { .. } | Flag::Suspect { .. }
        )
    });
    let mut texts: Vec<String> = budgets.map(ToString::to_string).collect();
    if !suspects.is_empty() {
        let suspects = suspects.join(", ");
        texts.push(format!("kept, though off their budget's curve: {suspects}"));
    }
    texts
        .into_iter()
        .map(|text| Note::Doubtful { text })
        .collect()
}

fn laws(fits: &Analysis) -> Vec<Note> {
    let Some(followed) = &fits.recommended else {
        return Vec::new();
    };
    let mut notes: Vec<Note> = no_law(fits).collect();
    let strained = Strained::all(fits).into_iter();
    notes.extend(strained.map(|fit| Note::Strained { fit }));
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
    let apart = Disagreement::of(fits).into_iter();
    notes.extend(apart.map(|apart| Note::Disagreement { apart }));
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
