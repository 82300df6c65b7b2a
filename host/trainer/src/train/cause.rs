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

    /// Notes that a rank has panicked, which it could not say before the others noticed.
    pub(super) fn panicked(&self, failure: Failure) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
    }

    /// It, if any rank has failed.
    pub(super) fn take(self) -> Option<Failure> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use flops_fit_trial::Phase;

    use super::*;

    fn failure(detail: &str) -> Failure {
        Failure::Host {
            phase: Phase::Update,
            detail: detail.to_owned(),
        }
    }

    #[test]
    fn the_first_failure_counts_unless_a_rank_panicked() {
        let cause = Cause::default();
        assert_eq!(cause.note(Ok(3)), Some(3));
        assert_eq!(cause.note::<()>(Err(failure("first"))), None);
        assert_eq!(cause.note::<()>(Err(failure("rank 1 has ended"))), None);
        assert_eq!(cause.take(), Some(failure("first")));

        let cause = Cause::default();
        cause.note::<()>(Err(failure("rank 1 has ended")));
        cause.panicked(failure("rank 1 panicked"));
        assert_eq!(cause.take(), Some(failure("rank 1 panicked")));
        assert_eq!(Cause::default().take(), None);
    }
}
