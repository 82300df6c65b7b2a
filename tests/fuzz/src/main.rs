//! `cargo xtask fuzz`: mutated inputs for every parser, until a number or a time
//! is reached.
//!
//! Cases are run by child processes, a range at a time, so that one that kills
//! its process is a finding like any other. A case is named by target, seed and
//! number, and comes out the same every time.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to the terminal that it was started from"
)]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use flops_fit_fuzz::{
    TARGETS, Target,
    child::{self, Failure, Summary},
    memory::Counting,
    mutate::Mutator,
    target,
};
use lexopt::{Arg, Parser, ValueExt as _};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const HELP: &str = "\
Mutated inputs for every parser of flops-fit

Usage: cargo xtask fuzz [OPTIONS]

  --seconds S    Stop after so many seconds, shared by the targets [default: 60]
  --cases N      Stop after so many cases, shared by the targets
  --target NAME  Only this one; may be given several times
  --seed N       Another set of cases [default: 0]
  --from N       The number of the first case [default: 0]
  --case N       Run one case of --target alone, and write its input to --write
  --write FILE   Where
  --list         Print the targets
";

/// Cases that one child runs.
const RANGE: u64 = 20_000;

#[derive(Default)]
struct Options {
    seconds: Option<f64>,
    cases: Option<u64>,
    targets: Vec<&'static Target>,
    seed: u64,
    from: u64,
    case: Option<u64>,
    write: Option<PathBuf>,
    /// What a child is told: the end of its range, and whether to trace.
    child: Option<(u64, bool)>,
}

fn main() -> ExitCode {
    let options = match parse(Parser::from_env()) {
        Ok(Some(options)) => options,
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    if let (Some((to, trace)), [target, ..]) = (options.child, options.targets.as_slice()) {
        // What was said is in the summary.
        std::panic::set_hook(Box::new(|_| {}));
        let summary = child::run(target, options.seed, (options.from, to), trace);
        println!("{}", serde_json::to_string(&summary).expect("plain data"));
        return ExitCode::SUCCESS;
    }
    match options.case {
        Some(case) => one(&options, case),
        None => all(&options),
    }
}

fn parse(mut parser: Parser) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("seconds") => options.seconds = Some(parser.value()?.parse()?),
            Arg::Long("cases") => options.cases = Some(parser.value()?.parse()?),
            Arg::Long("seed") => options.seed = parser.value()?.parse()?,
            Arg::Long("from") => options.from = parser.value()?.parse()?,
            Arg::Long("case") => options.case = Some(parser.value()?.parse()?),
            Arg::Long("write") => options.write = Some(parser.value()?.into()),
            Arg::Long("child") => options.child = Some((parser.value()?.parse()?, false)),
            Arg::Long("trace") => options.child = Some((parser.value()?.parse()?, true)),
            Arg::Long("target") => {
                let name = parser.value()?.string()?;
                let known =
                    target(&name).ok_or_else(|| format!("no target {name:?}; see --list"))?;
                options.targets.push(known);
            }
            Arg::Long("list") => {
                for target in TARGETS {
                    println!("{}", target.name);
                }
                return Ok(None);
            }
            Arg::Short('h') | Arg::Long("help") => {
                print!("{HELP}");
                return Ok(None);
            }
            other => return Err(other.unexpected()),
        }
    }
    if options.targets.is_empty() {
        if options.case.is_some() {
            return Err("--case needs --target".into());
        }
        options.targets = TARGETS.iter().collect();
    }
    Ok(Some(options))
}

