//! Whole commands against a fake worker: no libtorch, no plugin code.

mod commands;
mod exits;
mod faults;
mod resume;
mod startup;
mod tables;
mod workbench;
