//! Learning rates that are found before the sweep: trials at a few points, then one rate
//! or a law for all others.
//!
//! Which trials there are follows from the results of those before, as in an adaptive
//! sweep. Once the rate is settled it is kept in `tuning.json`: another budget or seed
//! later changes no rate, and so no trial.

use std::collections::BTreeMap;

use flops_fit_scaling::{
    design::Wish,
    grid::{Layout, PlannedTrial, SizeList},
    learning_rate::{
        Decision, Design, DesignError, Place, Point, RateLaw, Settled, Transfer, Tried, decide,
        places,
    },
    quantity,
};
use flops_fit_trial::{
    Description, DocumentError, FORMAT, Outcome, RunSettings, SizeOutcome, TrialSpec, hex,
    read_json, write_json,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Plan, PlanError, PlannedBudget, PlannedRun, Surveyed,
    document::{Upcoming, UpcomingTrial},
    layout::{self, LaidOut, Measured},
    specs::Specs,
};
use crate::{
    manifest::{LearningRate, Manifest, Problem, Train, Tune},
    output::Output,
};

/// The key of a model's configuration by which it says how its rates move, and the word
/// of one whose best rate does not move with its width.
const PARAMETRIZATION: (&str, &str) = ("parametrization", "u_mup");

/// Factor either way from which it is said that a rate is hardly known.
const VAGUE: f64 = 2.0;

/// The tuning of a sweep, as far as it is decided.
#[derive(Debug, Clone)]
pub(crate) struct Tuning {
    /// What is kept, or would be.
    tuned: Tuned,
    /// Its trials so far, in the order in which they were decided.
    pub(super) specs: Vec<TrialSpec>,
    runs: Vec<(f64, PlannedRun)>,
    /// The sweep, laid out at a rate in the midst of those listed.
    pub(super) preview: Plan,
}

/// `tuning.json`: what was tried and what follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tuned {
    format: u32,
    /// Hash of what decides it.
    of: String,
    /// What the best rates become.
    pub transfer: Transfer,
    /// How that is known.
    pub because: String,
    /// The points, with what was tried at each.
    pub points: Vec<Point>,
    /// Every decision, in order.
    pub decisions: Vec<Decision>,
}

impl Tuned {
    /// The rates, once they are found.
    pub fn settled(&self) -> Option<&Settled> {
        match self.decisions.last() {
            Some(Decision::Settle(settled)) => Some(settled),
            _ => None,
        }
    }
}

impl Tuning {
    /// Decides by the results in `output`, as far as they go; `None` where the manifest
    /// has no rates to tune.
    pub(super) fn unfold(
        manifest: &Manifest,
        survey: &Surveyed,
        output: &Output,
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
        let kept = read_json::<Tuned>(&output.tuning()).ok();
        let kept = kept.filter(|kept| kept.of == of && kept.settled().is_some());
        let measured = Measured::of(manifest, &survey.description)?;
        let preview = preview(manifest, survey, output)?;
        let points = match &kept {
            Some(kept) => kept.points.clone(),
            None => points(manifest, tune, transfer, &measured, &preview)?,
        };
        let mut tuning = Self {
            tuned: Tuned {
                format: FORMAT,
                of,
                transfer,
                because,
                points,
                decisions: Vec::new(),
            },
            specs: Vec::new(),
            runs: Vec::new(),
            preview,
        };
        let trainer = Trials {
            manifest,
            survey,
            measured,
            output,
        };
        match kept {
            Some(kept) => tuning.recall(kept, &trainer)?,
            None => tuning.decide(tune, &trainer)?,
        }
        Ok(Some(tuning))
    }

