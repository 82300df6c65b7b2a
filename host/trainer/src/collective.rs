//! What the ranks of one trial say to each other.
//!
//! A rank is one device with a replica of the model, on a thread of its own. All
//! ranks run the same program and come to the same calls in the same order. Buffers
//! are flat and cut into shards, one a rank: in an optimizer step each rank sums its
//! shard of the gradients over all ranks ([`Collective::reduce_scatter`]), updates its
//! shard of the parameters, and takes the other shards from their owners
//! ([`Collective::all_gather`]). Together the two move what an all-reduce moves.
//!
//! Architecture invariant: sums are made in the order of the ranks, so the same ranks
//! give the same bits.
//!
//! A library such as NCCL can stand behind the trait; `docs/adr/0006-collective.md`
//! says why none does.

mod solo;
mod threads;

use std::ops::Range;

use flops_fit_trial::{Failure, Phase};
use tch::Tensor;

use solo::Solo;

/// One end for each of so many ranks; each goes to its thread.
pub(crate) fn connect(ranks: usize) -> Vec<Box<dyn Collective>> {
    if ranks == 1 {
        return vec![Box::new(Solo)];
    }
    let boxed = |end| -> Box<dyn Collective> { Box::new(end) };
    threads::connect(ranks).into_iter().map(boxed).collect()
}

/// Calls that all ranks make together.
///
/// A tensor that was handed in may be written again after the next call of any
/// method; a tensor that was handed out may be read until then. An error means that
/// another rank is gone; it has said why.
pub(crate) trait Collective: Send {
    /// Which rank this is, from 0; rank 0 leads.
    fn rank(&self) -> usize;

    /// How many there are.
    fn ranks(&self) -> usize;

    /// Waits for all ranks, and gives each the words of all, in rank order.
    fn exchange(&mut self, words: &[f64]) -> Result<Vec<Vec<f64>>, Failure>;

    /// Waits for all ranks, and gives each the tensors of all: a list of each rank, in rank
    /// order. They may be of different numbers and shapes and on different devices.
    fn gather(&mut self, tensors: &[Tensor]) -> Result<Vec<Vec<Tensor>>, Failure>;

    /// This rank's [shard](shard) of `buffer`, which is flat and of one length on all
    /// ranks, becomes the sum of that shard over all ranks. The rest of it is left as
    /// it is. The words of all come with it, as of [`exchange`](Self::exchange): each
    /// wait for the others costs more than what is said.
    fn reduce_scatter(&mut self, buffer: &Tensor, words: &[f64]) -> Result<Vec<Vec<f64>>, Failure>;

    /// Each shard of `buffer` but this rank's becomes what its owner has there; the words
    /// of all.
    fn all_gather(&mut self, buffer: &Tensor, words: &[f64]) -> Result<Vec<Vec<f64>>, Failure>;

    /// Seconds that this rank has spent on moving and summing, without waiting.
    fn seconds(&self) -> f64;
}

/// Rank `rank` is gone: what the others say, and not the cause, which it has told.
pub(crate) fn gone(rank: usize) -> Failure {
    Failure::Host {
        phase: Phase::Update,
        detail: format!("rank {rank} has ended"),
    }
}

/// Elements in 64 bytes of the smallest type that is used: shards begin at whole
/// cache lines.
const ALIGN: usize = 32;

/// The elements of a flat buffer of `len` that are rank `rank`'s of `ranks`: equal
/// parts but for the last, which may be shorter, or empty.
pub(crate) fn shard(len: usize, rank: usize, ranks: usize) -> Range<usize> {
    let each = len.div_ceil(ranks).next_multiple_of(ALIGN);
    let at = |rank: usize| (rank * each).min(len);
    if ranks == 1 {
        return 0..len;
    }
    at(rank)..at(rank + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_cover_a_buffer_once() {
        for len in [0, 1, 32, 33, 4096, 100_003] {
            for ranks in 1..=9 {
                let mut end = 0;
                for rank in 0..ranks {
                    let part = shard(len, rank, ranks);
                    assert_eq!(part.start, end, "{len} over {ranks}");
                    end = part.end;
                }
                assert_eq!(end, len);
            }
        }
    }
}
