//! `TensorBoard`: a sweep's progress as event files, which `tensorboard --logdir` shows
//! while it trains.
//!
//! ```text
//! outputs/<name>/tensorboard/<budget>-<size>-<seed>-<id>/events.out.tfevents.…
//! ```
//!
//! Everything in them is taken from `progress.jsonl` and `result.json`, so that a trial
//! that was trained without them gets its curves too, and the worker knows nothing of
//! it. Each attempt at a trial or trunk has a file of its own, which begins with what
//! earlier ones had come to. One of which the newest file broke off gets another.

mod curves;
mod event;
mod file;

use std::{collections::BTreeMap, io, path::PathBuf};

use flops_fit_trial::{Outcome, Progress, TrialId};

use crate::{
    output::Output,
    plan::{Estimate, Prepared},
    sweep::{Observer, Selection, Trial},
};
use curves::Curves;

/// Writes event files, and tells another observer what it is told itself.
pub(crate) struct Mirror<'a> {
    folder: PathBuf,
    observer: &'a mut dyn Observer,
    running: BTreeMap<TrialId, Curves>,
    /// Nothing more is written after something could not be.
    broken: bool,
}

impl<'a> Mirror<'a> {
    /// Of the sweep in `output`.
    pub(crate) fn new(output: &Output, observer: &'a mut dyn Observer) -> Self {
        Self {
            folder: output.tensorboard(),
            observer,
            running: BTreeMap::new(),
            broken: false,
        }
    }

    fn folder_of(&self, trial: &Trial) -> PathBuf {
        self.folder.join(name(&trial.label(), &trial.spec.id))
    }

    /// Does what may fail; curves are a view, and no reason to stop a sweep.
    fn try_to(&mut self, write: impl FnOnce(&mut Self) -> io::Result<()>) {
        if self.broken {
            return;
        }
        if let Err(error) = write(self) {
            self.broken = true;
            self.running.clear();
            self.observer.noted(&format!(
                "warning: no more event files for TensorBoard are written in {}: {error}; the next run writes what is missing",
                self.folder.display()
            ));
        }
    }

    fn follow(&mut self, trial: &Trial) -> io::Result<()> {
        match self.running.get_mut(&trial.spec.id) {
            Some(curves) => curves.follow(),
            None => Ok(()),
        }
    }
}

impl Observer for Mirror<'_> {
    fn noted(&mut self, words: &str) {
        self.observer.noted(words);
    }

    /// Writes what was trained before and has no whole event file.
    fn planned(&mut self, prepared: &Prepared, estimate: &Estimate, selection: &Selection) {
        self.observer.planned(prepared, estimate, selection);
        self.try_to(|mirror| {
            let trials = prepared.specs.iter();
            let trials = trials.map(|spec| Trial::planned(spec, prepared));
            let trunks = prepared.trunks.iter();
            let trunks = trunks.map(|spec| Trial::trunk(spec.clone(), prepared));
            for trial in trials.chain(trunks) {
                let folder = mirror.folder_of(&trial);
                let Ok(Some(result)) = trial.dir.result() else {
                    continue;
                };
                if result.id == trial.spec.id && !file::is_whole(&folder) {
                    let mut curves = Curves::begin(&folder, &trial.dir.progress_path())?;
                    curves.follow()?;
                    curves.end(&result.outcome)?;
                }
            }
            Ok(())
        });
    }

    fn started(&mut self, trial: &Trial) {
        self.observer.started(trial);
        self.try_to(|mirror| {
            let folder = mirror.folder_of(trial);
            let curves = Curves::begin(&folder, &trial.dir.progress_path())?;
            mirror.running.insert(trial.spec.id.clone(), curves);
            Ok(())
        });
    }

    fn progressed(&mut self, trial: &Trial, progress: &Progress) {
        self.observer.progressed(trial, progress);
        self.try_to(|mirror| mirror.follow(trial));
    }

    fn ended(&mut self, trial: &Trial, outcome: &Outcome, again: bool) {
        self.observer.ended(trial, outcome, again);
        self.try_to(|mirror| {
            // What came after the executor's last look.
            mirror.follow(trial)?;
            match mirror.running.remove(&trial.spec.id) {
                Some(mut curves) => curves.end(outcome),
                None => Ok(()),
            }
        });
    }

    fn tick(&mut self) {
        self.observer.tick();
    }
}

/// A run's name in `TensorBoard`: a folder's, distinct for every trial.
fn name(label: &str, id: &TrialId) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
    let label = label.replace(|c: char| !plain(c), "-");
    let id = id.as_str();
    format!("{label}-{}", id.get(..8).unwrap_or(id))
}

#[cfg(test)]
mod tests;
