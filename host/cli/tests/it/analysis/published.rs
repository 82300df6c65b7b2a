//! Runs as somebody else publishes them, and the command that reads them.

use std::fmt::Write;
use std::fs;

use serde_json::Value;

use crate::workbench::{Ended, Workbench};

/// E, A, B, α, β of the generated runs.
pub(super) const TRUTH: [f64; 5] = [1.7, 400.0, 1200.0, 0.34, 0.30];

/// Five budgets of seven sizes in somebody else's words, with a ripple for noise
/// and five losses that went wrong.
pub(super) fn published() -> String {
    let mut text = "Model Size,\"Training FLOP\",loss,hex\n".to_owned();
    let [e, a, b, alpha, beta] = TRUTH;
    for (index, c) in [1e18_f64, 4e18, 1.6e19, 6.4e19, 2.56e20]
        .into_iter()
        .enumerate()
    {
        let center = 0.04 * c.sqrt();
        for step in -3..=3 {
            let n = center * 1.6_f64.powi(step);
            let d = c / (6.0 * n);
            let ripple = 1.0 + 0.001 * (f64::from(step * 5) + 2.0 * index as f64).sin();
            let loss = (e + a / n.powf(alpha) + b / d.powf(beta)) * ripple;
            let _ = writeln!(text, "{n},{c},{loss},#fff");
        }
        let _ = writeln!(text, "{},{c},{},#000", center * 1.1, 9.0 + index as f64);
    }
    text
}

pub(super) const DOCUMENTED: [&str; 14] = [
    "analyze",
    "runs.csv",
    "--column",
    "n=Model Size",
    "--column",
    "c=Training FLOP",
    "--column",
    "loss=loss",
    "--derive",
    "d = c / (6 * n)",
    "--drop-worst",
    "5",
    "--no-quality-checks",
    "--format=json",
];

pub(super) fn bench() -> Workbench {
    let bench = Workbench::new();
    fs::write(bench.path("runs.csv"), published()).expect("written");
    bench
}

pub(super) fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {}", ended.out))
}

pub(super) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value}"))
}

/// The documented command with more.
pub(super) fn documented(bench: &Workbench, more: &[&str]) -> Value {
    let arguments: Vec<&str> = DOCUMENTED.iter().chain(more).copied().collect();
    json(&bench.run(&arguments).expect(0))
}
