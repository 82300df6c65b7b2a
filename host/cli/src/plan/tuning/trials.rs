//! The trials that tune, and the points that they are at.

use flops_fit_scaling::{
    grid::{Layout, PlannedTrial, SizeList},
    learning_rate::{Design, DesignError, Place, Point, Transfer, Tried, places},
};
use flops_fit_trial::{Outcome, RunSettings, TrialDir, TrialId, TrialSpec};

use super::{
    super::{
        Plan, PlanError, PlannedRun, Surveyed,
        layout::{self, Measured},
        specs::Specs,
    },
    wrong,
};
use crate::{
    manifest::{Manifest, Tune},
    output::Output,
    sweep::Rebuilt,
};

/// Makes and looks at the trials of a tuning.
pub(super) struct Trials<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) survey: &'a Surveyed,
    pub(super) measured: Measured<'a>,
    pub(super) output: &'a Output,
    pub(super) rebuilt: Rebuilt,
}

impl Trials<'_> {
    /// The trial of a point; `None` where its size can't be trained there.
    pub(super) fn trial(&self, point: &Point) -> Result<Option<PlannedTrial>, PlanError> {
        let layout = Layout::Listed(vec![SizeList {
            budget: point.budget,
            sizes: vec![point.size],
        }]);
        let grid = self.measured.plan(self.manifest, &layout)?;
        let mut trials = grid.budgets.into_iter().flat_map(|budget| budget.trials);
        Ok(trials.next())
    }

    pub(super) fn specify(
        &self,
        budget: f64,
        trial: &PlannedTrial,
        lr: f64,
    ) -> (TrialSpec, PlannedRun) {
        let sized = &self.measured.sizes[&trial.size];
        let specs = Specs {
            manifest: self.manifest,
            survey: self.survey,
            batch: self.measured.batch,
        };
        // One seed: the points are several, and their noise shows in how they scatter.
        let seed = self.manifest.sweep.seeds[0];
        let recipe = specs.recipe(budget, trial, sized, seed, lr);
        let run: RunSettings = specs.run_settings(trial.size, sized);
        let spec = TrialSpec::new(recipe, run);
        let run = PlannedRun::of(&spec, trial, &self.measured.batch);
        (spec, run)
    }

    /// What became of it; `None` where it has neither completed nor diverged, or is to be
    /// trained again.
    pub(super) fn result(&self, spec: &TrialSpec, lr: f64) -> Option<Tried> {
        let dir = self.output.trial(&spec.id);
        if self.rebuilt == Rebuilt::Retrain && self.survey.sources.outdate(&dir) {
            return None;
        }
        tried(&dir, &spec.id, lr)
    }
}

/// What came of trial `id` in `dir`, at rate `lr`; `None` where it has not ended, or has
/// failed.
fn tried(dir: &TrialDir, id: &TrialId, lr: f64) -> Option<Tried> {
    let result = dir.result().ok()??;
    let loss = match result.outcome {
        _ if result.id != *id => return None,
        Outcome::Completed { measured } => Some(measured.loss),
        Outcome::Diverged { .. } => None,
        Outcome::Grown { .. } | Outcome::Failed { .. } => return None,
    };
    Some(Tried { lr, loss })
}

/// The specification of trial `id` as it was trained, with the code that `survey` found;
/// `None` where its specification or its result is gone.
pub(super) fn trained(id: &TrialId, survey: &Surveyed, output: &Output) -> Option<TrialSpec> {
    let dir = output.trial(id);
    let mut spec = dir.spec().ok().filter(|spec| spec.id == *id)?;
    tried(&dir, id, spec.recipe.train.lr)?;
    survey.sources.renew(&mut spec.run);
    Some(spec)
}

/// The points to tune at, nothing tried yet.
pub(super) fn points(
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
    let sweep = manifest.sweep.grid(&manifest.sweep.layout, measured.batch);
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
