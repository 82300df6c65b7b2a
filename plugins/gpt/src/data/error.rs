//! What can go wrong between a file of text and its tokens.

use std::io;
use std::path::PathBuf;

use flops_fit_data::{FetchError, FileError};

/// Why a dataset of text files can't be used. Each message names the file or
/// the key of `[dataset.config]` to change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// `paths` is empty.
    #[error("`paths` names no file; list at least one text file")]
    NoFiles,
    /// A text file can't be opened or read.
    #[error("text file {} can't be read; correct `paths` or the file's permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A text file holds bytes that are no UTF-8.
    #[error(
        "{} is not UTF-8: the first bad byte is at offset {offset}; convert the file, for example \
         with iconv -t UTF-8",
        path.display()
    )]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Offset of the first byte that belongs to no character.
        offset: u64,
    },
    /// A text file was written to while it was being tokenised.
    #[error("{} changed while it was being read; run again when it is complete", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// `tokenizer` is no name that this plugin knows.
    #[error(
        "unknown tokenizer {found:?}; expected \"byte\", \"char\", \"gpt2\" or a path that ends in \
         .json"
    )]
    UnknownTokenizer {
        /// The value of the key.
        found: String,
    },
    /// A tokenizer file can't be read.
    #[error("tokenizer file {} can't be read; correct `tokenizer`", path.display())]
    TokenizerUnreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A tokenizer file isn't one, or it failed on the text.
    #[error(
        "tokenizer file {} can't be used; expected a tokenizer.json of the tokenizers library",
        path.display()
    )]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What the tokenizers library said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A tokenizer file has no token that ends a document.
    #[error(
        "tokenizer file {} has no token <|endoftext|>, which separates documents; add it, or use \
         tokenizer = \"gpt2\"",
        path.display()
    )]
    NoEndOfText {
        /// The file.
        path: PathBuf,
    },
    /// `held_out` is no proper fraction.
    #[error("`held_out` is {found}; expected a fraction greater than 0 and less than 1")]
    HeldOut {
        /// The value of the key.
        found: f64,
    },
    /// A split has no whole window.
    #[error(
        "the {split} split has {tokens} tokens and a window of seq_len {seq_len} needs {}; use more \
         text, a smaller `seq_len` or another `held_out`",
        seq_len + 1
    )]
    TooShort {
        /// `training` or `held-out`.
        split: &'static str,
        /// Tokens of the split.
        tokens: u64,
        /// Tokens that a model reads at once.
        seq_len: usize,
    },
    /// The caller asked for a window past the end.
    #[error("window {index} does not exist: the split has {windows} of them")]
    NoSuchWindow {
        /// The window's index.
        index: u64,
        /// How many there are.
        windows: u64,
    },
    /// The cache can't be used.
    #[error(transparent)]
    Files(FileError),
    /// The official files could not be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
}

impl From<FileError> for DataError {
    /// In a text dataset, a file to read is one of its texts.
    fn from(error: FileError) -> Self {
        match error {
            FileError::Unreadable { path, source } => Self::Unreadable { path, source },
            FileError::Changed { path } => Self::Changed { path },
            other => Self::Files(other),
        }
    }
}

impl DataError {
    /// The key of `[dataset.config]` to change, if it is one.
    pub fn key(&self) -> Option<&'static str> {
        match self {
            Self::NoFiles | Self::Unreadable { .. } | Self::NotUtf8 { .. } => Some("paths"),
            Self::UnknownTokenizer { .. }
            | Self::TokenizerUnreadable { .. }
            | Self::Tokenizer { .. }
            | Self::NoEndOfText { .. } => Some("tokenizer"),
            Self::HeldOut { .. } => Some("held_out"),
            Self::TooShort { .. } => Some("seq_len"),
            Self::Files(error) => error.key(),
            Self::Fetch(error) => Some(error.key()),
            Self::Changed { .. } | Self::NoSuchWindow { .. } => None,
        }
    }
}
