//! What the plugin exports: the texts of this module behind the host's
//! [`Dataset`](flops_fit_plugin::Dataset) trait, each with its configuration.
//!
//! All of them give batches of the same form: int64 inputs and targets of shape
//! `[draws, seq_len]`, the targets one token further on than the inputs.

mod stories;
mod text;
mod tinystories;

use std::num::NonZero;

use flops_fit_plugin::tch::Tensor;
use flops_fit_plugin::{Batch, DataDescription, DataForm, Draw, Error, Result, Split, Unit};

pub use stories::{Stories, StoriesConfig};
pub use text::{Text, TextConfig};
pub use tinystories::{TinyStories, TinyStoriesConfig};

use super::DataError;
use super::corpus::Corpus;

/// Tokens that a model reads at once, unless the manifest says otherwise.
const fn default_seq_len() -> NonZero<u32> {
    NonZero::new(128).expect("128 is not zero")
}

/// Stacks windows of `seq_len + 1` tokens, which `fill` writes, into a batch.
fn batch(
    draws: &[Draw],
    seq_len: usize,
    fill: impl Fn(u64, &mut [i64]) -> Result<()>,
) -> Result<Batch> {
    let mut window = vec![0; seq_len + 1];
    let mut inputs = Vec::with_capacity(draws.len() * seq_len);
    let mut targets = Vec::with_capacity(draws.len() * seq_len);
    for draw in draws {
        fill(draw.index, &mut window)?;
        inputs.extend_from_slice(&window[..seq_len]);
        targets.extend_from_slice(&window[1..]);
    }
    let shape = [draws.len() as i64, seq_len as i64];
    let tensor = |ids: &[i64]| Tensor::f_from_slice(ids)?.f_view(shape);
    Ok(Batch {
        inputs: vec![tensor(&inputs)?],
        targets: vec![tensor(&targets)?],
    })
}

/// A corpus cut into windows of one length.
#[derive(Debug)]
struct Windows {
    corpus: Corpus,
    seq_len: usize,
}

impl Windows {
    /// Refuses a corpus that has no whole window in one of its splits.
    fn new(corpus: Corpus, seq_len: NonZero<u32>) -> Result<Self, DataError> {
        let seq_len = seq_len.get() as usize;
        corpus.check(seq_len)?;
        Ok(Self { corpus, seq_len })
    }

    fn description(&self) -> DataDescription {
        let Corpus {
            train, held_out, ..
        } = &self.corpus;
        DataDescription {
            form: DataForm::Tokens {
                vocabulary: self.corpus.vocabulary as i64,
                seq_len: self.seq_len as i64,
                bytes_per_token: Some(self.corpus.bytes_per_token),
            },
            unit: Unit::Tokens,
            units_per_example: self.seq_len as u64,
            unique_units: Some(train.tokens()),
            train_examples: Some(train.windows(self.seq_len)),
            held_out_examples: Some(held_out.windows(self.seq_len)),
        }
    }

    fn batch(&self, split: Split, draws: &[Draw]) -> Result<Batch> {
        let stretch = match split {
            Split::Train => &self.corpus.train,
            Split::HeldOut => &self.corpus.held_out,
        };
        batch(draws, self.seq_len, |index, window| {
            Ok(stretch.window(index, window)?)
        })
    }
}

/// A refusal, with the key that can mend it if it is one key.
fn refuse(error: DataError) -> Error {
    let key = error.key();
    let error = Error::from(error);
    match key {
        Some(key) => Error::config(key, error.message()),
        None => error,
    }
}
