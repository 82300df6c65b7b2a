//! flops-fit answers one question: given a compute budget C, how big should my
//! model be (N), how much data should it see (D), and what loss should I expect?
//!
//! This library is everything behind the `flops-fit` command: the manifest, the
//! plan, the sweep's executor, and the report. [`find_optimal`] is all of it in one
//! call, [`Search`] the same with options, and [`ManifestBuilder`] writes a manifest in
//! code.
//!
//! Architecture invariant: nothing here links, loads or maps libtorch or a
//! plugin. What a plugin has to say reaches this crate as files that
//! `flops-fit-worker` wrote.

pub mod amount;
pub mod args;
pub mod check;
pub mod command;
pub mod doctor;
pub mod exit;
pub mod find;
pub mod input;
pub mod interrupt;
pub mod manifest;
pub mod new;
pub mod output;
pub mod plan;
pub mod plugin;
mod process;
pub mod report;
pub mod setup;
pub mod sweep;
mod tensorboard;
mod time;
pub mod trainer;
pub mod transfer;
pub mod view;
pub mod worker;

pub use find::{Outcome, Search, find_optimal};
pub use manifest::{Manifest, ManifestBuilder};
pub use process::adopt_orphans;
