//! Which rank gets which examples, and when.

use std::ops::Range;

use flops_fit_plugin::{DataDescription, Draw, Split};
use flops_fit_trial::TrialSpec;

use crate::{contract, evaluate, feed::Wanted, order::Order};

/// How the batches of a trial are cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    /// Examples in one optimizer step.
    pub(crate) batch: u64,
    /// Most examples in one forward pass.
    micro: u64,
    ranks: u64,
}

impl Cut {
    pub(crate) fn of(spec: &TrialSpec, ranks: usize) -> Self {
        let (batch, ranks) = (spec.recipe.train.batch_examples.max(1), ranks as u64);
        let micro = spec.run.micro_batch.unwrap_or(batch).clamp(1, batch);
        Self {
            batch,
            micro,
            ranks,
        }
    }

    /// The examples of a step that are rank `rank`'s: neighbours, so that one rank or
    /// several see the same examples in the same order.
    pub(crate) fn share(&self, rank: u64) -> Range<u64> {
        let at = |rank| self.batch * rank / self.ranks;
        at(rank)..at(rank + 1)
    }

    /// The micro-batches of rank `rank` in one step, as examples of that step.
    pub(crate) fn micro_batches(&self, rank: u64) -> impl Iterator<Item = Range<u64>> + use<> {
        let (share, micro) = (self.share(rank), self.micro);
        let starts = share.clone().step_by(micro as usize);
        starts.map(move |start| start..(start + micro).min(share.end))
    }
}

/// Every training batch of the steps `steps`, in order, after the leader's examples for
/// the contract's check; then the held-out batches, in turn among the ranks.
///
/// A step's micro-batches come in turns too, so that no rank waits for all of
/// another's.
pub(super) fn batches(
    spec: &TrialSpec,
    data: &DataDescription,
    cut: Cut,
    steps: Range<u64>,
) -> impl Iterator<Item = Wanted> + Send + use<> {
    let order = Order::new(data.train_examples, spec.recipe.seed);
    let probe = Wanted {
        rank: 0,
        split: Split::Train,
        draws: (0..contract::probe_examples(cut.micro))
            .map(|k| order.draw(k))
            .collect(),
    };
    let turns: Vec<(usize, Range<u64>)> = turns(cut);
    let training = steps.flat_map(move |step| {
        let wanted = turns.clone().into_iter();
        wanted.map(move |(rank, examples)| Wanted {
            rank,
            split: Split::Train,
            draws: examples.map(|i| order.draw(step * cut.batch + i)).collect(),
        })
    });
    let ranks = cut.ranks as usize;
    let held_out = held_out(spec, data)
        .into_iter()
        .enumerate()
        .map(move |(i, draws)| Wanted {
            rank: i % ranks,
            split: Split::HeldOut,
            draws,
        });
    std::iter::once(probe).chain(training).chain(held_out)
}

/// How many held-out batches there are, over all ranks.
pub(super) fn held_out_batches(spec: &TrialSpec, data: &DataDescription) -> usize {
    held_out(spec, data).len()
}

/// The held-out batches; a trunk is not evaluated.
fn held_out(spec: &TrialSpec, data: &DataDescription) -> Vec<Vec<Draw>> {
    if spec.is_trunk() {
        return Vec::new();
    }
    let micro = spec.run.micro_batch;
    evaluate::plan(data, spec.recipe.train.eval_units, micro)
}

/// The micro-batches of one step with their ranks: the first of each rank, then the
/// second of each.
fn turns(cut: Cut) -> Vec<(usize, Range<u64>)> {
    let mut all: Vec<(usize, usize, Range<u64>)> = (0..cut.ranks)
        .flat_map(|rank| {
            let micros = cut.micro_batches(rank).enumerate();
            micros.map(move |(turn, examples)| (turn, rank as usize, examples))
        })
        .collect();
    all.sort_by_key(|&(turn, rank, _)| (turn, rank));
    all.into_iter()
        .map(|(_, rank, examples)| (rank, examples))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(batch: u64, micro: u64, ranks: u64) -> Cut {
        Cut {
            batch,
            micro,
            ranks,
        }
    }

    #[test]
    fn every_example_of_a_step_is_seen_once() {
        for (batch, micro, ranks) in [(8, 8, 1), (8, 3, 1), (8, 8, 2), (7, 2, 3), (64, 5, 4)] {
            let turns = turns(cut(batch, micro, ranks));
            let mut seen: Vec<u64> = turns.iter().flat_map(|(_, range)| range.clone()).collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..batch).collect::<Vec<_>>());
            assert!(
                turns
                    .iter()
                    .all(|(_, range)| range.end - range.start <= micro)
            );
        }
    }

    #[test]
    fn ranks_take_turns() {
        let ranks: Vec<usize> = turns(cut(8, 2, 2)).iter().map(|(rank, _)| *rank).collect();
        assert_eq!(ranks, [0, 1, 0, 1]);
        assert_eq!(turns(cut(8, 4, 2)), [(0, 0..4), (1, 4..8)]);
    }
}
