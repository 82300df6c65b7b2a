//! Bars: one for each running trial, one for the sweep.

use std::collections::BTreeMap;

use flops_fit_scaling::quantity;
use flops_fit_trial::{Outcome, Progress, Stage, TrialId};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{ending, pace::Pace};
use crate::{
    sweep::{Observer, Trial},
    time::duration,
};

/// Resolution of the sweep's bar, which counts FLOPs.
const SWEEP_STEPS: u64 = 1000;

pub(super) struct Bars {
    pace: Pace,
    all: MultiProgress,
    sweep: ProgressBar,
    running: BTreeMap<TrialId, ProgressBar>,
}

impl Bars {
    pub(super) fn new(pace: Pace) -> Self {
        let all = MultiProgress::new();
        let sweep = all.add(ProgressBar::new(SWEEP_STEPS).with_style(style(
            "{prefix:<28} [{bar:24}] {percent:>3} %  {elapsed}  {msg}",
        )));
        sweep.set_prefix("sweep");
        Self {
            pace,
            all,
            sweep,
            running: BTreeMap::new(),
        }
    }
}

impl Observer for Bars {
    fn started(&mut self, trial: &Trial) {
        let bar = ProgressBar::new(trial.last_step())
            .with_style(style("{prefix:<28} [{bar:24}] {pos:>6}/{len}  {msg}"));
        bar.set_prefix(trial.label());
        bar.set_message("starting");
        self.running.insert(
            trial.spec.id.clone(),
            self.all.insert_before(&self.sweep, bar),
        );
    }

    fn progressed(&mut self, trial: &Trial, progress: &Progress) {
        self.pace.progressed(trial, progress);
        if let Some(bar) = self.running.get(&trial.spec.id) {
            bar.set_position(progress.step);
            bar.set_message(message(progress));
        }
    }

    fn ended(&mut self, trial: &Trial, outcome: &Outcome, again: bool) {
        self.pace.ended(trial, again);
        if let Some(bar) = self.running.remove(&trial.spec.id) {
            bar.finish_and_clear();
        }
        let line = format!("{:<28} {}", trial.label(), ending(outcome, again));
        // Only a terminal that went away refuses a line.
        let _ = self.all.println(line);
    }

    fn tick(&mut self) {
        self.sweep
            .set_position((self.pace.share() * SWEEP_STEPS as f64) as u64);
        let left = match self.pace.left() {
            Some(left) => format!(", {} left", duration(left)),
            None => String::new(),
        };
        self.sweep.set_message(format!(
            "{} of {} trials{left}",
            self.pace.ended, self.pace.trials
        ));
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        for bar in self.running.values() {
            bar.finish_and_clear();
        }
        self.sweep.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the template is a constant")
        .progress_chars("=> ")
}

fn message(progress: &Progress) -> String {
    match progress.stage {
        Stage::Start => "starting".to_owned(),
        Stage::Evaluate => "evaluating".to_owned(),
        Stage::Train => {
            let loss = progress.loss.map(|loss| format!("loss {loss:.3}"));
            let rate = progress
                .units_per_second
                .map(|rate| format!("{}/s", quantity::count(rate)));
            let share = progress
                .gemm_share
                .map(|share| format!("{:.0} % of peak", 100.0 * share));
            [loss, rate, share]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join("  ")
        }
    }
}
