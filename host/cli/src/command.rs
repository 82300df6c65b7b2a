//! The commands: each reads its arguments, acts through the library, and prints
//! its result on standard output.

mod check;
mod error;
mod inspect;
mod machine;
mod report;
mod shell;
mod subject;
mod sweep;

use std::io::{self, Write};

use serde::Serialize;

pub use error::CommandError;

use crate::{
    args::{Args, Command, Format},
    exit::Exit,
};

/// Does what `args` say. An error has not been printed yet.
pub fn execute(args: &Args) -> Result<Exit, CommandError> {
    let format = args.format;
    match &args.command {
        Command::Run(train) => sweep::run(train, format),
        Command::Plan(source) => sweep::plan(source, format),
        Command::Train(train) => sweep::train(train, format),
        Command::Analyze(analyze) => report::analyze(analyze, format),
        Command::Visualize(visualize) => report::visualize(visualize, format),
        Command::Predict(predict) => report::predict(predict, format),
        Command::Table(table) => report::table(table, format),
        Command::Status(source) => inspect::status(source, format),
        Command::Check(check) => check::check(check, format, args.verbose),
        Command::New(arguments) => machine::new(arguments, format),
        Command::Setup(options) => machine::setup(options, format),
        Command::Doctor(doctor) => machine::doctor(doctor, format),
        Command::Completions(arguments) => shell::completions(arguments),
        Command::Man(arguments) => shell::man(arguments),
    }
}

/// Prints a result. A reader that has gone away (`| head`) is no error.
fn print(text: &str) -> Result<(), CommandError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CommandError::Print(error)),
        _ => Ok(()),
    }
}

/// Prints a result as text or as JSON.
fn print_as<T: Serialize>(
    format: Format,
    value: &T,
    text: impl FnOnce() -> String,
) -> Result<(), CommandError> {
    match format {
        Format::Text => print(&text()),
        Format::Json => {
            // A path may be no text.
            let json = serde_json::to_string_pretty(value)
                .map_err(|error| CommandError::Print(error.into()))?;
            print(&format!("{json}\n"))
        }
    }
}

/// Says something about progress on standard error.
fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
