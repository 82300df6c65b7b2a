//! The `flops-fit` command.

use std::{io::Write, process::ExitCode};

use clap::Parser;
use flops_fit::{args::Args, command};

fn main() -> ExitCode {
    let args = Args::parse();
    match command::execute(&args) {
        Ok(exit) => exit.into(),
        Err(error) => {
            // Standard error may be closed; there is no one left to tell then.
            let mut err = std::io::stderr().lock();
            let _ = writeln!(err, "error: {error}");
            if let Some(details) = error.details().filter(|_| args.verbose) {
                let _ = writeln!(err, "{details}");
            }
            error.exit().into()
        }
    }
}
