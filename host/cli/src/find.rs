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

use std::collections::BTreeSet;

use flops_fit_trial::{DocumentError, TrialId, set_aside, write_sealed};

pub use outcome::{Answer, NoAnswer, Outcome, OutcomeError};

use crate::{
    interrupt::Interrupt,
    manifest::{Manifest, Place},
    output::{Lock, LockError, Output},
    plan::{self, PlanError, Prepared},
    report,
    sweep::{self, Callback, Event, MicroBatches, Observer, Rebuilt, Settings, SweepError, Tally},
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
            let (prepared, _lock) =
                prepare(manifest, &trainer, self.rebuilt, observer, &self.interrupt)?;
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

/// Plans by the results that stand by `rebuilt`, takes the output folder, and writes the
/// plan there.
///
/// # Errors
/// [`FindError`]; nothing was trained.
pub fn prepare(
    manifest: &Manifest,
    trainer: &Trainer,
    rebuilt: Rebuilt,
    observer: &mut dyn Observer,
    interrupt: &Interrupt,
) -> Result<(Prepared, Lock), FindError> {
    // Asking about the sizes may take a while: better to know at once.
    Output::at(&manifest.output_dir).check_free()?;
    let settled;
    let (manifest, rate) = if manifest.sweep.timed.is_empty() {
        (manifest, None)
    } else {
        let (known, rate, foreign) = rate::settle(manifest, trainer, observer, interrupt)?;
        settled = known;
        (&settled, Some((rate, foreign)))
    };
    let prepared = plan::prepare(manifest, trainer, rebuilt, interrupt)?;
    let lock = prepared.output.lock()?;
    if let Some(stale) = lock.stale() {
        observer.noted(&format!(
            "going on where {stale}, stopped without a word: it was killed, or the machine went down"
        ));
    }
    for aside in prepared.write()? {
        observer.noted(&format!("warning: {aside}"));
    }
    if let Some((rate, foreign)) = rate {
        let path = prepared.output.rate();
        if let Some(reason) = foreign {
            let aside = set_aside(&path, &reason)?;
            observer.noted(&format!("warning: {aside}"));
        }
        write_sealed(&path, &rate)?;
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
    let (prepared, lock) = prepare(manifest, trainer, rebuilt, observer, interrupt)?;
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

/// Trains what is missing, and what results make necessary. Each trial is tried in one
/// round: what has failed, or left a result that is none, is for the next run.
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
    let mut micro_batches = MicroBatches::default();
    let mut told = Vec::new();
    let mut tried: BTreeSet<TrialId> = BTreeSet::new();
    loop {
        let mut selection = sweep::select(&prepared, rebuilt)?;
        for aside in &selection.set_aside {
            observer.noted(&format!("warning: {aside}"));
        }
        selection.leave_out(&tried);
        for decision in prepared.decisions() {
            if !told.contains(&decision) {
                observer.noted(&format!("decided: {decision}"));
                told.push(decision);
            }
        }
        observer.planned(&prepared, &prepared.estimate(&manifest), &selection);
        let pending = selection.pending.iter().map(|trial| trial.spec.id.clone());
        let pending: BTreeSet<TrialId> = pending.collect();
        let is_idle = pending.is_empty();
        tried.extend(pending);
        let kept = prepared
            .specs
            .iter()
            .filter(|spec| !tried.contains(&spec.id));
        let kept = kept.count();
        let round = sweep::train(
            selection,
            &settings,
            trainer,
            &mut micro_batches,
            observer,
            interrupt,
        )?;
        let diverged = round.diverged;
        // A rate is not decided without all of its trials.
        let stuck = prepared.is_tuning() && !round.failed.is_empty();
        tally.go_on(round, kept);
        if tally.interrupted || stuck || (prepared.is_decided() && diverged == 0) {
            return Ok((prepared, tally));
        }
        let next = prepared.again(rebuilt)?;
        let is_done =
            prepared.is_decided() || (is_idle && next.decisions() == prepared.decisions());
        if is_done && !next.adds_to(&prepared) {
            return Ok((prepared, tally));
        }
        prepared = next;
        for aside in prepared.write()? {
            observer.noted(&format!("warning: {aside}"));
        }
    }
}
