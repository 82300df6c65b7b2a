//! The command line.

mod check;
mod finished;
mod wish;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

pub use check::Check;
pub use finished::{Columns, Draw, Finished, Fit, Out, Targets, check_draws};
pub use wish::{WishError, WishFlag};

use crate::{amount::Amount, setup};

/// How big should my model be, how much data should it see, and what loss will I get?
///
/// flops-fit trains a sweep of sizes and budgets of your own model on your own data, fits
/// scaling laws to it, and predicts the compute-optimal size, data and loss.
#[derive(Debug, Parser)]
#[command(name = "flops-fit", version, propagate_version = true)]
#[command(after_help = "\
Examples:
  flops-fit run manifest.toml                  plan, train, analyse, draw; run again to resume
  flops-fit plan manifest.toml                 what would be trained, and what it costs
  flops-fit predict manifest.toml --budget 1e15

`flops-fit <command> --help` has examples for each command.
Exit codes: 0 done, 2 usage, 3 manifest, 4 plugin, 5 some trials failed, 6 nothing to fit,
7 set-up, 8 output busy, 9 rebuilt plugin, 130 interrupted, 1 anything else.")]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub command: Command,

    /// How results are printed
    #[arg(long, value_enum, default_value_t, global = true)]
    pub format: Format,

    /// Say more about what is wrong, such as where a plugin's layout differs
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: one JSON document on standard output
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Plan, train, analyse and draw; run it again to resume
    #[command(after_help = "\
Examples:
  flops-fit run manifest.toml
  flops-fit run manifest.toml --set run.jobs=4 --set sweep.seeds='[0, 1]'
  flops-fit run outputs/gpt-stories            resume from an output folder")]
    Run(Train),
    /// Show the grid, its FLOPs and an estimate of time; train nothing
    #[command(after_help = "\
Examples:
  flops-fit plan manifest.toml
  flops-fit plan manifest.toml --set sweep.budgets='{ min = 1e10, max = 1e12, count = 5 }'
  flops-fit plan manifest.toml --format json")]
    Plan(Source),
    /// Train what the plan lists and is not trained yet
    #[command(after_help = "\
Examples:
  flops-fit train manifest.toml
  flops-fit train manifest.toml --retrain      after rebuilding a plugin under the same version")]
    Train(Train),
    /// Fit scaling laws to finished runs: a sweep's, or a table of anybody's
    #[command(
        alias = "fit",
        after_help = "\
Examples:
  flops-fit analyze manifest.toml
  flops-fit analyze outputs/gpt-stories --target 1e13 --target 1e14
  flops-fit analyze runs.csv --out fitted      needs neither libtorch nor plugins",
        after_long_help = finished::examples("\
  flops-fit analyze manifest.toml
  flops-fit analyze outputs/gpt-stories --target 1e13 --target 1e14
  flops-fit analyze runs.csv --out fitted      needs neither libtorch nor plugins")
    )]
    Analyze(Analyze),
    /// Draw the plots
    #[command(
        alias = "plot",
        after_help = "\
Examples:
  flops-fit visualize manifest.toml
  flops-fit visualize outputs/gpt-stories --open",
        after_long_help = finished::examples("\
  flops-fit visualize manifest.toml
  flops-fit visualize outputs/gpt-stories --open
  flops-fit visualize runs.csv --out fitted")
    )]
    Visualize(Visualize),
    /// Optimal N and D and the expected loss at other budgets
    #[command(after_help = "\
Examples:
  flops-fit predict manifest.toml --budget 1e12 --budget 1e13
  flops-fit predict outputs/gpt-stories --budget 1e12 --out forecast.json
  flops-fit predict runs.csv --budget 1e12 --fit-up-to 3e11",
        after_long_help = finished::examples("\
  flops-fit predict manifest.toml --budget 1e12 --budget 1e13
  flops-fit predict outputs/gpt-stories --budget 1e12 --out forecast.json
  flops-fit predict runs.csv --budget 1e12 --fit-up-to 3e11"))]
    Predict(Predict),
    /// Print the compute-optimal table
    #[command(after_help = "\
Examples:
  flops-fit table manifest.toml
  flops-fit table outputs/gpt-stories --style latex",
        after_long_help = finished::examples("\
  flops-fit table manifest.toml
  flops-fit table outputs/gpt-stories --style latex > table.tex
  flops-fit table runs.csv --style csv"))]
    Table(Table),
    /// Say how far a sweep is
    #[command(after_help = "\
Examples:
  flops-fit status manifest.toml
  flops-fit status outputs/gpt-stories --format json")]
    Status(Source),
    /// Find out whether plugins keep the contract, before a sweep does
    #[command(
        after_help = "\
Examples:
  flops-fit check target/release/libmine.so
  flops-fit check manifest.toml                at the smallest size of its sweep
  flops-fit check manifest.toml --size 256 --format json",
        after_long_help = check::LONG_HELP
    )]
    Check(Check),
    /// Write a plugin crate to start from: it compiles and runs a sweep as it is
    #[command(after_help = "\
Examples:
  flops-fit new my-model
  flops-fit new models/small --name small-model --api ~/flops-fit/plugin-api")]
    New(New),
    /// Get the libtorch that flops-fit and plugins are built with
    #[command(after_help = "\