    /// Takes what was decided earlier.
    fn recall(&mut self, kept: Tuned, trainer: &Trials<'_>) -> Result<(), PlanError> {
        for point in &kept.points {
            // A size that the manifest no longer has keeps its say, but is no trial.
            let Some(trial) = trainer.trial(point)? else {
                continue;
            };
            for tried in &point.tried {
                self.add(trainer, point.budget, &trial, tried.lr);
            }
        }
        self.tuned = kept;
        Ok(())
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

    /// As the plan tells it.
    pub(super) fn planned(&self) -> PlannedTuning {
        let mut budgets: Vec<PlannedBudget> = Vec::new();
        for (budget, run) in &self.runs {
            let same = |other: &&mut PlannedBudget| other.budget.total_cmp(budget).is_eq();
            match budgets.iter_mut().find(same) {
                Some(there) => there.trials.push(run.clone()),
                None => budgets.push(PlannedBudget {
                    budget: *budget,
                    center: None,
                    trials: vec![run.clone()],
                    skipped: Vec::new(),
                    uncovered: Vec::new(),
                }),
            }
        }
        budgets.sort_by(|a, b| a.budget.total_cmp(&b.budget));
        let flops: f64 = self.runs.iter().map(|(_, run)| run.c).sum();
        PlannedTuning {
            budgets,
            flops,
            share: flops / self.preview.flops,
            tuned: self.tuned.clone(),
        }
    }

    /// What is known of the sweep as long as its rates are not: no trial of it has a name.
    pub(super) fn lay_out(&self, manifest: &Manifest) -> LaidOut {
        let preview = &self.preview;
        let mut trials: Vec<UpcomingTrial> = Vec::new();
        for (budget, run) in preview.runs().filter(|_| !manifest.sweep.adaptive) {
            let last = trials.last_mut();
            match last.filter(|last| {
                last.size == run.size && last.budget.total_cmp(&budget.budget).is_eq()
            }) {
                Some(last) => last.seeds.push(run.seed),
                None => trials.push(UpcomingTrial {
                    budget: budget.budget,
                    size: run.size,
                    n: run.n,
                    steps: run.steps,
                    d: run.d,
                    c: run.c,
                    seeds: vec![run.seed],
                }),
            }
        }
        let upcoming = Upcoming {
            budgets: preview.budgets.iter().map(|budget| budget.budget).collect(),
            flops: preview.flops,
            may_end_early: manifest.sweep.adaptive && manifest.analysis.wish != Wish::default(),
            trials,
        };
        LaidOut {
            plan: Plan {
                budgets: Vec::new(),
                trunks: Vec::new(),
                upcoming: Some(upcoming),
                ..preview.clone()
            },
            specs: Vec::new(),
            trunks: Vec::new(),
        }
    }

    /// Puts its trials before those of the sweep.
    pub(super) fn join(&self, laid_out: &mut LaidOut) {
        let LaidOut { plan, specs, .. } = laid_out;
        plan.warnings.extend(self.doubts(plan));
        plan.tuning = Some(self.planned());
        plan.flops = plan.flops_together();
        specs.splice(0..0, self.specs.iter().cloned());
    }

    /// What a user should know of the rates of `plan`.
    fn doubts(&self, plan: &Plan) -> Vec<String> {
        let Some(settled) = self.settled() else {
            return Vec::new();
        };
        let mut doubts = settled.doubts();
        let tried = || self.tuned.points.iter().flat_map(|point| &point.tried);
        let low = tried().map(|tried| tried.lr).fold(f64::INFINITY, f64::min);
        let high = tried().map(|tried| tried.lr).fold(0.0, f64::max);
        let runs = || plan.runs().filter(|(_, run)| run.retry_of.is_none());
        let outside = runs()
            .filter(|(_, run)| !(low..=high).contains(&run.lr))
            .count();
        if outside > 0 {
            doubts.push(format!(
                "the learning rates of {outside} trials lie outside those tried, {low} to {high}: there the law is a guess"
            ));
        }
        let known = runs()
            .filter_map(|(budget, run)| Some((settled.factor(run.n, run.d)?, budget.budget, run)));
        let least = known.max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((factor, budget, run)) = least.filter(|(factor, ..)| *factor > VAGUE) {
            doubts.push(format!(
                "the best learning rate of size {} at {} FLOPs, {}, is known within ×/÷ {factor:.1}; more rates, or a larger train.lr.share for dearer points, narrow that",
                run.size,
                quantity::flops(budget),
                run.lr
            ));
        }
        doubts
    }

    /// Keeps the rates once they are found.
    pub(super) fn write(&self, output: &Output) -> Result<(), DocumentError> {
        match self.settled() {
            Some(_) => write_json(&output.tuning(), &self.tuned),
            None => Ok(()),
        }
    }
}

impl PlannedTuning {
    /// What was found, or is being done, and what to know of it.
    pub fn told(&self) -> Vec<String> {
        let trials: usize = self.budgets.iter().map(|budget| budget.trials.len()).sum();
        let Some(settled) = self.tuned.settled() else {
            let last = self.tuned.decisions.last();
            let last = last.map(|last| format!("learning rate, to be tuned: {last}"));
            return last.into_iter().collect();
        };
        let found = format!(
            "learning rate {settled}; {trials} trials tuned it, for {:.1} % of the FLOPs of all others, and are not fitted",
            100.0 * self.share
        );
        std::iter::once(found).chain(settled.doubts()).collect()
    }
}

/// The tuning of a sweep, in its plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedTuning {
    /// Its trials by budget.
    pub budgets: Vec<PlannedBudget>,
    /// FLOPs that they cost.
    pub flops: f64,
    /// Their share of the FLOPs of all others.
    pub share: f64,
    /// What was tried and decided.
    #[serde(flatten)]
    pub tuned: Tuned,
}

/// Makes and looks at the trials of a tuning.
struct Trials<'a> {
    manifest: &'a Manifest,
    survey: &'a Surveyed,
    measured: Measured<'a>,
    output: &'a Output,
}

