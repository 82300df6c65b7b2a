//! Whole commands with the real programs and plugins, as `cargo xtask test`
//! builds them. Each test works in a folder of its own, which stays after it.

mod determinism;
mod examples;
mod footprint;
mod hostile;
mod kill;
mod library;
mod manifest;
mod programs;
mod sweep;
mod workbench;
