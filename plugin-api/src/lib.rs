//! Write a model, dataset or loss for flops-fit.
//!
//! A plugin is a `cdylib` crate with this one dependency, and serde. It implements
//! any of [`Model`], [`Dataset`] and [`Loss`], ordinary traits over
//! [`tch::Tensor`], and [`export_plugin!`] gives them the names by which a
//! manifest calls them. `cargo build --release --lib` then makes a library.
//!
//! The host builds each object from a typed configuration (any serde type),
//! chooses all data order and randomness, owns the optimizer, and never calls
//! one object from two threads at once.
//!
//! With the feature `testing`, the module `testing` lets an author's unit tests
//! build all three from JSON and put batches through them, without the host.
//!
//! Architecture invariant: authors write plain Rust. The types of the stable
//! ABI are named in the module [`abi`] alone.
//!
//! # A worked model, dataset and loss
//!
//! This is the whole of `examples/my-model`, which `flops-fit new` writes under
//! another name: a low-rank bigram model, the bytes of a file, and cross-entropy.
//!
// Only for the documentation, and as a test that compiles: a copy of this folder
// alone still builds.
#![cfg_attr(any(doc, doctest), doc = "```no_run")]
#![cfg_attr(any(doc, doctest), doc = include_str!("../../examples/my-model/src/lib.rs"))]
#![cfg_attr(any(doc, doctest), doc = "```")]
#![deny(missing_docs)]

pub mod abi;
mod author;
mod config;
#[cfg(feature = "testing")]
pub mod testing;

pub use author::{
    Batch, Buffer, Context, DataDescription, DataForm, Dataset, Draw, Error, Loss, LossValue, Mode,
    Model, ModelContext, Parameter, Place, Profile, Result, Split, Unit,
};
pub use flops_fit_record as record;
pub use tch;

/// Version of tch that this was built with; it pins `torch-sys` too.
pub const TCH_VERSION: &str = "0.26.0";

/// Version of libtorch that this was built with.
pub const LIBTORCH_VERSION: &str = env!("FLOPS_FIT_LIBTORCH");

/// The compiler that built this, for information.
pub const RUSTC_VERSION: &str = env!("FLOPS_FIT_RUSTC");

/// Version of this crate.
pub const PLUGIN_API_VERSION: &str = env!("CARGO_PKG_VERSION");
