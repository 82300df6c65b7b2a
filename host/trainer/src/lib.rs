//! Loads plugins and trains one trial.
//!
//! This is the only host crate that links libtorch. It is used as the library
//! of `flops-fit-worker`, one process a trial, so whatever a plugin does it can
//! only take its own trial down.
//!
//! The way of a training run:
//!
//! ```text
//! trial.json ─▶ plugin (open, build) ─▶ flat (one buffer for all parameters)
//!                                          │
//!   order ─▶ feed (thread) ─▶ batch ─▶ forward, loss, backward ─▶ adamw
//!                                          │                       ▲
//!                                      divergence, checkpoint  schedule
//!                                          ▼
//!                                      evaluate ─▶ result.json
//! ```
#![deny(missing_docs)]

mod adamw;
mod allocator;
mod backward;
mod check;
mod checkpoint;
mod collective;
mod contract;
mod coordinates;
mod describe;
mod device;
mod divergence;
mod evaluate;
mod feed;
mod flat;
mod gemm;
mod gpu;
mod memory;
mod order;
mod parent;
mod plugin;
mod precision;
mod schedule;
mod train;
mod worker;

pub use adamw::AdamWState;
pub use allocator::keep_freed_memory;
pub use check::check;
pub use checkpoint::Keeper;
pub use coordinates::coordinates;
pub use describe::describe;
pub use flat::FlatParameters;
pub use gemm::rate as gemm_rate;
pub use order::Order;
pub use plugin::{
    Batch, Dataset, Library, Loss, LossKind, Model, ModelBuffer, ModelKind, ModelParameter,
};
pub use schedule::rate;
pub use train::{Blueprint, LastResort, Observer, Trained, Training, train};
pub use worker::{Command, run};
