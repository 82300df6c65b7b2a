//! Runs from elsewhere: tables in, laws and files out.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use crate::workbench::Workbench;

/// Four budgets of seven sizes whose losses follow a law exactly, in somebody
/// else's words.
fn theirs() -> String {
    let mut text = "Model Size,Training FLOP,loss\n".to_owned();
    for c in [1e18_f64, 4e18, 1.6e19, 6.4e19] {
        let center = 0.09 * c.sqrt();
        for step in -3..=3 {
            let n = center * 1.7_f64.powi(step);
            let d = c / (6.0 * n);
            let loss = 1.7 + 400.0 / n.powf(0.34) + 1200.0 / d.powf(0.32);
            let _ = writeln!(text, "{n},{c},{loss}");
        }
    }
    text
}

const MAPPED: [&str; 6] = [
    "--column",
    "n=Model Size",
    "--column",
    "c=Training FLOP",
    "--derive",
    "d = c / (6 * n)",
];

fn with<'a>(command: &[&'a str]) -> Vec<&'a str> {
    command.iter().copied().chain(MAPPED).collect()
}

fn bench() -> Workbench {
    let bench = Workbench::new();
    fs::write(bench.path("theirs.csv"), theirs()).expect("written");
    bench
}

#[test]
fn every_report_command_takes_a_table_and_its_flags() {
    let bench = bench();
    let analyzed = bench.run(&with(&["analyze", "theirs.csv"])).expect(0);
    assert!(analyzed.out.contains("28 runs"), "{}", analyzed.out);
    assert_eq!(
        bench.run(&with(&["table", "theirs.csv"])).expect(0).out,
        analyzed.out
    );
    let predicted = bench
        .run(&with(&["predict", "theirs.csv", "--budget", "1e21"]))
        .expect(0);
    assert!(predicted.out.contains("1e21"), "{}", predicted.out);
    let drawn = bench
        .run(&with(&["visualize", "theirs.csv", "--out", "drawn"]))
        .expect(0);
    assert!(
        drawn.out.starts_with("drawn/report.html\n"),
        "{}",
        drawn.out
    );

    let json = bench
        .run(&with(&[
            "analyze",
            "theirs.csv",
            "--format",
            "json",
            "--target",
            "1e21",
        ]))
        .expect(0);
    let analysis: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(analysis["sweep"], "theirs");
}

#[test]
fn out_gets_every_file_and_its_runs_can_be_analysed_again() {
    let bench = bench();
    let first = bench
        .run(&with(&["analyze", "theirs.csv", "--out", "a/fitted"]))
        .expect(0);
    for file in [
        "analysis.json",
        "runs.csv",
        "table.md",
        "table.csv",
        "table.tex",
        "report.html",
        "plots/isoflop.png",
        "plots/isoflop.svg",
    ] {
        assert!(bench.path("a/fitted").join(file).is_file(), "{file}");
    }
    let again = bench.run(&["analyze", "a/fitted/runs.csv"]).expect(0);
    assert_eq!(
        again.out.replace("runs: ", "theirs: "),
        first.out,
        "the rows carry what was mapped and derived"
    );
    let table = fs::read_to_string(bench.path("a/fitted/table.csv")).expect("read");
    let head = table.lines().next().unwrap_or_default();
    let first = "c,n,n_low,n_high,n_tolerance_low,n_tolerance_high,d_tokens,";
    assert!(head.starts_with(first), "{head}");
    let row = table.lines().nth(1).unwrap_or_default();
    let numbers = row
        .split(',')
        .filter(|field| field.parse::<f64>().is_ok())
        .count();
    assert_eq!(numbers, head.split(',').count(), "{row}");
}

#[test]
fn flags_that_make_no_sense_say_so() {
    let bench = bench();
    let check = |arguments: &[&str], code: i32, message: &str| {
        let ended = bench.run(arguments).expect(code);
        assert!(ended.err.contains(message), "{}", ended.err);
    };
    check(
        &["analyze", "theirs.csv", "--column", "Model Size"],
        2,
        "expected FIELD=NAME, a quantity and the column that gives it",
    );
    check(
        &["analyze", "theirs.csv", "--derive", "d = c / (6 * n"],
        2,
        "character 15: found the end, expected an operator or `)`",
    );
    check(
        &["analyze", "theirs.csv"],
        2,
        "nothing gives `n`: take it from a column with --column n='Model Size'",
    );
    check(
        &["analyze", "manifest.toml", "--derive", "d = c"],
        2,
        "--derive is for tables of runs from elsewhere; manifest.toml is a sweep",
    );
    check(
        &["analyze", "theirs.csv", "--set", "analysis.targets=[1]"],
        2,
        "a table of runs has no manifest",
    );
    check(
        &["analyze", "none.csv"],
        1,
        "reading none.csv: No such file",
    );
    check(&["run", "theirs.csv"], 3, "theirs.csv is no manifest");
    fs::write(bench.path("bad.csv"), "n,d,c,loss\n1,2,3,x\n").expect("written");
    check(
        &["analyze", "bad.csv"],
        6,
        "bad.csv:2: column `loss` holds `x`, expected a number",
    );
}

/// A public table beside this checkout.
#[expect(clippy::print_stderr, reason = "a skipped check is told")]
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let places = ["../shared/data", "../../shared/data"].map(|place| root.join(place).join(name));
    let found = places.into_iter().find(|path| path.is_file());
    if found.is_none() {
        eprintln!("skipped: shared/data/{name} is not beside this checkout");
    }
    found
}

#[test]
fn public_tables_are_analysed() {
    let bench = Workbench::new();
    if let Some(path) = shared("cs336_isoflop.json") {
        let path = path.display().to_string();
        let json = bench
            .run(&[
                "analyze",
                &path,
                "--column",
                "n=parameters",
                "--column",
                "c=compute_budget",
                "--column",
                "loss=final_loss",
                "--derive",
                "d = c / (6 * n)",
                "--format",
                "json",
            ])
            .expect(0);
        let analysis: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
        assert_eq!(analysis["points"].as_array().map(Vec::len), Some(72));
        assert_eq!(analysis["budgets"].as_array().map(Vec::len), Some(9));
    }
}
