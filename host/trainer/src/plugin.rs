//! Plugins as the host sees them: the one module that names abi_stable types.
//!
//! A [`Library`] is opened once and never closed: its code, its thread-locals
//! and the tensors it made may be referred to until the process ends.
#![expect(clippy::doc_markdown, reason = "abi_stable is a name, not code")]

mod callee;
mod dataset;
mod fault;
mod form;
mod library;
pub(crate) mod linked;
mod loss;
mod model;

pub use dataset::{Batch, Dataset};
pub(crate) use fault::{is_out_of_memory, refused};
pub use library::Library;
pub(crate) use library::linkers_words;
pub use loss::{Loss, LossKind};
pub use model::{Model, ModelBuffer, ModelKind, ModelParameter};
