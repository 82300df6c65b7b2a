//! Ranks that are threads of one process, on any devices that libtorch can copy
//! between.
//!
//! Each call begins with a meeting: every rank sends the leader a message with
//! handles of its tensors, and gets the handles of all. A message comes after what was
//! written before it, so no rank reads what another still writes. A rank that is gone
//! has dropped its ends of the channels, and the others notice at the next meeting.

use std::{
    thread,
    time::{Duration, Instant},
};

use crossbeam::channel::{Receiver, RecvError, Sender, TryRecvError, bounded};
use flops_fit_trial::{Failure, Phase};
use tch::Tensor;

use super::{Collective, gone, shard};
use crate::{parent, plugin::refused};

/// Elements that are summed at a time: few enough to stay in a core's cache.
const CHUNK: usize = 1 << 16;

/// How long a rank looks out for a message before it sleeps: a few times what it takes
/// to be woken.
const LOOK_OUT: Duration = Duration::from_micros(500);

/// What one rank brings to a meeting.
struct Message {
    words: Vec<f64>,
    tensors: Vec<Tensor>,
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
    fn meet(&mut self, words: &[f64], tensors: &[Tensor]) -> Result<Minutes, Failure> {
        let mine = Message {
            words: words.to_vec(),
            tensors: handles(tensors),
        };
        match &self.links {
            Links::Star(others) => {
                let mut minutes = vec![mine];
                for (rank, (_, from)) in (1..).zip(others) {
                    // Should it not come, it is that rank that hangs.
                    parent::wait_for(rank);
                    let message = receive(from);
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
                receive(from).map_err(|_| gone(0))
            }
        }
    }

    /// The words of all ranks, and the buffer of each.
    fn meet_about(
        &mut self,
        buffer: &Tensor,
        words: &[f64],
    ) -> Result<(Vec<Vec<f64>>, Vec<Tensor>), Failure> {
        let (words, all) = apart(self.meet(words, std::slice::from_ref(buffer))?);
        Ok((words, all.into_iter().flatten().collect()))
    }

    fn sum_shard(&mut self, buffer: &Tensor, all: &[Tensor]) -> Result<(), tch::TchError> {
        let _no_grad = tch::no_grad_guard();
        let device = buffer.device();
        let own = shard(buffer.numel(), self.rank, self.ranks);
        let [first, between @ .., last] = all else {
            // One rank has the sum already.
            return Ok(());
        };
        for start in own.clone().step_by(CHUNK) {
            let length = (own.end - start).min(CHUNK) as i64;
            let part = |tensor: &Tensor| tensor.f_narrow(0, start as i64, length);
            let mut sum = part(first)?.f_to_device(device)?;
            for other in between {
                let scratch = self.scratch(buffer, own.len())?.f_narrow(0, 0, length)?;
                sum = sum.f_add_out(&scratch, &part(other)?.f_to_device(device)?)?;
            }
            // What is this rank's own was read before.
            let _ = sum.f_add_out(&part(buffer)?, &part(last)?.f_to_device(device)?)?;
        }
        Ok(())
    }

    /// Room for a chunk of a shard of so many elements, as those of `buffer`.
    fn scratch(&mut self, buffer: &Tensor, shard: usize) -> Result<&Tensor, tch::TchError> {
        if self
            .scratch
            .as_ref()
            .is_none_or(|s| s.kind() != buffer.kind())
        {
            let length = shard.min(CHUNK) as i64;
            let options = (buffer.kind(), buffer.device());
            self.scratch = Some(Tensor::f_empty([length], options)?);
        }
        Ok(self.scratch.as_ref().expect("made just now"))
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
        Ok(apart(self.meet(words, &[])?).0)
    }

    fn gather(&mut self, tensors: &[Tensor]) -> Result<Vec<Vec<Tensor>>, Failure> {
        Ok(apart(self.meet(&[], tensors)?).1)
    }

    fn reduce_scatter(&mut self, buffer: &Tensor, words: &[f64]) -> Result<Vec<Vec<f64>>, Failure> {
        let (words, all) = self.meet_about(buffer, words)?;
        let began = Instant::now();
        self.sum_shard(buffer, &all)
            .map_err(|error| refused(Phase::Update, &error))?;
        self.seconds += began.elapsed().as_secs_f64();
        Ok(words)
    }

    fn all_gather(&mut self, buffer: &Tensor, words: &[f64]) -> Result<Vec<Vec<f64>>, Failure> {
        let (words, all) = self.meet_about(buffer, words)?;
        let began = Instant::now();
        self.copy_shards(buffer, &all)
            .map_err(|error| refused(Phase::Update, &error))?;
        self.seconds += began.elapsed().as_secs_f64();
        Ok(words)
    }

    fn seconds(&self) -> f64 {
        self.seconds
    }
}

/// The next message. Whoever else could use the core meanwhile has it.
fn receive<T>(from: &Receiver<T>) -> Result<T, RecvError> {
    let began = Instant::now();
    loop {
        match from.try_recv() {
            Err(TryRecvError::Empty) if began.elapsed() < LOOK_OUT => thread::yield_now(),
            Err(TryRecvError::Empty) => return from.recv(),
            Err(TryRecvError::Disconnected) => return Err(RecvError),
            Ok(message) => return Ok(message),
        }
    }
}

/// The words of all, and the tensors of all.
fn apart(minutes: Minutes) -> (Vec<Vec<f64>>, Vec<Vec<Tensor>>) {
    let apart = |message: Message| (message.words, message.tensors);
    minutes.into_iter().map(apart).unzip()
}

fn handles(tensors: &[Tensor]) -> Vec<Tensor> {
    tensors.iter().map(Tensor::shallow_clone).collect()
}

/// The same messages for one rank more.
fn copy(minutes: &Minutes) -> Minutes {
    let copy = |message: &Message| Message {
        words: message.words.clone(),
        tensors: handles(&message.tensors),
    };
    minutes.iter().map(copy).collect()
}

#[cfg(test)]
mod tests;
