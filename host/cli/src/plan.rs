//! From a manifest to trials on disk: what to train, what it costs, and how
//! long it is likely to take, before anything is spent.

pub mod document;

pub use document::{Plan, PlannedBudget, PlannedRun, Skipped};
