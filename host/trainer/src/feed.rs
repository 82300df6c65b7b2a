//! Makes batches on a thread of its own, ahead of the training loop.
//!
//! Batches are handed over in pages: waking a thread is not free beside a small
//! model's step, so small batches travel together. A page is handed to every rank at
//! the same place of the plan: none waits for a batch that is held back for the sake
//! of another.

use std::{
    collections::VecDeque,
    thread::{Scope, ScopedJoinHandle},
};

use crossbeam::channel::{Receiver, SendError, Sender, bounded};
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

/// What a rank will ask for next.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) rank: usize,
    pub(crate) split: Split,
    pub(crate) draws: Vec<Draw>,
}

type Page = VecDeque<Result<Batch, Failure>>;

/// One rank's end of the loader thread.
#[derive(Debug)]
pub(crate) struct Feed {
    pages: Receiver<Page>,
    open: Page,
}

/// The loader thread.
#[derive(Debug)]
pub(crate) struct Loader<'scope>(ScopedJoinHandle<'scope, Dataset>);

/// Starts making the batches of `plan`, in order, for so many ranks. The dataset moves
/// to the thread: no other call can reach it at the same time.
pub(crate) fn start<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    dataset: Dataset,
    plan: impl Iterator<Item = Wanted> + Send + 'scope,
    ranks: usize,
) -> (Loader<'scope>, Vec<Feed>) {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..ranks).map(|_| bounded(AHEAD)).unzip();
    let loader = scope.spawn(move || {
        load(&dataset, plan, &senders);
        dataset
    });
    let feed = |pages| Feed {
        pages,
        open: Page::new(),
    };
    (Loader(loader), receivers.into_iter().map(feed).collect())
}

impl Loader<'_> {
    /// Takes the dataset back, once all ranks have dropped their ends.
    pub(crate) fn stop(self) -> Result<Dataset, Failure> {
        self.0.join().map_err(|_| Failure::Host {
            phase: Phase::Batch,
            detail: "the loader thread panicked outside the plugin".to_owned(),
        })
    }
}

impl Feed {
    /// The next batch of the plan that is this rank's.
    pub(crate) fn next(&mut self) -> Result<Batch, Failure> {
        if self.open.is_empty() {
            // A dataset that hangs holds the rank's thread up here.
            parent::enter(Part::Dataset, Phase::Batch);
            self.open = self.pages.recv().unwrap_or_default();
        }
        self.open.pop_front().unwrap_or_else(|| Err(ended()))
    }
}

/// There are no more batches, since the loader could not make one or another rank is gone:
/// what is said of that, and not the cause.
pub(crate) fn ended() -> Failure {
    Failure::Host {
        phase: Phase::Batch,
        detail: "the loader thread ended before its plan".to_owned(),
    }
}

/// Sends pages until the plan ends, a batch fails, or a rank hangs up. The first
/// page is a single batch: somebody is waiting for it.
fn load(dataset: &Dataset, plan: impl Iterator<Item = Wanted>, ranks: &[Sender<Page>]) {
    let mut pages: Vec<Page> = ranks.iter().map(|_| Page::new()).collect();
    let (mut elements, mut limit) = (0, 1);
    for wanted in plan {
        let batch = dataset.batch(wanted.split, &wanted.draws);
        let failed = batch.is_err();
        elements += batch.as_ref().map_or(0, size);
        let page = &mut pages[wanted.rank];
        page.push_back(batch);
        if failed || page.len() >= limit || elements >= PAGE_ELEMENTS {
            if hand_over(&mut pages, ranks).is_err() || failed {
                return;
            }
            (elements, limit) = (0, PAGE_BATCHES);
        }
    }
    // A rank may be gone already; then nobody wants the rest.
    let _ = hand_over(&mut pages, ranks);
}

fn hand_over(pages: &mut [Page], ranks: &[Sender<Page>]) -> Result<(), SendError<Page>> {
    pages
        .iter_mut()
        .zip(ranks)
        .filter(|(page, _)| !page.is_empty())
        .try_for_each(|(page, rank)| rank.send(std::mem::take(page)))
}

fn size(batch: &Batch) -> usize {
    batch
        .inputs
        .iter()
        .chain(&batch.targets)
        .map(Tensor::numel)
        .sum()
}
