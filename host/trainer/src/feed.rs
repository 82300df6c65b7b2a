//! Makes batches on a thread of its own, ahead of the training loop.
//!
//! Batches are handed over in pages: waking a thread is not free beside a small
//! model's step, so small batches travel together.

use std::{
    collections::VecDeque,
    thread::{Scope, ScopedJoinHandle},
};

use crossbeam::channel::{Receiver, Sender, bounded};
use flops_fit_plugin::{Draw, Split};
use flops_fit_trial::{Failure, Part, Phase};
use tch::Tensor;

use crate::{
    parent,
    plugin::{Batch, Dataset},
};

/// Pages made ahead.
const AHEAD: usize = 2;

/// A page is handed over once it has this many batches …
const PAGE_BATCHES: usize = 32;

/// … or this many elements, so that large batches do not pile up.
const PAGE_ELEMENTS: usize = 1 << 16;

/// What the training loop will ask for next.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) split: Split,
    pub(crate) draws: Vec<Draw>,
}

type Page = VecDeque<Result<Batch, Failure>>;

/// The loop's end of the loader thread.
#[derive(Debug)]
pub(crate) struct Feed<'scope> {
    pages: Option<Receiver<Page>>,
    open: Page,
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
            load(&dataset, plan, &sender);
            dataset
        });
        Self {
            pages: Some(receiver),
            open: Page::new(),
            loader,
        }
    }

    /// The next batch of the plan.
    pub(crate) fn next(&mut self) -> Result<Batch, Failure> {
        if self.open.is_empty() {
            // A dataset that hangs holds the training thread up here.
            parent::enter(Part::Dataset, Phase::Batch);
            let pages = self.pages.as_ref().expect("open until `stop`");
            self.open = pages.recv().unwrap_or_default();
        }
        self.open.pop_front().unwrap_or_else(|| {
            Err(Failure::Host {
                phase: Phase::Batch,
                detail: "the loader thread ended before its plan".to_owned(),
            })
        })
    }

    /// Hangs up and takes the dataset back.
    pub(crate) fn stop(mut self) -> Result<Dataset, Failure> {
        drop(self.pages.take());
        self.loader.join().map_err(|_| Failure::Host {
            phase: Phase::Batch,
            detail: "the loader thread panicked outside the plugin".to_owned(),
        })
    }
}

/// Sends pages until the plan ends, a batch fails, or the loop hangs up. The
/// first page is a single batch: somebody is waiting for it.
fn load(dataset: &Dataset, plan: impl Iterator<Item = Wanted>, pages: &Sender<Page>) {
    let (mut page, mut elements, mut limit) = (Page::new(), 0, 1);
    for wanted in plan {
        let batch = dataset.batch(wanted.split, &wanted.draws);
        let failed = batch.is_err();
        elements += batch.as_ref().map_or(0, size);
        page.push_back(batch);
        if failed || page.len() >= limit || elements >= PAGE_ELEMENTS {
            if pages.send(std::mem::take(&mut page)).is_err() || failed {
                return;
            }
            (elements, limit) = (0, PAGE_BATCHES);
        }
    }
    if !page.is_empty() {
        // The loop may be gone already; then nobody wants the rest.
        let _ = pages.send(page);
    }
}

fn size(batch: &Batch) -> usize {
    batch
        .inputs
        .iter()
        .chain(&batch.targets)
        .map(Tensor::numel)
        .sum()
}
