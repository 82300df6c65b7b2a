//! From a manifest to trials on disk: what to train, what it costs, and how
//! long it is likely to take, before anything is spent.

mod batch;
mod decisions;
pub mod document;
mod error;
mod estimate;
mod identity;
mod layout;
mod outlook;
mod retry;
mod rounds;
mod sheet;
mod source;
mod specs;
mod survey;
mod trunks;
mod tuning;

use std::collections::BTreeSet;

use flops_fit_scaling::batch::Batch;
use flops_fit_trial::{
    Description, DocumentError, Outcome, SetAside, TrialId, TrialSpec, set_aside, write_document,
};

pub use decisions::parse_decisions;
pub use document::{
    Branch, Plan, PlannedBudget, PlannedRun, PlannedTrunk, Skipped, Upcoming, UpcomingTrial,
};
pub use error::PlanError;
pub(crate) use rounds::Rounds;

pub(crate) use estimate::thumb;
pub use estimate::{Basis, Estimate};
pub use outlook::Outlook;
pub use sheet::render;
use source::Sources;
pub(crate) use survey::{coordinates, of_plugins};
pub(crate) use tuning::Tuning;
pub use tuning::{PlannedTuning, Tuned};

use crate::{
    interrupt::Interrupt,
    manifest::{self, Manifest},
    output::{Kept, Output},
    sweep::Rebuilt,
    trainer::Trainer,
};

/// A plan and everything that is needed to carry it out.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The output folder.
    pub output: Output,
    /// The grid.
    pub plan: Plan,
    /// One specification for each of its trials, in its order.
    pub specs: Vec<TrialSpec>,
    /// One for each of its trunks, in its order.
    pub trunks: Vec<TrialSpec>,
    /// Of an adaptive sweep.
    pub(crate) rounds: Option<Rounds>,
    /// Of one whose learning rate is tuned.
    pub(crate) tuning: Option<Tuning>,
    /// What it was laid out from.
    pub(crate) survey: Surveyed,
    /// The manifest, all of its budgets in FLOPs.
    pub(crate) manifest: Manifest,
    /// The same with the learning rate that was found, once it is.
    pub(crate) resolved: Manifest,
}

/// Plans the sweep: checks the plugins' files, asks whoever trains about all sizes,
/// lays out the grid by the results that stand by `rebuilt`. Writes nothing.
pub fn prepare(
    manifest: &Manifest,
    trainer: &Trainer,
    rebuilt: Rebuilt,
    interrupt: &Interrupt,
) -> Result<Prepared, PlanError> {
    let survey = Surveyed::of(manifest, trainer, interrupt)?;
    Prepared::of(manifest, survey, rebuilt)
}

/// What whoever trains has said of model, dataset, loss and the candidate sizes.
#[derive(Debug, Clone)]
pub(crate) struct Surveyed {
    sources: Sources,
    pub(crate) description: Description,
}

impl Surveyed {
    /// Checks the plugins' files, and asks about all sizes of `manifest`.
    pub(crate) fn of(
        manifest: &Manifest,
        trainer: &Trainer,
        interrupt: &Interrupt,
    ) -> Result<Self, PlanError> {
        let (sources, description) = survey::survey(manifest, trainer, interrupt)?;
        Ok(Self {
            sources,
            description,
        })
    }

    /// The grid of a `manifest` with the same model, dataset and loss, whose sizes have
    /// been asked about.
    pub(crate) fn lay_out(&self, manifest: &Manifest) -> Result<Prepared, PlanError> {
        Prepared::of(manifest, self.clone(), Rebuilt::default())
    }

    /// What is in an optimizer step.
    pub(crate) fn batch(&self, manifest: &Manifest) -> Result<Batch, PlanError> {
        batch::of(manifest, &self.description)
    }
}

impl Prepared {
    fn of(manifest: &Manifest, survey: Surveyed, rebuilt: Rebuilt) -> Result<Self, PlanError> {
        let output = Output::at(&manifest.output_dir);
        let tuning = Tuning::unfold(manifest, &survey, &output, rebuilt)?;
        let resolved = tuning
            .as_ref()
            .map_or_else(|| manifest.clone(), |tuning| tuning.resolve(manifest));
        let tunes = tuning.as_ref().filter(|tuning| tuning.settled().is_none());
        let (rounds, mut laid_out) = if let Some(tuning) = tunes {
            (None, tuning.lay_out(manifest))
        } else {
            let rounds = if manifest.sweep.adaptive {
                Some(Rounds::unfold(&resolved, &survey, &output, rebuilt)?)
            } else {
                None
            };
            let layout = rounds.as_ref().map(|rounds| &rounds.layout);
            let layout = layout.unwrap_or(&manifest.sweep.layout);
            let mut laid_out = layout::lay_out(&resolved, &survey, layout, &output)?;
            laid_out.plan.upcoming = rounds.as_ref().map(|rounds| rounds.upcoming.clone());
            (rounds, laid_out)
        };
        if let Some(tuning) = &tuning {
            tuning.join(&mut laid_out);
        }
        Ok(Self {
            output,
            plan: laid_out.plan,
            specs: laid_out.specs,
            trunks: laid_out.trunks,
            rounds,
            tuning,
            survey,
            manifest: manifest.clone(),
            resolved,
        })
    }

