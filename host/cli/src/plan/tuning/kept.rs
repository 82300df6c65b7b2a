//! `tuning.json`: rates that were found, with the trials that say so.

use flops_fit_trial::{DocumentError, SetAside, set_aside, write_sealed};
use serde::{Deserialize, Serialize};

use super::{
    super::{PlannedBudget, Surveyed},
    Tuned,
};
use crate::{output, output::Output, sweep::Rebuilt};

/// What is in the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    #[serde(flatten)]
    pub(super) tuned: Tuned,
    /// The trials, by budget.
    pub(super) budgets: Vec<PlannedBudget>,
}

/// What a command finds of it.
#[derive(Debug, Clone)]
pub(super) enum Found {
    /// Rates that stand.
    Rates(Box<Kept>),
    /// Nothing, or the rates of another sweep.
    Nothing,
    /// What is to be set aside, and why.
    Aside(String),
}

impl Found {
    /// Looks for the rates of a sweep with identity `of` in `output`. Those that were
    /// found with other code than that of `survey` don't stand where results don't.
    pub(super) fn of(
        of: &str,
        survey: &Surveyed,
        output: &Output,
        rebuilt: Rebuilt,
    ) -> Result<Self, DocumentError> {
        let kept = match output::Kept::<Kept>::read(&output.tuning())? {
            output::Kept::Whole(kept) if kept.tuned.of == of => kept,
            output::Kept::Whole(_) | output::Kept::Absent => return Ok(Self::Nothing),
            output::Kept::Foreign(reason) => return Ok(Self::Aside(reason)),
        };
        let mut trials = kept.budgets.iter().flat_map(|budget| &budget.trials);
        let outdated = rebuilt == Rebuilt::Retrain
            && trials.any(|run| survey.sources.outdate(&output.trial(&run.id)));
        if outdated {
            let reason = "its rates were tuned with a library that changed since";
            return Ok(Self::Aside(reason.to_owned()));
        }
        Ok(Self::Rates(Box::new(kept)))
    }

    /// Moves what is in the way of the file.
    pub(super) fn set_aside(&self, output: &Output) -> Result<Option<SetAside>, DocumentError> {
        match self {
            Self::Aside(reason) => set_aside(&output.tuning(), reason).map(Some),
            Self::Rates(_) | Self::Nothing => Ok(None),
        }
    }
}

impl Kept {
    pub(super) fn write(&self, output: &Output) -> Result<(), DocumentError> {
        write_sealed(&output.tuning(), self)
    }
}