/// One case in a child of its own.
fn one(options: &Options, case: u64) -> ExitCode {
    let target = options.targets[0];
    if let Some(path) = &options.write {
        let input = Mutator::new(target).input(options.seed, case);
        if let Err(error) = fs::write(path, input) {
            eprintln!("error: {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    let summary = range(target, options.seed, case, case + 1);
    println!(
        "{} seed {} case {case}: {} B, {:.6} s, {}",
        target.name,
        options.seed,
        summary.most_bytes,
        summary.slowest,
        if summary.accepted > 0 {
            "accepted"
        } else {
            "refused"
        }
    );
    verdict(&[(target, summary)], options.seed)
}

/// All targets, each with its share of cases or time.
fn all(options: &Options) -> ExitCode {
    let share = options.targets.len() as u64;
    let cases = options.cases.map(|cases| cases.div_ceil(share));
    let seconds = match (options.seconds, cases) {
        (Some(seconds), _) => seconds / share as f64,
        (None, Some(_)) => f64::INFINITY,
        (None, None) => 60.0 / share as f64,
    };
    let mut found = Vec::new();
    for &target in &options.targets {
        let began = Instant::now();
        let mut sum = Summary::default();
        let mut from = options.from;
        // A first range of a few cases tells how many fit in the time.
        let mut length = 200;
        while began.elapsed().as_secs_f64() < seconds && cases.is_none_or(|most| sum.cases < most) {
            let left = cases.map_or(u64::MAX, |most| most - sum.cases);
            let to = from + length.min(left);
            add(&mut sum, range(target, options.seed, from, to));
            from = to;
            length = RANGE;
            if seconds.is_finite() {
                let pace = sum.cases as f64 / began.elapsed().as_secs_f64().max(1e-3);
                let left = seconds - began.elapsed().as_secs_f64();
                length = ((pace * left) as u64).clamp(200, RANGE);
            }
        }
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "{:12} {:>9} cases in {seconds:>6.1} s ({:>6.0}/s), {:>4.1} % accepted, at most {:>5.1} MiB and {:.3} s; {} failures",
            target.name,
            sum.cases,
            sum.cases as f64 / seconds,
            100.0 * sum.accepted as f64 / sum.cases.max(1) as f64,
            sum.most_bytes as f64 / f64::from(1 << 20),
            sum.slowest,
            sum.failures.len()
        );
        found.push((target, sum));
    }
    let cases: u64 = found.iter().map(|(_, sum)| sum.cases).sum();
    println!("{cases} cases in all");
    verdict(&found, options.seed)
}

fn add(sum: &mut Summary, more: Summary) {
    sum.cases += more.cases;
    sum.accepted += more.accepted;
    sum.most_bytes = sum.most_bytes.max(more.most_bytes);
    sum.slowest = sum.slowest.max(more.slowest);
    sum.failures.extend(more.failures);
}

fn verdict(found: &[(&Target, Summary)], seed: u64) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for (target, summary) in found {
        for Failure { case, what } in &summary.failures {
            let name = target.name;
            eprintln!("FAIL {name}: seed {seed} case {case}: {what}");
            eprintln!(
                "  again: cargo xtask fuzz --target {name} --seed {seed} --case {case} --write input"
            );
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// The cases `from` to below `to` in a child; where it dies, the case that it
/// died of and what comes after.
fn range(target: &Target, seed: u64, from: u64, to: u64) -> Summary {
    if let Some(summary) = start(target, seed, from, to, "--child").0 {
        return summary;
    }
    let (summary, last, words) = start(target, seed, from, to, "--trace");
    if let Some(summary) = summary {
        // All of them passed: the machine stood still for too long, or had no memory.
        eprintln!("note: a child of {} died once and not again", target.name);
        return summary;
    }
    let Some(case) = last else {
        let what = format!("a child died of no case: {}", words.trim());
        let failures = vec![Failure { case: from, what }];
        return Summary {
            failures,
            ..Summary::default()
        };
    };
    let mut sum = Summary {
        cases: case + 1 - from,
        ..Summary::default()
    };
    let what = format!("the process died: {}", words.trim());
    sum.failures.push(Failure { case, what });
    if case + 1 < to {
        add(&mut sum, range(target, seed, case + 1, to));
    }
    sum
}

/// Runs a child: its summary if it lived, the last case that it named, and what
/// it said on standard error.
fn start(
    target: &Target,
    seed: u64,
    from: u64,
    to: u64,
    how: &str,
) -> (Option<Summary>, Option<u64>, String) {
    let program = std::env::current_exe().unwrap_or_default();
    let child = Command::new(program)
        .args(["--target", target.name])
        .args(["--seed", &seed.to_string()])
        .args(["--from", &from.to_string()])
        .args([how, &to.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return (None, None, error.to_string()),
    };
    let (mut summary, mut last, mut words) = (None, None, String::new());
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            match line.parse::<u64>() {
                Ok(case) => last = Some(case),
                Err(_) => summary = serde_json::from_str(&line).ok(),
            }
        }
    }
    if let Some(mut errors) = child.stderr.take() {
        let _ = errors.read_to_string(&mut words);
    }
    match child.wait() {
        Ok(status) if status.success() => (summary, last, words),
        Ok(status) => (None, last, format!("{words}{status}")),
        Err(error) => (None, last, error.to_string()),
    }
}
