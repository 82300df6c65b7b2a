//! The result of a trial that is still to be written, by whichever thread ends it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use flops_fit_trial::{
    DocumentError, Environment, FORMAT, Outcome, ReservedResult, Timing, TrialId, TrialResult,
};

use crate::Keeper;

/// A handle of it.
#[derive(Clone)]
pub(super) struct Pending(Arc<Mutex<Option<Parts>>>);

/// What is known before the outcome, and where all of it goes.
struct Parts {
    reserved: ReservedResult,
    id: TrialId,
    environment: Environment,
    startup: f64,
}

impl Pending {
    pub(super) fn new(reserved: ReservedResult, id: TrialId, environment: Environment) -> Self {
        let parts = Parts {
            reserved,
            id,
            environment,
            startup: 0.0,
        };
        Self(Arc::new(Mutex::new(Some(parts))))
    }

    /// The trial goes on as `keeper` says.
    pub(super) fn goes_on(&self, keeper: &Keeper) {
        if let Some(parts) = &mut *self.lock() {
            parts.environment.resumed = keeper.resumed().to_vec();
            parts.environment.refused = keeper.refused().to_vec();
        }
    }

    /// Training began after so many seconds.
    pub(super) fn started(&self, startup: f64) {
        if let Some(parts) = &mut *self.lock() {
            parts.startup = startup;
        }
    }

    /// Writes it. Another thread that does so too, or has done so, is about to end the
    /// process: then this does not come back.
    pub(super) fn write(
        &self,
        outcome: Outcome,
        train: f64,
        evaluate: f64,
    ) -> Result<(), DocumentError> {
        let Some(parts) = self.lock().take() else {
            loop {
                thread::park();
            }
        };
        parts.reserved.write(&TrialResult {
            format: FORMAT,
            id: parts.id,
            outcome,
            environment: parts.environment,
            timing: Timing {
                startup: parts.startup,
                train,
                evaluate,
            },
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Parts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
