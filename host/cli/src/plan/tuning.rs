//! Learning rates that are found before the sweep: trials at a few points, then one rate
//! or a law for all others.
//!
//! Which trials there are follows from the results of those before, as in an adaptive
//! sweep. Once the rate is settled it is kept in `tuning.json`: another budget or seed
//! later changes no rate, and so no trial; and none of those that tuned it is trained
//! again, whatever becomes of its result.

mod doubts;
mod kept;
mod planned;
mod preview;
mod transfer;
mod trials;
mod tuned;

use std::collections::BTreeSet;

use flops_fit_scaling::{
    grid::PlannedTrial,
    learning_rate::{Decision, RateLaw, Settled, Transfer, decide},
};
use flops_fit_trial::{DocumentError, FORMAT, SetAside, TrialId, TrialSpec};

use super::{
    Plan, PlanError, PlannedBudget, PlannedRun, Surveyed,
    layout::{LaidOut, Measured},
};
use crate::{
    manifest::{LearningRate, Manifest, Problem, Tune},
    output::Output,
    sweep::Rebuilt,
};

use kept::{Found, Kept};
pub use planned::PlannedTuning;
use planned::by_budget;
pub(super) use planned::rates_by_point;
use preview::preview;
use transfer::transfer;
use trials::{Trials, points};
pub use tuned::Tuned;
use tuned::identity;

/// The tuning of a sweep, as far as it is decided.
#[derive(Debug, Clone)]
pub(crate) struct Tuning {
    tuned: Tuned,
    /// What was kept of it before.
    found: Found,
    /// Its trials so far, in the order in which they were decided.
    pub(super) specs: Vec<TrialSpec>,
    runs: Vec<(f64, PlannedRun)>,
    /// The sweep, laid out at a rate in the midst of those listed.
    pub(super) preview: Plan,
}

impl Tuning {
    /// Decides by the results in `output` that stand by `rebuilt`, as far as they go;
    /// `None` where the manifest has no rates to tune.
    pub(super) fn unfold(
        manifest: &Manifest,
        survey: &Surveyed,
        output: &Output,
        rebuilt: Rebuilt,
    ) -> Result<Option<Self>, PlanError> {
        let LearningRate::Tuned(tune) = &manifest.train.lr else {
            return Ok(None);
        };
        let (transfer, because) = transfer(tune, &survey.description);
        if transfer == Transfer::Law && manifest.train.reuse_trunk {
            return Err(wrong(
                manifest,
                "a law of the rate in N and D".to_owned(),
                "one rate for all (train.lr.transfer = \"one_rate\"), since trials of one size share their steps (train.schedule.reuse_trunk)".to_owned(),
            ));
        }
        let of = identity(manifest, tune, survey);
        let found = Found::of(&of, survey, output, rebuilt)?;
        let preview = preview(manifest, survey, output)?;
        if let Found::Rates(kept) = &found {
            return Ok(Some(Self::recall(
                kept.as_ref().clone(),
                preview,
                survey,
                output,
            )));
        }
        let measured = Measured::of(manifest, &survey.description)?;
        let mut tuning = Self {
            tuned: Tuned {
                format: FORMAT,
                of,
                transfer,
                because,
                points: points(manifest, tune, transfer, &measured, &preview)?,
                decisions: Vec::new(),
            },
            found,
            specs: Vec::new(),
            runs: Vec::new(),
            preview,
        };
        let trainer = Trials {
            manifest,
            survey,
            measured,
            output,
            rebuilt,
        };
        tuning.decide(tune, &trainer)?;
        Ok(Some(tuning))
    }

    /// What was decided earlier, with those of its trials that still have their results.
    fn recall(kept: Kept, preview: Plan, survey: &Surveyed, output: &Output) -> Self {
        let Kept { tuned, budgets } = kept.clone();
        let runs = budgets
            .into_iter()
            .flat_map(|PlannedBudget { budget, trials, .. }| {
                trials.into_iter().map(move |run| (budget, run))
            });
        let (specs, runs) = runs
            .filter_map(|(budget, run)| {
                let spec = trials::trained(&run.id, survey, output)?;
                Some((spec, (budget, run)))
            })
            .unzip();
        Self {
            tuned,
            found: Found::Rates(Box::new(kept)),
            specs,
            runs,
            preview,
        }
    }

