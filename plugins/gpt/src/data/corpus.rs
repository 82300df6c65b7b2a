//! A text as a sweep sees it: two stretches of tokens, one to train on and one
//! held out, each a set of windows.

use std::ops::Range;
use std::sync::Arc;

use super::DataError;
use super::tokens::TokenFile;

/// A tokenised text and its split.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// What models are trained on.
    pub train: Stretch,
    /// What they are evaluated on.
    pub held_out: Stretch,
    /// Ids are below this.
    pub vocabulary: usize,
    /// Bytes of UTF-8 that a token stands for on average, in the held-out file
    /// or, where that is the end of the same files, in all: nats per token,
    /// divided by this and by ln 2, are bits per byte.
    pub bytes_per_token: f64,
    /// Hash of the content and of how it was tokenised, in hexadecimal. The
    /// files' names are no part of it.
    pub fingerprint: String,
}

impl Corpus {
    /// Checks that both splits hold a window of `seq_len` inputs and their
    /// targets.
    pub fn check(&self, seq_len: usize) -> Result<(), DataError> {
        for (split, stretch) in [("training", &self.train), ("held-out", &self.held_out)] {
            if stretch.windows(seq_len) == 0 {
                let tokens = stretch.tokens();
                return Err(DataError::TooShort {
                    split,
                    tokens,
                    seq_len,
                });
            }
        }
        Ok(())
    }
}

/// Consecutive tokens of a file.
#[derive(Clone, Debug)]
pub struct Stretch {
    file: Arc<TokenFile>,
    range: Range<u64>,
}

impl Stretch {
    /// The tokens of `file` in this range, which must lie inside the file.
    pub(super) fn new(file: Arc<TokenFile>, range: Range<u64>) -> Self {
        assert!(
            range.start <= range.end && range.end <= file.tokens(),
            "{range:?}"
        );
        Self { file, range }
    }

    /// How many tokens it has.
    pub fn tokens(&self) -> u64 {
        self.range.end - self.range.start
    }

    /// How many windows of `seq_len` inputs with their targets it has: one at
    /// each offset.
    pub fn windows(&self, seq_len: usize) -> u64 {
        self.tokens().saturating_sub(seq_len as u64)
    }

    /// Fills `window` with the tokens from offset `index` on. A window is as
    /// long as the inputs and one more, `seq_len + 1`.
    pub fn window(&self, index: u64, window: &mut [i64]) -> Result<(), DataError> {
        let windows = self.windows(window.len().saturating_sub(1));
        if index >= windows {
            return Err(DataError::NoSuchWindow { index, windows });
        }
        self.file.copy(self.range.start + index, window);
        Ok(())
    }
}
