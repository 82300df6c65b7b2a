//! From a manifest to an optimum, as a library.
//!
//! ```no_run
//! use flops_fit::{Search, find_optimal, manifest::Manifest, sweep::Event};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let manifest = Manifest::load("manifest.toml".as_ref(), &[])?;
//! let outcome = find_optimal(&manifest)?;
//! for optimum in outcome.chinchilla_table()? {
//!     println!("{:e} FLOPs: N* = {:.0}, L* = {:.3}", optimum.c, optimum.n, optimum.loss);
//! }
//! println!("at 1e15: {:.3e} parameters", outcome.predict(1e15)?.n);
//!
//! // Only what it would cost; then with progress.
//! let plan = Search::new(&manifest).plan_only().run()?;
//! println!("{} trials", plan.plan().runs().count());
//! Search::new(&manifest)
//!     .on_event(|event| {
//!         if let Event::Ended { trial, outcome, .. } = event {
//!             println!("{}: {outcome:?}", trial.label());
//!         }
//!     })
//!     .run()?;
//! # Ok(())
//! # }
//! ```

mod outcome;
mod rate;

use flops_fit_trial::{DocumentError, write_json};

pub use outcome::{Answer, NoAnswer, Outcome, OutcomeError};

use crate::{
    interrupt::Interrupt,
    manifest::{Manifest, Place},
    output::{Lock, LockError, Output},
    plan::{self, PlanError, Prepared},
    report,
    sweep::{self, Callback, Event, Observer, Rebuilt, Settings, SweepError, Tally},
    tensorboard::Mirror,
    trainer::Trainer,
    worker::WorkerError,
};

/// Plans the sweep of `manifest`, trains what has no result yet, fits and predicts.
///
/// It is what `flops-fit run` does, without words and without figures: the output
/// folder is locked meanwhile, and what has completed is never trained again.
///
/// # Errors
/// [`FindError`] where nothing could be trained. Trials that fail, and runs that no law
/// can be fitted to, are part of the [`Outcome`].
pub fn find_optimal(manifest: &Manifest) -> Result<Outcome, FindError> {
    Search::new(manifest).run()
}

