//! Ranks that are threads of one process, on any devices that libtorch can copy
//! between.
//!
//! Each call begins with a meeting: every rank sends the leader a message with a
//! handle of its tensor, and gets the handles of all. A message comes after what was
//! written before it, so no rank reads what another still writes. A rank that is gone
//! has dropped its ends of the channels, and the others notice at the next meeting.

use std::time::Instant;

use crossbeam::channel::{Receiver, Sender, bounded};
use flops_fit_trial::{Failure, Phase};
use tch::Tensor;

use super::{Collective, shard};
use crate::parent;

/// Elements that are summed at a time: few enough to stay in a core's cache.
const CHUNK: usize = 1 << 16;

/// What one rank brings to a meeting.
struct Message {
    words: Vec<f64>,
    tensor: Option<Tensor>,
}

/// What all have brought, in rank order.
type Minutes = Vec<Message>;

/// One rank's end.
pub(super) struct Threads {
    rank: usize,
    ranks: usize,
    links: Links,
    scratch: Option<Tensor>,
    seconds: f64,
}

enum Links {
    /// Of the leader: to and from each other rank, in rank order.
    Star(Vec<(Sender<Minutes>, Receiver<Message>)>),
    /// Of each other rank: to and from the leader.
    Spoke(Sender<Message>, Receiver<Minutes>),
}

/// Connects so many ranks; each end goes to its thread.
pub(super) fn connect(ranks: usize) -> Vec<Threads> {
    let end = |rank, links| Threads {
        rank,
        ranks,
        links,
        scratch: None,
        seconds: 0.0,
    };
    let mut star = Vec::with_capacity(ranks);
    let mut ends = Vec::with_capacity(ranks);
    for rank in 1..ranks {
        let (to_leader, from_rank) = bounded(1);
        let (to_rank, from_leader) = bounded(1);
        star.push((to_rank, from_rank));
        ends.push(end(rank, Links::Spoke(to_leader, from_leader)));
    }
    ends.insert(0, end(0, Links::Star(star)));
    ends
}

impl Threads {
    /// Waits for all ranks, and hands each what all have brought.
    fn meet(&mut self, words: &[f64], tensor: Option<&Tensor>) -> Result<Minutes, Failure> {
        let mine = Message {
            words: words.to_vec(),
            tensor: tensor.map(Tensor::shallow_clone),
        };
        match &self.links {
            Links::Star(others) => {
                let mut minutes = vec![mine];
                for (rank, (_, from)) in (1..).zip(others) {
                    // Should it not come, it is that rank that hangs.
                    parent::wait_for(rank);
                    let message = from.recv();
                    parent::wait_for(0);
                    minutes.push(message.map_err(|_| gone(rank))?);
                }
                for (rank, (to, _)) in (1..).zip(others) {
                    to.send(copy(&minutes)).map_err(|_| gone(rank))?;
                }
                Ok(minutes)
            }
            Links::Spoke(to, from) => {
                to.send(mine).map_err(|_| gone(0))?;
                from.recv().map_err(|_| gone(0))
            }
        }
    }

    fn sum_shard(&mut self, buffer: &Tensor, all: &[Tensor]) -> Result<(), tch::TchError> {
        let _no_grad = tch::no_grad_guard();
        let device = buffer.device();
        let own = shard(buffer.numel(), self.rank, self.ranks);
        if self
            .scratch
            .as_ref()
            .is_none_or(|s| s.kind() != buffer.kind())
        {
            let length = own.len().min(CHUNK) as i64;
            self.scratch = Some(Tensor::f_empty([length], (buffer.kind(), device))?);
        }
        let scratch = self.scratch.as_ref().expect("made just now");
        for start in own.clone().step_by(CHUNK) {
            let length = (own.end - start).min(CHUNK) as i64;
            let part = |tensor: &Tensor| tensor.f_narrow(0, start as i64, length);
            let mut sum = scratch.f_narrow(0, 0, length)?;
            let (first, others) = all.split_first().expect("this rank at least");
            sum.f_copy_(&part(first)?)?;
            for other in others {
                let _ = sum.f_add_(&part(other)?.f_to_device(device)?)?;
            }
            part(buffer)?.f_copy_(&sum)?;
        }
        Ok(())
    }

    fn copy_shards(&self, buffer: &Tensor, all: &[Tensor]) -> Result<(), tch::TchError> {
        let _no_grad = tch::no_grad_guard();
        for (rank, from) in all
            .iter()
            .enumerate()
            .filter(|(rank, _)| *rank != self.rank)
        {
            let theirs = shard(buffer.numel(), rank, self.ranks);
            let part =
                |tensor: &Tensor| tensor.f_narrow(0, theirs.start as i64, theirs.len() as i64);
            part(buffer)?.f_copy_(&part(from)?)?;
        }
        Ok(())
    }
}

impl Collective for Threads {
    fn rank(&self) -> usize {
        self.rank
    }

    fn ranks(&self) -> usize {
        self.ranks
    }

    fn exchange(&mut self, words: &[f64]) -> Result<Vec<Vec<f64>>, Failure> {
        let minutes = self.meet(words, None)?.into_iter();
        Ok(minutes.map(|message| message.words).collect())
    }

    fn gather(&mut self, tensor: &Tensor) -> Result<Vec<Tensor>, Failure> {
        let minutes = self.meet(&[], Some(tensor))?.into_iter();
        Ok(minutes.filter_map(|message| message.tensor).collect())
    }

    fn reduce_scatter(&mut self, buffer: &Tensor) -> Result<(), Failure> {
        let all = self.gather(buffer)?;
        let began = Instant::now();
        self.sum_shard(buffer, &all)
            .map_err(|error| failed(&error))?;
        self.seconds += began.elapsed().as_secs_f64();
        Ok(())
    }

    fn all_gather(&mut self, buffer: &Tensor) -> Result<(), Failure> {
        let all = self.gather(buffer)?;
        let began = Instant::now();
        self.copy_shards(buffer, &all)
            .map_err(|error| failed(&error))?;
        self.seconds += began.elapsed().as_secs_f64();
        Ok(())
    }

    fn seconds(&self) -> f64 {
        self.seconds
    }
}

/// The same messages for one rank more.
fn copy(minutes: &Minutes) -> Minutes {
    let copy = |message: &Message| Message {
        words: message.words.clone(),
        tensor: message.tensor.as_ref().map(Tensor::shallow_clone),
    };
    minutes.iter().map(copy).collect()
}

/// Not the cause: the rank that is gone has one of its own.
fn gone(rank: usize) -> Failure {
    Failure::Host {
        phase: Phase::Update,
        detail: format!("rank {rank} has ended"),
    }
}

fn failed(error: &tch::TchError) -> Failure {
    Failure::Host {
        phase: Phase::Update,
        detail: error.to_string(),
    }
}

#[cfg(test)]
mod tests;
