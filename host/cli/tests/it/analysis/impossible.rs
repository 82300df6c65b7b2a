//! Runs with impossible numbers.

use std::fs;

use super::published::{DOCUMENTED, bench, json, published};
use crate::workbench::{MANIFEST, Workbench};

#[test]
fn impossible_runs_are_left_out_with_a_reason_or_refused() {
    let bench = bench();
    let mut text = published();
    text += "1e8,1e18,-2.5,\n1e8,1e18,nan,\n0,1e18,3,\n1e8,1e18,,\n1e8,NA,3,\n";
    fs::write(bench.path("runs.csv"), text).expect("written");
    let mapped: Vec<&str> = DOCUMENTED[..10].to_vec();
    let with = |more: &[&str]| -> Vec<String> {
        mapped
            .iter()
            .chain(more)
            .map(|&argument| argument.to_owned())
            .collect()
    };
    let run = |more: &[&str]| {
        let arguments = with(more);
        bench.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let analysis = json(&run(&["--format", "json", "--out", "fitted"]).expect(0));
    assert_eq!(analysis["runs"], 43);
    assert_eq!(analysis["trials"]["failed"], 2);
    let reasons = |run: u64| {
        let all = analysis["left_out"].as_array().expect("a list");
        let one = all.iter().find(|one| one["run"] == run);
        one.unwrap_or_else(|| panic!("{run}"))["reason"].clone()
    };
    assert_eq!(reasons(40)["field"], "loss");
    assert_eq!(reasons(40)["found"], "-2.5");
    assert_eq!(reasons(41)["kind"], "diverged");
    assert_eq!(reasons(42)["field"], "n");
    assert!(analysis["points"][41]["loss"].is_null());

    let rows = fs::read_to_string(bench.path("fitted/runs.csv")).expect("read");
    for part in [
        "left out: loss is -2.5, expected a finite number above 0",
        "no loss",
        "no c, no d",
    ] {
        assert!(rows.contains(part), "{part}\n{rows}");
    }
    let again = bench.run(&["table", "fitted/analysis.json"]).expect(0);
    assert!(
        again.out.contains("line 42 (loss is -2.5)"),
        "{}",
        again.out
    );

    let strict = run(&["--no-quality-checks"]).expect(6).err;
    for part in [
        "runs.csv:42: column `loss` holds `-2.5`, expected a finite number above 0",
        "runs.csv:43: column `loss` holds `nan`",
        "runs.csv:44: column `Model Size` holds `0`",
        "runs.csv:46: column `Training FLOP` holds `NA`",
    ] {
        assert!(strict.contains(part), "{part}\n{strict}");
    }
}

#[test]
fn a_trial_with_an_impossible_loss_does_not_stop_a_sweep_s_analysis() {
    let manifest = MANIFEST.replace("n_layer = 2", "n_layer = 2\nfaults = { 12 = \"negative\" }");
    let bench = Workbench::with(&manifest);
    let ended = bench.run(&["run"]).expect(0);
    assert!(ended.out.contains("loss is -1"), "{}", ended.out);
    let rows = fs::read_to_string(bench.path("outputs/demo/runs.csv")).expect("read");
    assert_eq!(
        rows.matches("left out: loss is -1, expected").count(),
        2,
        "{rows}"
    );
    let strict = ["analyze", "--no-quality-checks"];
    let ended = bench.run(&strict).expect(6);
    assert!(ended.err.contains("loss is -1"), "{}", ended.err);
}
