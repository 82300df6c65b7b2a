//! From text files to token ids: read in blocks, tokenised on all cores, kept
//! as a memory-mapped file that is built once however many workers ask for it.

mod blocks;
mod build;
mod file;
mod tokenizer;

pub use build::{Layout, Recipe};
pub use file::{Part, TokenFile};
pub use tokenizer::TokenizerName;

/// What separates the documents of a file that holds many.
pub const END_OF_TEXT: &str = "<|endoftext|>";
