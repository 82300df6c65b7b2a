//! Makes batches on a thread of its own, ahead of the training loop.

use std::thread::{Scope, ScopedJoinHandle};

use crossbeam::channel::{Receiver, bounded};
use flops_fit_plugin::{Draw, Split};
use flops_fit_trial::{Failure, Phase};

use crate::plugin::{Batch, Dataset};

/// Batches made ahead.
const AHEAD: usize = 4;

/// What the training loop will ask for next.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) split: Split,
    pub(crate) draws: Vec<Draw>,
}

/// The loop's end of the loader thread.
#[derive(Debug)]
pub(crate) struct Feed<'scope> {
    batches: Option<Receiver<Result<Batch, Failure>>>,
    loader: ScopedJoinHandle<'scope, Dataset>,
}

impl<'scope> Feed<'scope> {
    /// Starts making the batches of `plan`, in order. The dataset moves to the
    /// thread: no other call can reach it at the same time.
    pub(crate) fn start<'env>(
        scope: &'scope Scope<'scope, 'env>,
        dataset: Dataset,
        plan: impl Iterator<Item = Wanted> + Send + 'scope,
    ) -> Self {
        let (sender, receiver) = bounded(AHEAD);
        let loader = scope.spawn(move || {
            for wanted in plan {
                let batch = dataset.batch(wanted.split, &wanted.draws);
                let failed = batch.is_err();
                // The loop hangs up when it has failed or diverged.
                if sender.send(batch).is_err() || failed {
                    break;
                }
            }
            dataset
        });
        Self {
            batches: Some(receiver),
            loader,
        }
    }

    /// The next batch of the plan.
    pub(crate) fn next(&self) -> Result<Batch, Failure> {
        let batches = self.batches.as_ref().expect("open until `stop`");
        batches.recv().unwrap_or_else(|_| {
            Err(Failure::Host {
                phase: Phase::Batch,
                detail: "the loader thread ended before its plan".to_owned(),
            })
        })
    }

    /// Hangs up and takes the dataset back.
    pub(crate) fn stop(mut self) -> Result<Dataset, Failure> {
        drop(self.batches.take());
        self.loader.join().map_err(|_| Failure::Host {
            phase: Phase::Batch,
            detail: "the loader thread panicked outside the plugin".to_owned(),
        })
    }
}
