//! What a dataset tells model, loss and host about itself.

use serde::{Deserialize, Serialize};

/// A dataset in facts and figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataDescription {
    /// What an example looks like.
    pub form: DataForm,
    /// What D counts.
    pub unit: Unit,
    /// Units in one example: the sequence length for text, 1 for images.
    pub units_per_example: u64,
    /// Distinct units in the training split; `None` if it never repeats. Of a
    /// text every offset is an example, and this counts tokens.
    pub unique_units: Option<u64>,
    /// Examples of the training split; `None` if unbounded.
    pub train_examples: Option<u64>,
    /// Examples of the held-out split; `None` if unbounded.
    pub held_out_examples: Option<u64>,
}

/// What an example looks like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "snake_case")]
pub enum DataForm {
    /// Sequences of token ids: inputs and targets int64 `[batch, seq_len]`.
    Tokens {
        /// Ids run from 0 to `vocabulary − 1`.
        vocabulary: i64,
        /// Tokens in one example.
        seq_len: i64,
        /// Mean bytes of text in a token, so that a loss can be given in bits
        /// per byte; `None` if the tokens stand for no text.
        bytes_per_token: Option<f64>,
    },
    /// Images: inputs float `[batch, channels, height, width]`, targets int64
    /// `[batch]`.
    Images {
        /// Colour channels.
        channels: i64,
        /// Pixels.
        height: i64,
        /// Pixels.
        width: i64,
        /// Targets run from 0 to `classes − 1`.
        classes: i64,
    },
}

/// What D counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Tokens of a sequence.
    Tokens,
    /// Whole images.
    Images,
}
