//! What one trial is on disk.
//!
//! A trial is one training run of a sweep: one model size, one budget, one
//! seed. Its directory is the truth about it:
//!
//! ```text
//! trials/<id>/
//!   trial.json      what to train (TrialSpec), written once by the planner
//!   progress.jsonl  one line now and then while it trains (Progress)
//!   checkpoint/     where to go on from, until it has ended (Checkpoint)
//!   result.json     how it ended (TrialResult), written last
//!   worker.log      what the worker printed
//! ```
//!
//! Architecture invariant: this crate knows neither libtorch nor plugins. The
//! parent and the worker both depend on it and on nothing else of each other.
//!
//! Architecture invariant: a JSON file here appears whole or not at all
//! (temporary file, fsync, rename), and carries a format version; `trial.json`
//! and `result.json` carry a checksum too.
#![deny(missing_docs)]

mod aside;
mod canonical;
mod check;
mod checkpoint;
mod content;
mod coordinates;
mod describe;
mod directory;
mod document;
mod failure;
mod gpu;
mod id;
mod kin;
mod program;
mod progress;
mod pulse;
mod result;
mod settings;
mod simulation;
mod spec;

pub use aside::{SetAside, set_aside};
pub use canonical::{canonical_hash, canonical_json};
pub use check::{
    CheckEvent, CheckName, CheckRequest, CheckScope, CheckStatus, CheckWriter, Finding,
    WantedTrained, parse_check_events, read_check_events,
};
pub use checkpoint::{
    Arrangement, Build, Checkpoint, CheckpointDir, Found, Position, Refusal, Resumed,
    SetAsideCheckpoint,
};
pub use content::{Content, hex};
pub use coordinates::{CoordinatesRequest, CoordinatesResponse, OutputMoves};
pub use describe::{
    ComponentFacts, Compute, DatasetFacts, DescribeRequest, DescribeResponse, Description,
    SizeFacts, SizeOutcome, WantedComponent, with_size,
};
pub use directory::{CANNOT_WRITE, ReservedResult, TrialDir};
pub use document::{
    DocumentError, is_sealed, parse_json, parse_sealed, read_bounded, read_document, read_json,
    remove_partial, sealed, write_document, write_json, write_sealed,
};
pub use failure::{Failure, Phase, signal_name};
pub use gpu::{GpuCheck, GpuDevice, GpuReport};
pub use id::TrialId;
pub use kin::{TRIAL_VARIABLE, processes_of, trial_of};
pub use program::{
    ProgramAnswer, ProgramData, ProgramOutcome, ProgramPart, ProgramQuestion, ProgramResult,
    ProgramSize,
};
pub use progress::{Progress, ProgressReader, ProgressWriter, Stage, continuous, parse_progress};
pub use pulse::{Part, Pulse};
pub use result::{Environment, Measured, Outcome, Timing, TrialResult};
pub use settings::{AdamW, DecayShape, Precision, Schedule, TrainSettings};
pub use simulation::{Law, RateEffect, Simulation};
pub use spec::{Component, Load, Recipe, RunSettings, TrialSpec};

/// Environment variable by which libtorch is told, with `1`, that CUDA devices may make
/// products of 32-bit floats in TF32.
pub const TF32_VARIABLE: &str = "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE";

/// Version of every file this crate writes. A reader refuses a newer one.
pub const FORMAT: u32 = 1;
