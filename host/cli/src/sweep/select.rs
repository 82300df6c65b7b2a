//! What is still to be trained.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use flops_fit_trial::{
    CheckpointDir, Load, Outcome, SetAside, TrialDir, TrialId, TrialResult, TrialSpec, set_aside,
};

use super::{SweepError, Trial, program, trunks::Leaving};
use crate::plan::Prepared;

/// What to do with results of a library that changed under an unchanged version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rebuilt {
    /// Stop and ask.
    #[default]
    Ask,
    /// Keep them.
    Accept,
    /// Train them again.
    Retrain,
}

/// The trials of a sweep, sorted by what is to be done with them.
#[derive(Debug, Clone)]
pub struct Selection {
    /// To be trained, the longest first: the last ones to end are then
    /// short, and no core waits long for the others.
    pub pending: Vec<Trial>,
    /// Trunks that some of those leave; each asks for the branch points that they need.
    pub trunks: Vec<Trial>,
    /// Of every trunk that is trained: where branches leave it, and how many trials
    /// without a result still are to, whether this run trains them or not.
    pub(crate) branches: Vec<(TrialId, CheckpointDir, Leaving)>,
    /// Completed or diverged already.
    pub kept: usize,
    /// FLOPs of those.
    pub kept_flops: f64,
    /// Files that were no longer what flops-fit wrote, and where they are now.
    pub set_aside: Vec<SetAside>,
}

/// Sorts the trials of `prepared`. Trials that failed are tried again; a result
/// that is torn, changed or another trial's is set aside, never deleted.
///
/// # Errors
/// [`SweepError::Rebuilt`] unless `rebuilt` says what to do; an output folder
/// that can't be read or written, or that a newer flops-fit has written.
pub fn select(prepared: &Prepared, rebuilt: Rebuilt) -> Result<Selection, SweepError> {
    let mut selection = Selection {
        pending: Vec::new(),
        trunks: Vec::new(),
        branches: Vec::new(),
        kept: 0,
        kept_flops: 0.0,
        set_aside: Vec::new(),
    };
    let mut changed: Vec<(Trial, Change)> = Vec::new();
    let mut seen = BTreeSet::new();
    // No two workers in one folder, whatever the plan says.
    let specs = prepared.specs.iter().filter(|spec| seen.insert(&spec.id));
    for spec in specs {
        let trial = Trial::planned(spec, prepared);
        if spec.run.program.is_some() {
            // Its program had ended well when flops-fit was killed.
            program::seal(&trial, None)?;
        }
        match finished(&trial.dir, spec, &mut selection.set_aside)? {
            None => selection.pending.push(trial),
            Some(_) => match change(&trial) {
                Some(change) => changed.push((trial, change)),
                None => selection.keep(&trial),
            },
        }
    }
    if let (Rebuilt::Ask, Some((_, change))) = (rebuilt, changed.first()) {
        return Err(SweepError::Rebuilt {
            library: change.library.clone(),
            plugin: change.plugin.clone(),
            version: change.version.clone(),
            trials: changed.len(),
        });
    }
    for (trial, _) in changed {
        if rebuilt == Rebuilt::Retrain {
            selection.pending.push(trial);
        } else {
            // From now on this file counts as the one they were trained with;
            // result.json still says which one it really was.
            trial.dir.write_spec(&trial.spec)?;
            selection.keep(&trial);
        }
    }
    selection
        .pending
        .sort_by(|a, b| b.seconds().total_cmp(&a.seconds()));
    selection.take_trunks(prepared);
    Ok(selection)
}

impl Selection {
    fn keep(&mut self, trial: &Trial) {
        self.kept += 1;
        self.kept_flops += trial.flops();
    }

    /// Trains none of `ids`, nor a trunk that only they leave.
    pub(crate) fn leave_out(&mut self, ids: &BTreeSet<TrialId>) {
        self.pending.retain(|trial| !ids.contains(&trial.spec.id));
        let pending = &self.pending;
        self.trunks.retain(|trunk| {
            let leaves = |trial: &Trial| trial.spec.recipe.trunk.as_ref() == Some(&trunk.spec.id);
            pending.iter().any(leaves)
        });
    }

    /// The trunks that pending trials leave. A trunk that has every branch point is
    /// among them: its worker looks whether they are whole.
    fn take_trunks(&mut self, prepared: &Prepared) {
        for spec in &prepared.trunks {
            let leaves = |trial: &Trial| {
                let (trunk, step) = trial.spec.branch()?;
                (*trunk == spec.id).then_some(step)
            };
            let mut leaving = Leaving::new();
            for step in self.pending.iter().filter_map(leaves) {
                *leaving.entry(step).or_default() += 1;
            }
            let branches: Vec<u64> = leaving.keys().copied().collect();
            let dir = prepared.output.trunk(&spec.id);
            let mut spec = spec.clone();
            let grown = dir.branches().steps().first().copied().unwrap_or(0);
            let flops = spec.run.flops_per_unit * (grown * spec.units_per_step()) as f64;
            self.kept_flops += flops;
            // A law needs no training to draw from.
            if spec.recipe.simulation.is_some() {
                continue;
            }
            let place = (spec.id.clone(), dir.branches(), leaving);
            self.branches.push(place);
            let Some(last) = branches.last() else {
                continue;
            };
            let done = last - dir.steps_to_grow(&branches);
            spec.run.branches = branches;
            self.trunks.push(Trial {
                done,
                ..Trial::trunk(spec, prepared)
            });
        }
    }
}

/// The result of a trial that need not be trained again.
fn finished(
    dir: &TrialDir,
    spec: &TrialSpec,
    aside: &mut Vec<SetAside>,
) -> Result<Option<TrialResult>, SweepError> {
    let reason = match dir.result() {
        Ok(Some(result)) if result.id != spec.id => {
            format!("it is the result of another trial, {}", result.id)
        }
        Ok(Some(result)) if matches!(result.outcome, Outcome::Failed { .. }) => return Ok(None),
        Ok(Some(result)) if matches!(result.outcome, Outcome::Grown { .. }) => {
            "it is what a trunk leaves".to_owned()
        }
        Ok(result) => return Ok(result),
        Err(error) if error.is_foreign() => error.to_string(),
        Err(error) => return Err(error.into()),
    };
    aside.push(set_aside(&dir.result_path(), &reason)?);
    Ok(None)
}

struct Change {
    library: PathBuf,
    plugin: String,
    version: String,
}

/// The first library of `trial` whose content is not what the specification on
/// disk says it was.
fn change(trial: &Trial) -> Option<Change> {
    let old = trial.dir.spec().ok()?.run;
    let new = &trial.spec.run;
    let recipe = &trial.spec.recipe;
    let pairs: [(&Load, &Load, _); 3] = [
        (&old.model, &new.model, &recipe.model),
        (&old.dataset, &new.dataset, &recipe.dataset),
        (&old.loss, &new.loss, &recipe.loss),
    ];
    pairs
        .into_iter()
        .find(|(old, new, _)| old.sha256 != new.sha256)
        .map(|(_, new, component)| Change {
            library: new.library.clone(),
            plugin: component.plugin.clone(),
            version: component.version.clone(),
        })
}

/// The libraries of a trial with their hashes, as a result records them.
pub(super) fn libraries(spec: &TrialSpec) -> BTreeMap<String, String> {
    let run = &spec.run;
    [&run.model, &run.dataset, &run.loss]
        .into_iter()
        .filter(|load| !load.sha256.is_empty())
        .map(|load| (load.library.display().to_string(), load.sha256.clone()))
        .collect()
}
