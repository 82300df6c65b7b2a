//! `cargo xtask`: what one does with a clone, each in one command, from a
//! machine that has no more than Rust, a C++ compiler and a Python with pip.
//!
//! The chores run cargo and the programs of this workspace and know nothing of
//! their insides. Everything is built in release mode in the one target
//! folder, since torch-sys takes minutes each time it is compiled.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore talks to the terminal that it was started from"
)]

mod arguments;
mod bench;
mod ci;
mod demo;
mod deny;
mod error;
mod fuzz;
mod setup;
mod step;
mod test;
mod workspace;

use std::process::ExitCode;

use arguments::Chore;
use error::Error;
use workspace::Workspace;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn run() -> Result<(), Error> {
    let chore = arguments::parse(lexopt::Parser::from_env())?;
    let workspace = Workspace::of_this_program();
    match chore {
        Chore::Help => {
            print!("{}", arguments::HELP);
            Ok(())
        }
        Chore::Setup { arguments } => setup::run(&workspace, &arguments),
        Chore::Demo => demo::run(&workspace),
        Chore::Test { arguments } => test::run(&workspace, &arguments),
        Chore::Fuzz { arguments } => fuzz::run(&workspace, &arguments),
        Chore::Bench(options) => bench::run(&workspace, &options),
        Chore::Ci { lints_only } => ci::run(&workspace, lints_only),
    }
}
