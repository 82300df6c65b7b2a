//! Why a trial of several ranks ends: the first failure, and no other.

use std::sync::{Mutex, PoisonError};

use flops_fit_trial::Failure;

/// The first failure of any rank. When one is gone the others fail too, for want of
/// it; that is no cause.
#[derive(Debug, Default)]
pub(super) struct Cause(Mutex<Option<Failure>>);

impl Cause {
    /// Notes a rank's failure, before the others can notice that it is gone.
    pub(super) fn note<T>(&self, end: Result<T, Failure>) -> Option<T> {
        let failure = match end {
            Ok(end) => return Some(end),
            Err(failure) => failure,
        };
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(failure);
        None
    }

    /// It, if any rank has failed.
    pub(super) fn take(self) -> Option<Failure> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
