//! Flags of the fit, and the keys that they stand for.

use serde_json::Value;

use super::published::{bench, documented, json, number};
use crate::workbench::Workbench;

#[test]
fn flags_change_the_bootstrap_and_the_method() {
    let bench = bench();
    let width = |analysis: &Value| {
        let [low, high] = [0, 1].map(|side| number(&analysis["predictions"][0]["ci95"]["n"][side]));
        (high / low).ln()
    };
    let target = ["--target", "1e21"];
    let with = |more: &[&str]| {
        let more: Vec<&str> = target.iter().chain(more).copied().collect();
        documented(&bench, &more)
    };
    let plain = with(&["--draws", "300"]);
    assert_eq!(plain["bootstrap"]["draws"], 300);
    assert_eq!(plain["predictions"].as_array().map(Vec::len), Some(1));
    assert_eq!(plain["predictions"][0]["c"], 1e21);
    let reseeded = with(&["--draws", "300", "--seed", "5"]);
    let own = |analysis: &Value| analysis["methods"]["parametric_huber"]["predictions"][0].clone();
    assert_eq!(own(&plain)["n"], own(&reseeded)["n"]);
    assert_ne!(own(&plain)["ci95"], own(&reseeded)["ci95"]);
    assert_ne!(width(&plain).to_bits(), width(&reseeded).to_bits());
    assert!((width(&plain) / width(&reseeded)).ln().abs() < 0.4);
    let pair = with(&["--draws", "300", "--scheme", "pair"]);
    assert_eq!(pair["bootstrap"]["scheme"], "pair");
    assert_ne!(width(&plain).to_bits(), width(&pair).to_bits());
    let none = with(&["--draws", "0"]);
    assert!(
        none["predictions"][0]["ci95"].is_null(),
        "{}",
        none["predictions"]
    );

    for few in ["1", "19", "1000001", "-1", "many"] {
        let ended = bench.run(&["analyze", "runs.csv", &format!("--draws={few}")]);
        let ended = ended.expect(2);
        let words = "expected 0 for no intervals, or a whole number from 20, the fewest that give any, to 1000000";
        assert!(ended.err.contains(words), "{}", ended.err);
    }
    let fewest = with(&["--draws", "20"]);
    assert!(
        fewest["predictions"][0]["ci95"].is_object(),
        "{}",
        fewest["predictions"]
    );

    let asked = with(&["--draws", "300", "--method", "parametric_lad"]);
    assert_eq!(asked["recommended"]["method"], "parametric_lad");
    assert_eq!(asked["recommended"]["choice"], "asked");
    let own = &asked["methods"]["parametric_lad"]["predictions"][0];
    for key in ["n", "d", "loss"] {
        let (one, other) = (number(&own[key]), number(&asked["predictions"][0][key]));
        assert!((one / other - 1.0).abs() < 1e-12, "{key}: {one} {other}");
    }
    let unknown = bench.run(&["analyze", "runs.csv", "--method", "parametric_hubber"]);
    let unknown = unknown.expect(2);
    assert!(
        unknown.err.contains("did you mean `parametric_huber`?"),
        "{}",
        unknown.err
    );
}

#[test]
fn keys_of_the_manifest_do_what_the_flags_do() {
    let bench = Workbench::new();
    bench.run(&["run"]).expect(0);
    let by_key = bench.run(&[
        "analyze",
        "--format",
        "json",
        "--set",
        "analysis.draws=50",
        "--set",
        "analysis.scheme=pair",
        "--set",
        "analysis.seed=9",
        "--set",
        "analysis.drop_worst=1",
        "--set",
        "analysis.method=isoflop_parabola",
        "--set",
        "analysis.quality_checks=false",
    ]);
    let by_flag = bench.run(&[
        "analyze",
        "--format",
        "json",
        "--draws",
        "50",
        "--scheme",
        "pair",
        "--seed",
        "9",
        "--drop-worst",
        "1",
        "--method",
        "isoflop_parabola",
        "--no-quality-checks",
    ]);
    let (by_key, by_flag) = (by_key.expect(0), by_flag.expect(0));
    assert_eq!(json(&by_key), json(&by_flag));
    assert_eq!(json(&by_key)["options"]["bootstrap"]["seed"], 9);
    let wrong = bench
        .run(&["analyze", "--set", "analysis.scheme=wilde"])
        .expect(3);
    assert!(wrong.err.contains("did you mean `wild`?"), "{}", wrong.err);
}
