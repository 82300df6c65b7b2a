//! The command line of `cargo xtask`.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};

use crate::bench::{Bench, Case, Options};
use crate::error::Error;

pub(crate) const HELP: &str = "\
Chores of the flops-fit workspace

Usage: cargo xtask <CHORE>

Chores:
  setup [--cuda]     Find or download libtorch and link it as .libtorch
  demo               Set up, build, and train the sweep of examples/stories
  test [ARGS…]       Set up, build, and run every test; ARGS go to `cargo test`
  bench [NAME]       Set up, build, and measure against PyTorch and a bare loop
  fuzz [ARGS…]       Build, and feed mutated files to every parser for a minute
  ci [--lints-only]  Formatting, lints, docs, dependencies, then tests and fuzz

Benchmarks: step, sweep, overhead, stories, help, analysis, coverage, selection, ranks,
trunks, adaptive, parent; without a name, those that take no more than minutes. analysis, coverage and
selection need no libtorch.
  --case a|b|c       step: only this shape of model
  --compile          step: against torch.compile, which wants a C++ compiler
  --pairs N          Interleaved pairs to take medians of [default: 5; sweep: 1]
  --python PATH      A Python that has torch [default: FLOPS_FIT_BENCH_PYTHON, python3]
  --baseline PATH    The PyTorch script [default: ../shared/bench/torch_eager.py]
  --text PATH        sweep: the text to train on [default: ../shared/data/austen.txt]

Examples:
  cargo xtask demo
  cargo xtask test -- isoflop
  cargo xtask bench step --case a --pairs 7
  cargo xtask fuzz --target manifest --cases 100000
";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Chore {
    Help,
    Setup { arguments: Vec<OsString> },
    Demo,
    Test { arguments: Vec<OsString> },
    Bench(Options),
    Fuzz { arguments: Vec<OsString> },
    Ci { lints_only: bool },
}

pub(crate) fn parse(mut parser: Parser) -> Result<Chore, Error> {
    let chore = match parser.next()? {
        None | Some(Arg::Short('h') | Arg::Long("help")) => return Ok(Chore::Help),
        Some(Arg::Value(name)) => name.string()?,
        Some(other) => return Err(other.unexpected().into()),
    };
    let chore = match chore.as_str() {
        "help" => Chore::Help,
        // `flops-fit setup` knows its own flags.
        "setup" => Chore::Setup {
            arguments: parser.raw_args()?.collect(),
        },
        "demo" => Chore::Demo,
        "test" => Chore::Test {
            arguments: parser.raw_args()?.collect(),
        },
        // The fuzzer knows its own flags.
        "fuzz" => Chore::Fuzz {
            arguments: parser.raw_args()?.collect(),
        },
        "bench" => return bench(parser),
        "ci" => return ci(parser),
        _ => return Err(Error::UnknownChore { name: chore }),
    };
    match parser.next()? {
        None => Ok(chore),
        Some(Arg::Short('h') | Arg::Long("help")) => Ok(Chore::Help),
        Some(other) => Err(other.unexpected().into()),
    }
}

fn ci(mut parser: Parser) -> Result<Chore, Error> {
    let mut lints_only = false;
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("lints-only") => lints_only = true,
            Arg::Short('h') | Arg::Long("help") => return Ok(Chore::Help),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Chore::Ci { lints_only })
}

fn bench(mut parser: Parser) -> Result<Chore, Error> {
    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("case") => options.case = Some(parser.value()?.parse::<Case>()?),
            Arg::Long("pairs") => options.pairs = Some(parser.value()?.parse()?),
            Arg::Long("python") => options.python = Some(PathBuf::from(parser.value()?)),
            Arg::Long("baseline") => options.baseline = Some(PathBuf::from(parser.value()?)),
            Arg::Long("compile") => options.compile = true,
            Arg::Long("text") => options.text = Some(PathBuf::from(parser.value()?)),
            Arg::Short('h') | Arg::Long("help") => return Ok(Chore::Help),
            Arg::Value(name) if options.bench.is_none() => {
                options.bench = Some(name.parse::<Bench>()?);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Chore::Bench(options))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    fn parse(words: &[&str]) -> Result<Chore, Error> {
        super::parse(Parser::from_args(words.iter().map(OsString::from)))
    }

    #[test]
    fn what_follows_test_is_handed_on_untouched() {
        let chore = parse(&["test", "-p", "flops-fit", "--", "--nocapture"]).expect("a chore");
        let arguments = ["-p", "flops-fit", "--", "--nocapture"].map(OsString::from);
        assert_eq!(
            chore,
            Chore::Test {
                arguments: arguments.to_vec()
            }
        );
    }

    #[test]
    fn bench_takes_a_name_and_flags_in_any_order() {
        let expected = Chore::Bench(Options {
            bench: Some(Bench::Step),
            case: Some(Case::B),
            pairs: NonZeroUsize::new(7),
            ..Options::default()
        });
        for words in [
            ["bench", "step", "--case", "b", "--pairs", "7"],
            ["bench", "--pairs", "7", "--case", "b", "step"],
        ] {
            assert_eq!(parse(&words).expect("a chore"), expected);
        }
    }

    #[test]
    fn nonsense_is_named() {
        let message = |words: &[&str]| parse(words).expect_err("an error").to_string();
        assert!(message(&["tset"]).contains("tset"));
        assert!(message(&["bench", "speed"]).contains(
            "step, sweep, overhead, stories, help, analysis, coverage, selection, ranks, trunks, adaptive, parent"
        ));
        assert!(message(&["bench", "step", "--pairs", "0"]).contains("zero"));
        assert!(message(&["ci", "--fast"]).contains("--fast"));
    }
}