    /// Decides anew by the results that are there now and stand by `rebuilt`.
    ///
    /// # Errors
    /// [`PlanError`] as [`prepare`]; nobody is asked about sizes again.
    pub(crate) fn again(&self, rebuilt: Rebuilt) -> Result<Self, PlanError> {
        Self::of(&self.manifest, self.survey.clone(), rebuilt)
    }

    /// Whether it has trials that `other` has not.
    pub(crate) fn adds_to(&self, other: &Self) -> bool {
        let known: BTreeSet<&TrialId> = other.specs.iter().map(|spec| &spec.id).collect();
        self.specs.iter().any(|spec| !known.contains(&spec.id))
    }

    /// Whether the learning rate is still to be found.
    pub(crate) fn is_tuning(&self) -> bool {
        let tuning = self.tuning.as_ref();
        tuning.is_some_and(|tuning| tuning.settled().is_none())
    }

    /// Whether all that is to be decided has been.
    pub(crate) fn is_decided(&self) -> bool {
        !self.is_tuning() && self.rounds.as_ref().is_none_or(Rounds::are_over)
    }

    /// The latest decisions, in words.
    pub(crate) fn decisions(&self) -> Vec<String> {
        let rates = self.tuning.iter().map(Tuning::told);
        let rounds = self.rounds.as_ref().and_then(Rounds::latest);
        rates.chain(rounds.map(ToString::to_string)).collect()
    }

    /// Writes the resolved manifest, `plan.json` and the specification of every
    /// trial that has not ended well: what has been trained keeps the
    /// specification that it was trained from.
    /// A file in the place of one of these that is not ours is set aside.
    ///
    /// # Errors
    /// A file that can't be written; a plan that a newer flops-fit has written.
    pub fn write(&self) -> Result<Vec<SetAside>, DocumentError> {
        let mut aside = Vec::new();
        if let Kept::<Plan>::Foreign(reason) = Kept::read(&self.output.plan())? {
            aside.push(set_aside(&self.output.plan(), &reason)?);
        }
        let manifest = self.resolved.to_toml();
        write_document(&self.output.manifest(), manifest.as_bytes())?;
        if let Some(tuning) = &self.tuning {
            aside.extend(tuning.write(&self.output)?);
        }
        if !self.trunks.is_empty() {
            self.output.make_trunks()?;
        }
        for spec in &self.specs {
            let trial = self.output.trial(&spec.id);
            let finished = matches!(
                trial.result(),
                Ok(Some(result)) if !matches!(result.outcome, Outcome::Failed { .. })
            );
            let old = trial.spec();
            if let Err(error) = &old
                && error.is_foreign()
            {
                aside.push(set_aside(&trial.spec_path(), &error.to_string())?);
            }
            if !finished || old.is_err() {
                trial.write_spec(spec)?;
            }
        }
        if let Some(rounds) = &self.rounds {
            aside.extend(rounds.write(&self.output)?);
        }
        self.plan.write(&self.output)?;
        Ok(aside)
    }

    /// What the sweep is likely to say once it is trained, by simulation: about a second
    /// of work. `None` where the plan has no trials.
    pub fn outlook(&self, manifest: &Manifest) -> Option<Outlook> {
        let tunes = self.tuning.as_ref().filter(|_| self.is_tuning());
        let plan = tunes.map_or(&self.plan, |tuning| &tuning.preview);
        outlook::outlook(plan, &self.output, manifest)
    }

    /// How long what is still to be trained is likely to take, the sweep included whose
    /// learning rate is open.
    pub fn estimate(&self, manifest: &Manifest) -> Estimate {
        let simulated = matches!(manifest.trainer, manifest::Trainer::Simulated(_));
        let tunes = self.tuning.as_ref().filter(|_| self.is_tuning());
        let then = tunes.map(|tuning| &tuning.preview);
        estimate::estimate(&self.plan, then, &self.output, manifest.run.jobs, simulated)
    }
}
