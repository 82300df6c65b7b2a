//! The command line of `check`.

use std::{path::PathBuf, time::Duration};

/// Shown below the long help.
pub(super) const LONG_HELP: &str = "\
Examples:
  flops-fit check target/release/libmine.so
  flops-fit check flops_fit_gpt --dataset stories --config model.d_model=16 \\
      --config dataset.seq_len=64
  flops-fit check libmodel.so --dataset libdata.so:images --loss libdata.so:cross_entropy
  flops-fit check manifest.toml                at the smallest size of its sweep
  flops-fit check manifest.toml --size 256 --format json
  flops-fit check manifest.toml --strict       for continuous integration
  flops-fit check manifest.toml --transfer     does the best learning rate move with the size?
  flops-fit check manifest.toml --transfer --sizes 32,64,128 --steps 500

A worker uses the plugins as trials would, for seconds: docs/plugins.md lists the checks.
--transfer trains some dozens of short trials instead, for minutes: docs/transfer.md.
Exit codes: 0 nothing failed, 4 something failed (with --strict: or warned), 2 a kind has to be
named, 3 the manifest is wrong, 7 there is no worker.";

/// `check`.
#[derive(Debug, clap::Args)]
pub struct Check {
    /// A plugin library (path or name), a manifest, or an output folder
    #[arg(value_name = "PLUGIN|MANIFEST")]
    pub path: PathBuf,

    /// The model: one of the library's, or LIBRARY:KIND
    #[arg(long, value_name = "KIND")]
    pub model: Option<String>,

    /// The dataset: one of the library's, or LIBRARY:KIND
    #[arg(long, value_name = "KIND")]
    pub dataset: Option<String>,

    /// The loss: one of the library's, or LIBRARY:KIND
    #[arg(long, value_name = "KIND")]
    pub loss: Option<String>,

    /// A key of a part's configuration: model.KEY=VALUE, dataset.KEY=VALUE, loss.KEY=VALUE
    #[arg(long = "config", value_name = "PART.KEY=VALUE", value_parser = config)]
    pub config: Vec<String>,

    /// Override a key of the manifest: dotted key, TOML value or bare word
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,

    /// The size to check, of a manifest's model
    #[arg(long, value_name = "SIZE")]
    pub size: Option<i64>,

    /// Longest that one check may take
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    pub limit: Duration,

    /// Count warnings as failures
    #[arg(long)]
    pub strict: bool,

    /// Find out whether one learning rate serves all sizes of a manifest's model, instead
    #[arg(long, conflicts_with = "size")]
    pub transfer: bool,

    /// Sizes to compare [default: three of the sweep's, up to 4 times the smallest]
    #[arg(
        long,
        value_name = "SIZES",
        value_delimiter = ',',
        requires = "transfer"
    )]
    pub sizes: Option<Vec<i64>>,

    /// Optimizer steps of each trial [default: 300]
    #[arg(long, value_name = "STEPS", requires = "transfer", value_parser = clap::value_parser!(u64).range(20..=100_000_000))]
    pub steps: Option<u64>,

    /// Where trials, plots and transfer.json go [default: transfer/ in the output folder]
    #[arg(long, value_name = "DIR", requires = "transfer")]
    pub out: Option<PathBuf>,
}

impl Check {
    /// The first flag that only makes sense for a library, where one was given.
    pub fn of_library(&self) -> Option<&'static str> {
        [
            (self.model.is_some(), "--model"),
            (self.dataset.is_some(), "--dataset"),
            (self.loss.is_some(), "--loss"),
            (!self.config.is_empty(), "--config"),
        ]
        .into_iter()
        .find_map(|(given, flag)| given.then_some(flag))
    }
}

fn config(text: &str) -> Result<String, String> {
    let part = text.split_once('.').map(|(part, _)| part);
    match part {
        Some("model" | "dataset" | "loss") if text.contains('=') => Ok(text.to_owned()),
        _ => Err("expected a part, a key and a value, such as model.d_model=64".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 366.0 * 86_400.0 => {
            Ok(Duration::from_secs_f64(seconds))
        }
        _ => Err("expected a number of seconds above 0, at most a year".to_owned()),
    }
}
