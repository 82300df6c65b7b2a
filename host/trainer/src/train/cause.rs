//! Why a trial of several ranks ends: the first failure, and no other.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use crossbeam::channel::{RecvTimeoutError, Sender, bounded};
use flops_fit_trial::Failure;

use super::LastResort;
use crate::{collective, feed, parent};

/// How long the other threads of a trial are waited for once one has failed: a batch that
/// takes its time is no endless one.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The first failure of any rank. When one is gone the others fail too, for want of
/// it; that is no cause.
pub(super) struct Cause {
    first: Arc<Mutex<Option<Failure>>>,
    patience: Duration,
    last_resort: Mutex<Option<LastResort>>,
    /// Dropped once nobody is waited for any more.
    waiting: Mutex<Option<Sender<()>>>,
}

impl Cause {
    /// None so far. A thread may hang that does not know that another has failed: `patience`
    /// after the first failure that is a cause, `last_resort` is called with it, unless this
    /// was dropped before.
    pub(super) fn new(patience: Duration, last_resort: Option<LastResort>) -> Self {
        Self {
            first: Arc::default(),
            patience,
            last_resort: Mutex::new(last_resort),
            waiting: Mutex::default(),
        }
    }

    /// Notes a rank's failure, before the others can notice that it is gone. One that comes
    /// later, as a panic does, replaces what they have said for want of it.
    pub(super) fn note<T>(&self, end: Result<T, Failure>) -> Option<T> {
        let failure = match end {
            Ok(end) => return Some(end),
            Err(failure) => failure,
        };
        let is_cause = !is_for_want_of_another(&failure);
        let mut first = lock(&self.first);
        if first.as_ref().is_none_or(is_for_want_of_another) {
            *first = Some(failure);
        }
        drop(first);
        if is_cause {
            self.lose_patience();
        }
        None
    }

    /// Begins to wait, if that has not begun.
    fn lose_patience(&self) {
        let Some(last_resort) = lock(&self.last_resort).take() else {
            return;
        };
        let (waiting, over) = bounded::<()>(0);
        *lock(&self.waiting) = Some(waiting);
        let (first, patience) = (Arc::clone(&self.first), self.patience);
        let wait = move || {
            while over.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                // What the first rank saves is what the next attempt begins with.
                if parent::is_saving() {
                    continue;
                }
                if let Some(failure) = lock(&first).clone() {
                    last_resort(failure);
                }
                return;
            }
        };
        // Without a thread for it, it is the parent whose patience ends.
        let _ = thread::Builder::new()
            .name("patience".to_owned())
            .spawn(wait);
    }

    /// It, if any rank has failed.
    pub(super) fn take(self) -> Option<Failure> {
        lock(&self.first).take()
    }
}

fn is_for_want_of_another(failure: &Failure) -> bool {
    *failure == feed::ended()
        || (0..parent::MOST_RANKS).any(|rank| *failure == collective::gone(rank))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use crossbeam::channel::Receiver;
    use flops_fit_trial::Phase;

    use super::*;

    fn failure(detail: &str) -> Failure {
        Failure::Host {
            phase: Phase::Update,
            detail: detail.to_owned(),
        }
    }

    fn cause() -> Cause {
        Cause::new(PATIENCE, None)
    }

    #[test]
    fn the_first_failure_counts_unless_it_is_for_want_of_another() {
        let cause = cause();
        assert_eq!(cause.note(Ok(3)), Some(3));
        assert_eq!(cause.note::<()>(Err(failure("first"))), None);
        assert_eq!(cause.note::<()>(Err(collective::gone(1))), None);
        // A panic, which is noticed last, of a rank that was to end anyway.
        assert_eq!(cause.note::<()>(Err(failure("rank 2 panicked"))), None);
        assert_eq!(cause.take(), Some(failure("first")));
        assert_eq!(self::cause().take(), None);
    }

    #[test]
    fn a_panic_counts_though_others_noticed_first() {
        for noticed in [collective::gone(1), collective::gone(0), feed::ended()] {
            let cause = cause();
            cause.note::<()>(Err(noticed.clone()));
            cause.note::<()>(Err(noticed));
            cause.note::<()>(Err(failure("rank 1 panicked")));
            assert_eq!(cause.take(), Some(failure("rank 1 panicked")));
        }
    }

    /// A cause of such patience, and where its last resort is heard.
    fn impatient(patience: Duration) -> (Cause, Receiver<Failure>) {
        let (told, hear) = bounded(1);
        let last_resort: LastResort = Box::new(move |failure| told.send(failure).expect("heard"));
        (Cause::new(patience, Some(last_resort)), hear)
    }

    #[test]
    fn a_thread_that_hangs_is_not_waited_for() {
        let (cause, hear) = impatient(Duration::from_millis(1));
        cause.note::<()>(Err(failure("first")));
        cause.note::<()>(Err(failure("second")));
        assert_eq!(hear.recv(), Ok(failure("first")));
    }

    #[test]
    fn what_fails_for_want_of_another_ends_no_patience() {
        let (cause, hear) = impatient(Duration::from_millis(1));
        cause.note::<()>(Err(feed::ended()));
        cause.note::<()>(Err(collective::gone(1)));
        assert!(lock(&cause.waiting).is_none(), "nobody waits yet");
        cause.note::<()>(Err(failure("the dataset's")));
        assert_eq!(hear.recv(), Ok(failure("the dataset's")));
    }

    #[test]
    fn threads_that_end_are_waited_for() {
        let (cause, hear) = impatient(Duration::MAX);
        cause.note::<()>(Err(failure("first")));
        assert_eq!(cause.take(), Some(failure("first")));
        // It was dropped, and never called.
        assert!(hear.recv().is_err());
    }
}
