//! Who is told what happens to a sweep.

use flops_fit_trial::{Outcome, Progress};

use super::{Selection, Trial};
use crate::plan::{Estimate, Prepared};

/// Is told what happens; a bar, a line, a test. All of it may be left out.
pub trait Observer {
    /// Something that a user should know, in words.
    fn noted(&mut self, words: &str) {
        let _ = words;
    }

    /// The plan was made and written; training is about to begin.
    fn planned(&mut self, prepared: &Prepared, estimate: &Estimate, selection: &Selection) {
        let _ = (prepared, estimate, selection);
    }

    /// A trial's worker was started.
    fn started(&mut self, trial: &Trial) {
        let _ = trial;
    }

    /// A trial said where it is.
    fn progressed(&mut self, trial: &Trial, progress: &Progress) {
        let _ = (trial, progress);
    }

    /// A trial's worker ended; with `again`, the trial is put back into the queue.
    fn ended(&mut self, trial: &Trial, outcome: &Outcome, again: bool) {
        let _ = (trial, outcome, again);
    }

    /// Called many times a second.
    fn tick(&mut self) {}
}

/// What an [`Observer`] is told, as one value.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// Something that a user should know, in words.
    Noted(&'a str),
    /// The plan was made and written; training is about to begin.
    Planned {
        /// The plan.
        prepared: &'a Prepared,
        /// What it is likely to take.
        estimate: &'a Estimate,
    },
    /// A trial's worker was started.
    Started(&'a Trial),
    /// A trial said where it is.
    Progressed {
        /// The trial.
        trial: &'a Trial,
        /// Where it is.
        progress: &'a Progress,
    },
    /// A trial's worker ended.
    Ended {
        /// The trial.
        trial: &'a Trial,
        /// How.
        outcome: &'a Outcome,
        /// Whether it will be tried again.
        again: bool,
    },
}

/// A function that is told.
#[derive(Debug, Clone)]
pub struct Callback<F>(pub F);

impl<F: FnMut(Event<'_>)> Observer for Callback<F> {
    fn noted(&mut self, words: &str) {
        self.0(Event::Noted(words));
    }

    fn planned(&mut self, prepared: &Prepared, estimate: &Estimate, _: &Selection) {
        self.0(Event::Planned { prepared, estimate });
    }

    fn started(&mut self, trial: &Trial) {
        self.0(Event::Started(trial));
    }

    fn progressed(&mut self, trial: &Trial, progress: &Progress) {
        self.0(Event::Progressed { trial, progress });
    }

    fn ended(&mut self, trial: &Trial, outcome: &Outcome, again: bool) {
        self.0(Event::Ended {
            trial,
            outcome,
            again,
        });
    }
}
