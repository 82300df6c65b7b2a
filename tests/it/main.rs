//! Whole commands with the real programs and plugins, as `cargo xtask test`
//! builds them. Each test works in a folder of its own, which stays after it.

#[macro_use]
mod manifests;

mod adaptive;
mod check;
mod determinism;
mod examples;
mod footprint;
mod hostile;
mod interrupt;
mod kill;
mod library;
mod machine;
mod manifest;
mod new;
mod ordinary_user;
mod orphans;
mod programs;
mod pytorch;
mod random;
mod ranks;
mod small_disk;
mod sweep;
mod torture;
mod transfer;
mod trunks;
mod vision;
mod workbench;