Examples:
  flops-fit setup
  flops-fit setup --link my-plugin             link .libtorch into a plugin's folder")]
    Setup(setup::Options),
    /// Look over this machine and say what is missing
    #[command(after_help = "\
Examples:
  flops-fit doctor
  flops-fit doctor --output /data/sweeps")]
    Doctor(Doctor),
    /// Print a script that completes flops-fit's words in a shell
    #[command(after_help = "\
Examples:
  flops-fit completions bash > ~/.local/share/bash-completion/completions/flops-fit
  flops-fit completions zsh > ~/.zfunc/_flops-fit
  flops-fit completions fish > ~/.config/fish/completions/flops-fit.fish")]
    Completions(Completions),
    /// Print the manual page, or write one for each command
    #[command(after_help = "\
Examples:
  flops-fit man | man -l -
  flops-fit man --out ~/.local/share/man/man1")]
    Man(Man),
}

/// A sweep: its manifest, or its output folder.
#[derive(Debug, Clone, clap::Args)]
pub struct Source {
    /// A manifest or an output folder (also, where nothing is trained, a runs.csv)
    #[arg(default_value = "manifest.toml")]
    pub path: PathBuf,

    /// Override a key of the manifest: dotted key, TOML value or bare word
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
}

/// `run` and `train`.
#[derive(Debug, clap::Args)]
pub struct Train {
    /// The sweep
    #[command(flatten)]
    pub source: Source,

    /// Keep results of a library that changed under an unchanged version
    #[arg(long, conflicts_with = "retrain")]
    pub accept_rebuilt: bool,

    /// Train again what was trained with a library that changed under an unchanged version
    #[arg(long)]
    pub retrain: bool,
}

/// `analyze`.
#[derive(Debug, clap::Args)]
pub struct Analyze {
    /// The runs
    #[command(flatten)]
    pub finished: Finished,

    /// What to predict
    #[command(flatten)]
    pub targets: Targets,

    /// Where files go
    #[command(flatten)]
    pub out: Out,
}

/// `visualize`.
#[derive(Debug, clap::Args)]
pub struct Visualize {
    /// The runs
    #[command(flatten)]
    pub finished: Finished,

    /// What to predict
    #[command(flatten)]
    pub targets: Targets,

    /// Where files go
    #[command(flatten)]
    pub out: Out,

    /// Show the plots in the desktop's viewer
    #[arg(long)]
    pub open: bool,
}

/// `predict`.
#[derive(Debug, clap::Args)]
pub struct Predict {
    /// The runs
    #[command(flatten)]
    pub finished: Finished,

    /// A budget in FLOPs, such as 1e15 or '10 PFLOP-days'; may be given several times
    #[arg(long = "budget", value_name = "FLOPS", value_parser = flops, required = true)]
    pub budgets: Vec<f64>,

    /// Use only runs with a budget up to this one
    #[arg(long, value_name = "FLOPS", value_parser = flops)]
    pub fit_up_to: Option<f64>,

    /// Write the prediction to this file too, as JSON
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `table`.
#[derive(Debug, clap::Args)]
pub struct Table {
    /// The runs
    #[command(flatten)]
    pub finished: Finished,

    /// What to predict
    #[command(flatten)]
    pub targets: Targets,

    /// As what the tables are written
    #[arg(long, value_enum, default_value_t)]
    pub style: Style,

    /// The same as --style markdown
    #[arg(long, conflicts_with = "style")]
    pub markdown: bool,
}

/// As what tables are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Style {
    /// Aligned columns for a terminal
    #[default]
    Text,
    /// Pipe tables
    Markdown,
    /// The compute-optimal table alone, as comma-separated values
    Csv,
    /// booktabs tables
    Latex,
}

/// `new`.
#[derive(Debug, clap::Args)]
pub struct New {
    /// The crate's folder, which must not hold anything yet
    pub folder: PathBuf,

    /// The crate's name [default: the folder's]
    #[arg(long)]
    pub name: Option<String>,

    /// The folder plugin-api of flops-fit's repository [default: where this flops-fit was built]
    #[arg(long, value_name = "DIR")]
    pub api: Option<PathBuf>,
}

/// `completions`.
#[derive(Debug, clap::Args)]
pub struct Completions {
    /// Whose script
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `man`.
#[derive(Debug, clap::Args)]
pub struct Man {
    /// Write flops-fit.1, flops-fit-run.1 and so on to this folder instead
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// `doctor`.
#[derive(Debug, clap::Args)]
pub struct Doctor {
    /// The folder whose disk would get the results
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub output: PathBuf,
    /// Check that this machine's GPUs train as the CPU does, and nothing else
    #[arg(long)]
    pub gpu: bool,
}

fn flops(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(Amount::Flops(flops)) => Ok(flops),
        Ok(Amount::Seconds(_)) => {
            Err("a time is no amount of FLOPs; write such as 1e15 or \"10 PFLOP-days\"".to_owned())
        }
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples_and_the_aliases_exist() {
        let mut command = Args::command();
        for sub in command.get_subcommands_mut() {
            let help = sub.render_help().to_string();
            assert!(
                help.contains("Examples:\n  flops-fit"),
                "{}",
                sub.get_name()
            );
        }
        for alias in ["fit", "plot"] {
            assert!(command.find_subcommand(alias).is_some(), "{alias}");
        }
    }
}
