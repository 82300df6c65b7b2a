//! Whole commands against a fake worker: no libtorch, no plugin code.

mod adaptive;
mod analysis;
mod commands;
mod exits;
mod faults;
mod library;
mod odd_tables;
mod placement;
mod power;
mod programs;
mod reports;
mod resume;
mod shell;
mod simulated;
mod startup;
mod tables;
mod tensorboard;
mod timed;
mod tuned;
mod tuning;
mod workbench;
mod worker;