impl Trials<'_> {
    /// The trial of a point; `None` where its size can't be trained there.
    fn trial(&self, point: &Point) -> Result<Option<PlannedTrial>, PlanError> {
        let layout = Layout::Listed(vec![SizeList {
            budget: point.budget,
            sizes: vec![point.size],
        }]);
        let grid = self.measured.plan(self.manifest, &layout)?;
        let mut trials = grid.budgets.into_iter().flat_map(|budget| budget.trials);
        Ok(trials.next())
    }

    fn specify(&self, budget: f64, trial: &PlannedTrial, lr: f64) -> (TrialSpec, PlannedRun) {
        let sized = &self.measured.sizes[&trial.size];
        let specs = Specs {
            manifest: self.manifest,
            survey: self.survey,
            examples: self.measured.examples,
        };
        // One seed: the points are several, and their noise shows in how they scatter.
        let seed = self.manifest.sweep.seeds[0];
        let recipe = specs.recipe(budget, trial, sized, seed, lr);
        let run: RunSettings = specs.run_settings(trial.size, sized);
        let spec = TrialSpec::new(recipe, run);
        let run = PlannedRun::of(&spec, trial);
        (spec, run)
    }

    /// What became of it; `None` where it has neither completed nor diverged.
    fn result(&self, spec: &TrialSpec, lr: f64) -> Option<Tried> {
        let result = self.output.trial(&spec.id).result().ok()??;
        if result.id != spec.id {
            return None;
        }
        let loss = match result.outcome {
            Outcome::Completed { measured } => Some(measured.loss),
            Outcome::Diverged { .. } => None,
            Outcome::Grown { .. } | Outcome::Failed { .. } => return None,
        };
        Some(Tried { lr, loss })
    }
}

/// What the best rates become, and how that is known.
fn transfer(tune: &Tune, description: &Description) -> (Transfer, String) {
    if let Some(transfer) = tune.transfer {
        return (transfer, "as train.lr.transfer says".to_owned());
    }
    let (key, word) = PARAMETRIZATION;
    let said = description
        .sizes
        .iter()
        .find_map(|facts| match &facts.outcome {
            SizeOutcome::Accepted { config, .. } => config.get(key),
            SizeOutcome::Refused { .. } => None,
        });
    match said.and_then(serde_json::Value::as_str) {
        Some(found) if found == word => (
            Transfer::OneRate,
            format!("since the model's {key} is {word}"),
        ),
        Some(found) => (Transfer::Law, format!("since the model's {key} is {found}")),
        None => (
            Transfer::Law,
            format!(
                "since the model's configuration says nothing of its {key} (train.lr.transfer = \"one_rate\" if its best rate does not move with its size)"
            ),
        ),
    }
}

/// The sweep at a rate in the midst of those listed.
fn preview(manifest: &Manifest, survey: &Surveyed, output: &Output) -> Result<Plan, PlanError> {
    let mut preview = manifest.clone();
    preview.train.lr = LearningRate::Fixed(manifest.train.lr.typical());
    preview.run.retry_diverged = false;
    let laid_out = layout::lay_out(&preview, survey, &manifest.sweep.layout, output)?;
    Ok(laid_out.plan)
}

fn points(
    manifest: &Manifest,
    tune: &Tune,
    transfer: Transfer,
    measured: &Measured<'_>,
    preview: &Plan,
) -> Result<Vec<Point>, PlanError> {
    let design = Design {
        transfer,
        rates: tune.rates.len(),
        share: tune.share,
    };
    let sweep = manifest
        .sweep
        .grid(&manifest.sweep.layout, measured.units_per_step);
    let places = places(&design, &sweep, &measured.candidates, preview.flops);
    let places = places.map_err(|error| match error {
        DesignError::Grid(error) => layout::grid_error(manifest, error),
        error => wrong(
            manifest,
            format!("{} rates: {error}", tune.rates.len()),
            format!(
                "at most {} of them, train.lr.share; list fewer rates, allow a larger share, or set a rate",
                tune.share
            ),
        ),
    })?;
    let point = |Place { budget, trial }: Place| Point {
        size: trial.size,
        budget,
        n: trial.n,
        d: trial.d,
        tried: Vec::new(),
    };
    Ok(places.into_iter().map(point).collect())
}

fn wrong(manifest: &Manifest, found: String, expected: String) -> PlanError {
    let problem = Problem::Unacceptable { found, expected };
    manifest.mistake("train.lr.tune", problem).into()
}

/// Hash of what decides the best rates; not of budgets, seeds or what is done with the
/// results.
fn identity(manifest: &Manifest, tune: &Tune, survey: &Surveyed) -> String {
    let Description {
        model,
        dataset,
        loss,
        data,
        ..
    } = &survey.description;
    // A larger share would allow other points, and is no reason to leave those that there
    // are.
    let train = Train {
        lr: LearningRate::Fixed(0.0),
        ..manifest.train.clone()
    };
    let parts = (
        (model, dataset, loss, data),
        (&manifest.model.component.config, &manifest.trainer),
        (&tune.rates, tune.transfer, train),
    );
    hex(&Sha256::digest(format!("{parts:?}")))
}

/// The trials' seeds and rates by size, as the plan's text lists them.
pub(super) fn rates_by_point(budget: &PlannedBudget) -> BTreeMap<i64, Vec<f64>> {
    let mut rates: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for run in &budget.trials {
        rates.entry(run.size).or_default().push(run.lr);
    }
    for list in rates.values_mut() {
        list.sort_by(f64::total_cmp);
    }
    rates
}