    /// Decides round after round, up to the first that is not complete.
    fn decide(&mut self, tune: &Tune, trainer: &Trials<'_>) -> Result<(), PlanError> {
        loop {
            let decision = decide(self.tuned.transfer, &tune.rates, &self.tuned.points);
            self.tuned.decisions.push(decision.clone());
            let trials = match decision {
                Decision::First { trials } | Decision::Extend { trials, .. } => trials,
                Decision::Settle(_) => return Ok(()),
                Decision::GiveUp { open } => {
                    let open: Vec<String> = open.iter().map(ToString::to_string).collect();
                    return Err(wrong(
                        trainer.manifest,
                        format!("no best rate ({})", open.join("; ")),
                        "rates that enclose the best one of some point".to_owned(),
                    ));
                }
            };
            let mut tried = Vec::new();
            for wanted in trials {
                let point = self.tuned.points[wanted.point].clone();
                let Some(trial) = trainer.trial(&point)? else {
                    unreachable!("points are made from the manifest's sizes");
                };
                let spec = self.add(trainer, point.budget, &trial, wanted.lr);
                tried.push((wanted.point, trainer.result(&spec, wanted.lr)));
            }
            if tried.iter().any(|(_, tried)| tried.is_none()) {
                return Ok(());
            }
            for (point, tried) in tried {
                let others = &mut self.tuned.points[point].tried;
                others.extend(tried);
                others.sort_by(|a, b| a.lr.total_cmp(&b.lr));
            }
        }
    }

    fn add(
        &mut self,
        trainer: &Trials<'_>,
        budget: f64,
        trial: &PlannedTrial,
        lr: f64,
    ) -> TrialSpec {
        let (spec, run) = trainer.specify(budget, trial, lr);
        self.specs.push(spec.clone());
        self.runs.push((budget, run));
        spec
    }

    /// Whether the rates are found.
    pub(super) fn settled(&self) -> Option<&Settled> {
        self.tuned.settled()
    }

    /// The latest decision, in words.
    pub(super) fn told(&self) -> String {
        let last = self.tuned.decisions.last();
        last.map_or_else(String::new, |last| format!("learning rate: {last}"))
    }

    /// The manifest with the rates that were found.
    pub(super) fn resolve(&self, manifest: &Manifest) -> Manifest {
        let mut resolved = manifest.clone();
        if let Some(Settled { law, .. }) = self.settled() {
            resolved.train.lr = match law {
                RateLaw {
                    n_exponent: 0.0,
                    d_exponent: 0.0,
                    ..
                } => LearningRate::Fixed(LearningRate::Law(*law).at(law.n, law.d)),
                law => LearningRate::Law(*law),
            };
        }
        resolved
    }

    /// Puts its trials before those of the sweep. One that is both is the sweep's: it was
    /// trained as all others are, and is fitted.
    pub(super) fn join(&self, laid_out: &mut LaidOut) {
        let LaidOut { plan, specs, .. } = laid_out;
        plan.warnings.extend(self.doubts(plan));
        let shared: BTreeSet<TrialId> = specs.iter().map(|spec| spec.id.clone()).collect();
        plan.tuning = Some(self.planned(&shared));
        plan.flops = plan.flops_together();
        let own = self.specs.iter().filter(|spec| !shared.contains(&spec.id));
        specs.splice(0..0, own.cloned());
    }

    /// Keeps the rates once they are found. What is in the way of the file is set aside.
    pub(super) fn write(&self, output: &Output) -> Result<Option<SetAside>, DocumentError> {
        let aside = self.found.set_aside(output)?;
        if self.settled().is_some() && !matches!(self.found, Found::Rates(_)) {
            let kept = Kept {
                tuned: self.tuned.clone(),
                budgets: by_budget(&self.runs),
            };
            kept.write(output)?;
        }
        Ok(aside)
    }
}

fn wrong(manifest: &Manifest, found: String, expected: String) -> PlanError {
    let problem = Problem::Unacceptable { found, expected };
    manifest.mistake("train.lr.tune", problem).into()
}
