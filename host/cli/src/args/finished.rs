//! Finished runs on the command line: where they are, how their columns are to be
//! read, how they are to be fitted.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use flops_fit_scaling::bootstrap::FEWEST_DRAWS;
use flops_fit_scaling::{Method, Options, Price, Scheme};

use super::{Source, WishFlag, flops};
use crate::input::{ColumnFlag, Form, Formula, Mapping};
use crate::manifest::nearest;

/// Shown below the long help of every command that takes finished runs.
const TABLES: &str = "\
A table of runs from elsewhere may be CSV, TSV, JSON (an array of objects, or {\"runs\": […]})
or JSON lines, told apart by the file's extension. A column that is called n, d, c or loss gives
that quantity; --column names another, --derive computes one from others. Nothing else is derived:
  flops-fit analyze runs.csv --column n='Model Size' --column c='Training FLOP' \\
      --derive 'd = c / (6 * n)' --drop-worst 5 --no-quality-checks --format json
  flops-fit analyze log.jsonl --column loss=eval.loss --column layers=config.layers \\
      --column width=config.width --derive 'n = 12 * layers * width^2' --derive 'd = c / (6 * n)'
Formulas know + - * / ^, brackets, ln, exp and sqrt; they are evaluated in the order given.";

/// A command's own examples, and those of the flags that it shares with others.
pub(super) fn examples(own: &str) -> String {
    format!("Examples:\n{own}\n\n{TABLES}")
}

/// Finished runs, and how they are fitted.
#[derive(Debug, Clone, Args)]
pub struct Finished {
    /// The runs
    #[command(flatten)]
    pub source: Source,

    /// A table's columns
    #[command(flatten)]
    pub columns: Columns,

    /// The fit
    #[command(flatten)]
    pub fit: Fit,
}

/// How a table from elsewhere is read.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "A table of runs from elsewhere")]
pub struct Columns {
    /// Take a quantity (n, d, c, loss, budget, weight, seed, group, unique, trial, …) from a column
    /// of another name; `FIELD=` alone passes over the column of that name
    #[arg(long = "column", value_name = "FIELD=NAME")]
    pub columns: Vec<ColumnFlag>,

    /// Compute a quantity of each run from others
    #[arg(long = "derive", value_name = "FIELD = FORMULA")]
    pub derived: Vec<Formula>,

    /// What the file holds, where its extension does not say so
    #[arg(long = "from", value_name = "FORM", value_enum)]
    pub form: Option<Form>,

    /// What D counts, in the plural
    #[arg(long, value_name = "WORD")]
    pub unit: Option<String>,
}

impl Columns {
    /// The flags that only make sense for a table, where one was given.
    pub fn given(&self) -> Option<&'static str> {
        [
            (!self.columns.is_empty(), "--column"),
            (!self.derived.is_empty(), "--derive"),
            (self.form.is_some(), "--from"),
            (self.unit.is_some(), "--unit"),
        ]
        .into_iter()
        .find_map(|(given, flag)| given.then_some(flag))
    }

    /// What was said about the columns.
    pub fn mapping(&self) -> Mapping {
        Mapping {
            columns: self.columns.clone(),
            derived: self.derived.clone(),
        }
    }
}

/// How finished runs are fitted; each flag replaces a key of `[analysis]`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Fit")]
pub struct Fit {
    /// Leave out the K runs with the highest losses before anything else
    #[arg(long, value_name = "K")]
    pub drop_worst: Option<usize>,

    /// Fit every row as it is given: no run is left out, and one that can't be fitted is an error
    #[arg(long)]
    pub no_quality_checks: bool,

    /// Follow this method, whatever refits and hold-out say; a wrong name lists them all
    #[arg(long, value_name = "NAME", value_parser = method)]
    pub method: Option<Method>,

    /// Draws of each method's bootstrap: 20 or more, or 0 for no intervals
    #[arg(long, value_name = "N", value_parser = draws)]
    pub draws: Option<usize>,

    /// How the runs of a draw come about
    #[arg(long, value_enum)]
    pub scheme: Option<Draw>,

    /// Seed of the draws
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// How the runs of a bootstrap's draw come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Draw {
    /// Residuals times random weights, one for each configuration
    Wild,
    /// Configurations drawn with replacement
    Pair,
}

impl From<Draw> for Scheme {
    fn from(draw: Draw) -> Self {
        match draw {
            Draw::Wild => Self::WildCluster,
            Draw::Pair => Self::Pair,
        }
    }
}

impl Fit {
    /// Lays the flags over `options`.
    pub fn apply(&self, options: &mut Options) {
        options.quality_checks &= !self.no_quality_checks;
        options.drop_worst = self.drop_worst.unwrap_or(options.drop_worst);
        options.method = self.method.or(options.method);
        let bootstrap = &mut options.bootstrap;
        bootstrap.draws = self.draws.unwrap_or(bootstrap.draws);
        bootstrap.scheme = self.scheme.map_or(bootstrap.scheme, Scheme::from);
        bootstrap.seed = self.seed.unwrap_or(bootstrap.seed);
    }
}

/// Most draws: more would take hours and say nothing new.
const MOST_DRAWS: usize = 1_000_000;

/// How many draws may be asked for: none, or enough of them for an interval.
///
/// # Errors
/// What is accepted.
pub fn check_draws(draws: u64) -> Result<usize, String> {
    match usize::try_from(draws) {
        Ok(draws @ (0 | FEWEST_DRAWS..=MOST_DRAWS)) => Ok(draws),
        _ => Err(format!(
            "0 for no intervals, or a whole number from {FEWEST_DRAWS}, the fewest that give any, to {MOST_DRAWS}"
        )),
    }
}

fn draws(text: &str) -> Result<usize, String> {
    // What is no number is refused in the words for one that is too large.
    check_draws(text.parse().unwrap_or(u64::MAX)).map_err(|words| format!("expected {words}"))
}

fn method(text: &str) -> Result<Method, String> {
    let names = Method::ALL.map(Method::name);
    if let Some(method) = Method::ALL.into_iter().find(|m| m.name() == text) {
        return Ok(method);
    }
    let near = nearest(text, names).map_or_else(String::new, |n| format!("did you mean `{n}`? "));
    Err(format!("{near}expected one of {}", names.join(", ")))
}

/// What to predict, and what it is held against; each flag replaces a key of
/// `[analysis]`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Fit")]
pub struct Targets {
    /// A budget to predict, in FLOPs; may be given several times
    #[arg(long = "target", value_name = "FLOPS", value_parser = flops)]
    pub targets: Vec<f64>,

    /// What compute costs, '2.5 USD per 1e18' or '2 USD per hour at 4e14' FLOP/s reached: the cost
    /// of other sizes is told in money too
    #[arg(long, value_name = "PRICE")]
    pub price: Option<Price>,

    /// When the answer is certain enough: n=1.2 (N* within a factor), loss=0.01 (L* within so much);
    /// may be given once each
    #[arg(long = "wish", value_name = "BOUND")]
    pub wishes: Vec<WishFlag>,
}

impl Targets {
    /// Lays the flags over `options`.
    pub fn apply(&self, options: &mut Options) {
        if !self.targets.is_empty() {
            options.targets.clone_from(&self.targets);
        }
        options.price = self.price.clone().or(options.price.take());
        for wish in &self.wishes {
            wish.apply(&mut options.wish);
        }
    }
}

/// Where files go.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "A table of runs from elsewhere")]
pub struct Out {
    /// The folder for analysis.json, runs.csv, the tables, plots/ and report.html; a sweep has its own
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