/// Why nothing could be planned or trained.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is the error that it wraps")]
pub enum FindError {
    #[error(transparent)]
    Worker(#[from] WorkerError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error(transparent)]
    Sweep(#[from] SweepError),
    #[error("{place}: a simulation takes no time; write these budgets in FLOPs")]
    NoTime { place: Box<Place> },
    #[error("the short trial by which budgets given as times become FLOPs failed: {reason}")]
    Probe { reason: String },
}

/// [`find_optimal`] with options.
pub struct Search<'a> {
    manifest: &'a Manifest,
    plan_only: bool,
    rebuilt: Rebuilt,
    observer: Box<dyn Observer + 'a>,
    interrupt: Interrupt,
}

impl<'a> Search<'a> {
    /// Trains and fits, tells nobody, and goes on until it is done.
    pub fn new(manifest: &'a Manifest) -> Self {
        Self {
            manifest,
            plan_only: false,
            rebuilt: Rebuilt::default(),
            observer: Box::new(Callback(|_: Event<'_>| ())),
            interrupt: Interrupt::default(),
        }
    }

    /// Writes the plan and trains nothing.
    #[must_use]
    pub fn plan_only(mut self) -> Self {
        self.plan_only = true;
        self
    }

    /// What to do with results of a library that changed under an unchanged version.
    #[must_use]
    pub fn rebuilt(mut self, rebuilt: Rebuilt) -> Self {
        self.rebuilt = rebuilt;
        self
    }

    /// Tells `callback` what happens, on this thread.
    #[must_use]
    pub fn on_event(self, callback: impl FnMut(Event<'_>) + 'a) -> Self {
        self.observer(Callback(callback))
    }

    /// Tells `observer` what happens, on this thread.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer + 'a) -> Self {
        self.observer = Box::new(observer);
        self
    }

    /// Stops cleanly once `interrupt` is raised, from another thread or a signal.
    #[must_use]
    pub fn interrupt(mut self, interrupt: &Interrupt) -> Self {
        self.interrupt = interrupt.clone();
        self
    }

    /// Does it.
    ///
    /// # Errors
    /// As [`find_optimal`].
    pub fn run(mut self) -> Result<Outcome, FindError> {
        let (manifest, observer) = (self.manifest, self.observer.as_mut());
        let trainer = Trainer::of(manifest)?;
        if self.plan_only {
            let (prepared, _lock) = prepare(manifest, &trainer, observer, &self.interrupt)?;
            return Ok(Outcome::new(prepared, manifest, Answer::Planned));
        }
        let (prepared, tally, _lock) =
            carry_out(manifest, &trainer, self.rebuilt, observer, &self.interrupt)?;
        let answer = if tally.interrupted {
            Answer::Interrupted(tally)
        } else {
            match report::analyze(&prepared.output, &manifest.analysis) {
                Ok(analysis) => Answer::Fitted(tally, Box::new(analysis)),
                Err(error) => Answer::Unfitted(tally, error),
            }
        };
        Ok(Outcome::new(prepared, manifest, answer))
    }
}

/// Plans, takes the output folder, and writes the plan there.
///
/// # Errors
/// [`FindError`]; nothing was trained.
pub fn prepare(
    manifest: &Manifest,
    trainer: &Trainer,
    observer: &mut dyn Observer,
    interrupt: &Interrupt,
) -> Result<(Prepared, Lock), FindError> {
    // Asking about the sizes may take a while: better to know at once.
    Output::at(&manifest.output_dir).check_free()?;
    let settled;
    let (manifest, rate) = if manifest.sweep.timed.is_empty() {
        (manifest, None)
    } else {
        let (known, rate) = rate::settle(manifest, trainer, observer, interrupt)?;
        settled = known;
        (&settled, Some(rate))
    };
    let prepared = plan::prepare(manifest, trainer, interrupt)?;
    let lock = prepared.output.lock()?;
    if let Some(stale) = lock.stale() {
        observer.noted(&format!(
            "going on where {stale}, stopped without a word: it was killed, or the machine went down"
        ));
    }
    for aside in prepared.write()? {
        observer.noted(&format!("warning: {aside}"));
    }
    if let Some(rate) = rate {
        write_json(&prepared.output.rate(), &rate)?;
    }
    Ok((prepared, lock))
}

/// Plans, writes the plan, and trains what is missing; an adaptive sweep round by round.
/// The folder stays locked as long as the [`Lock`] is kept, for what is still to be
/// written there.
///
/// # Errors
/// [`FindError`]; what had completed before is kept.
pub fn carry_out(
    manifest: &Manifest,
    trainer: &Trainer,
    rebuilt: Rebuilt,
    observer: &mut dyn Observer,
    interrupt: &Interrupt,
) -> Result<(Prepared, Tally, Lock), FindError> {
    let (prepared, lock) = prepare(manifest, trainer, observer, interrupt)?;
    let mut mirror;
    let observer: &mut dyn Observer = if manifest.tensorboard {
        mirror = Mirror::new(&prepared.output, observer);
        &mut mirror
    } else {
        observer
    };
    let (prepared, tally) = in_rounds(prepared, trainer, rebuilt, observer, interrupt)?;
    Ok((prepared, tally, lock))
}

/// Trains what is missing, and what results make necessary.
fn in_rounds(
    mut prepared: Prepared,
    trainer: &Trainer,
    rebuilt: Rebuilt,
    observer: &mut dyn Observer,
    interrupt: &Interrupt,
) -> Result<(Prepared, Tally), FindError> {
    let manifest = prepared.manifest.clone();
    let settings = Settings::of(&manifest.run);
    let mut tally = Tally::default();
    let mut told = Vec::new();
    loop {
        let mut selection = sweep::select(&prepared, rebuilt)?;
        for aside in &selection.set_aside {
            observer.noted(&format!("warning: {aside}"));
        }
        // One that failed in this run is tried again by the next.
        selection.leave_out(&tally.failed.iter().map(|trial| trial.id.clone()).collect());
        for decision in prepared.decisions() {
            if !told.contains(&decision) {
                observer.noted(&format!("decided: {decision}"));
                told.push(decision);
            }
        }
        observer.planned(&prepared, &prepared.estimate(&manifest), &selection);
        let round = sweep::train(selection, &settings, trainer, observer, interrupt)?;
        let diverged = round.diverged;
        // A rate is not decided without all of its trials.
        let stuck = prepared.is_tuning() && !round.failed.is_empty();
        tally.go_on(round);
        if tally.interrupted || stuck || (prepared.is_decided() && diverged == 0) {
            return Ok((prepared, tally));
        }
        let next = prepared.again()?;
        if prepared.is_decided() && next.specs.len() == prepared.specs.len() {
            return Ok((prepared, tally));
        }
        prepared = next;
        for aside in prepared.write()? {
            observer.noted(&format!("warning: {aside}"));
        }
    }
}
