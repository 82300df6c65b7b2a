//! Whole commands against a fake worker: no libtorch, no plugin code.

mod analysis;
mod commands;
mod exits;
mod faults;
mod odd_tables;
mod resume;
mod startup;
mod tables;
mod workbench;
