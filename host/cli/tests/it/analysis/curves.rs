//! Training curves from elsewhere, and the envelope over them.

use std::fmt::Write;
use std::fs;

use serde_json::json;

use super::published::{json, number};
use crate::workbench::Workbench;

/// Six sizes on as much data each, at a constant rate: no budgets, no surface, but
/// losses on the way that runs stopped there would have had.
fn runs() -> String {
    let mut text = String::new();
    for step in 0..6 {
        let n = 1e7 * 2_f64.powi(step);
        let at = |share: f64| {
            let d = 2e10 * share;
            let loss = 1.7 + 400.0 / n.powf(0.34) + 1200.0 / d.powf(0.3);
            json!({ "d": d, "c": 6.0 * n * d, "loss": loss })
        };
        let mut run = at(1.0);
        let curve = (1..=12).map(|half| at(0.5_f64.powf(0.5 * f64::from(half))));
        run["n"] = n.into();
        run["curve"] = curve.collect();
        let _ = writeln!(text, "{run}");
    }
    text
}

#[test]
fn honest_curves_have_an_envelope_that_runs_csv_keeps() {
    let bench = Workbench::new();
    fs::write(bench.path("curves.jsonl"), runs()).expect("written");
    let analyze = |table: &str| {
        let command = ["analyze", table, "--format", "json", "--draws", "50"];
        let command: Vec<&str> = command.into_iter().chain(["--out", "fitted"]).collect();
        json(&bench.run(&command).expect(0))
    };
    let first = analyze("curves.jsonl");
    let envelope = &first["methods"]["envelope"];
    assert_eq!(envelope["curves"], 6, "{envelope}");
    // β / (α + β) of the law that the losses follow.
    let a = number(&envelope["a"]);
    assert!((a - 0.3 / 0.64).abs() < 0.05, "{a}");
    assert_eq!(first["recommended"]["method"], "envelope");

    let again = analyze("fitted/runs.csv");
    assert_eq!(again["methods"], first["methods"]);
}
