//! Scaling laws as pure functions: which runs to train, what their losses say,
//! and what to expect at a budget nobody has trained yet.
//!
//! The crate does no I/O and knows neither files nor plugins. It works on four
//! numbers of a run: parameters N, units of data D (tokens or images), compute
//! C in FLOPs as counted, and the held-out loss L in the loss's own unit.
//!
//! * [`sample`] prepares the runs, [`mod@fit`] runs one [`Method`] on them, and
//!   [`frontier`] is what its law answers: the contract that intervals, hold-out
//!   and selection build on.
//! * [`grid`] lays out an `IsoFLOP` sweep: budgets, sizes, steps, cost.
//! * [`batch`] says how much data there is in an optimizer step.
//! * [`adaptive`] chooses sizes round by round, from the rounds that are complete.
//! * [`learning_rate`] tunes the rate at a few points, for all trials of a sweep.
//! * [`isoflop`] finds the loss-minimising size of each budget.
//! * [`power_law`] and [`loss_law`] carry the minima to other budgets.
//! * [`bootstrap`] puts intervals on what any law says.
//! * [`holdout`] asks each method for the largest budgets from the smaller ones, and
//!   [`selection`] weighs the methods by that.
//! * [`simulate`] draws sweeps from a known law; [`coverage`] counts how often
//!   intervals hold it.
//! * [`analyze()`] does all of it on a list of [`Run`]s and returns one
//!   serialisable [`Analysis`].
//!
//! Each interval is a 95 % interval. How they are built, and how often they
//! cover the truth in simulation, is written down in `docs/statistics.md`.

#![deny(missing_docs)]

pub mod adaptive;
pub mod analysis;
pub mod analyze;
pub mod batch;
pub mod bootstrap;
mod budget;
mod canonical;
pub mod conventions;
pub mod cost;
pub mod coverage;
pub mod design;
mod eigenvalues;
mod ensemble;
pub mod envelope;
pub mod fit;
pub mod flops;
pub mod frontier;
pub mod grid;
pub mod holdout;
pub mod influence;
pub mod interval;
pub mod isoflop;
pub mod laws;
pub mod learning_rate;
pub mod loss_law;
pub mod median;
pub mod method;
mod newton;
pub mod power_law;
pub mod quality;
pub mod quantity;
mod random;
pub mod repeated;
pub mod run;
pub mod sample;
pub mod selection;
pub mod simulate;
mod student;
pub mod surface;
pub mod table;
pub mod tolerance;
pub mod unfit;
mod valley;

pub use analysis::{Analysis, FittedMethod, MethodResult, Options, Prediction, Quantity};
pub use analyze::{AnalysisError, analyze, analyze_sweep};
pub use bootstrap::{Bootstrap, Scheme};
pub use conventions::{Convention, ConventionFit};
pub use cost::{Detour, Price, PriceError};
pub use fit::{Diagnostics, Fit, Parameters, fit};
pub use frontier::{Frontier, Law, Optimum};
pub use grid::{Candidate, Grid, GridError, GridSpec, Layout, plan};
pub use holdout::Holdout;
pub use influence::Influence;
pub use interval::Interval;
pub use laws::Laws;
pub use method::{Method, ResidualScale};
pub use run::{CurvePoint, Run, RunError};
pub use sample::Sample;
pub use selection::Recommendation;
pub use surface::{Objective, Surface, fit_surface};
pub use tolerance::{Tolerance, tolerance};
pub use unfit::Unfit;
