//! `analyze` and what comes out of it: analysis.json, tables, figures, messages.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use serde_json::Value;

use crate::tables::shared;
use crate::workbench::{Ended, MANIFEST, Workbench};

/// E, A, B, α, β of the generated runs.
const TRUTH: [f64; 5] = [1.7, 400.0, 1200.0, 0.34, 0.30];

/// Five budgets of seven sizes in somebody else's words, with a ripple for noise
/// and five losses that went wrong.
fn published() -> String {
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

const DOCUMENTED: [&str; 14] = [
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

fn bench() -> Workbench {
    let bench = Workbench::new();
    fs::write(bench.path("runs.csv"), published()).expect("written");
    bench
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {}", ended.out))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value}"))
}

/// The documented command with more.
fn documented(bench: &Workbench, more: &[&str]) -> Value {
    let arguments: Vec<&str> = DOCUMENTED.iter().chain(more).copied().collect();
    json(&bench.run(&arguments).expect(0))
}

#[test]
fn the_documented_command_prints_the_documented_keys() {
    let bench = bench();
    let analysis = documented(&bench, &[]);
    assert_eq!(analysis["schema"], 2);
    assert_eq!(analysis["runs"], 40);
    let left_out = analysis["left_out"].as_array().expect("a list");
    assert_eq!(left_out.len(), 5);
    for (one, run) in left_out.iter().zip([7, 15, 23, 31, 39]) {
        assert_eq!(one["run"], run);
        assert_eq!(one["reason"]["kind"], "worst");
    }

    let page = include_str!("../../../../docs/analysis.md");
    let methods = analysis["methods"].as_object().expect("an object");
    for (name, fitted) in methods {
        assert!(page.contains(&format!("`{name}`")), "{name}");
        for key in fitted.as_object().expect("an object").keys() {
            assert!(page.contains(&format!("`{key}`")), "methods.{name}.{key}");
        }
    }
    for key in analysis.as_object().expect("an object").keys() {
        assert!(page.contains(&format!("`{key}`")), "{key}");
    }

    for name in ["parametric_huber", "parametric_lad", "parametric_mse"] {
        let keys = ["E", "A", "B", "alpha", "beta", "objective"];
        let found = keys.map(|key| number(&methods[name][key]));
        for (found, (expected, within)) in found
            .iter()
            .zip(TRUTH.into_iter().zip([0.05, 0.3, 0.3, 0.05, 0.05]))
        {
            assert!(
                (found / expected).ln().abs() < within,
                "{name}: {found} {expected}"
            );
        }
    }
    let true_a = TRUTH[4] / (TRUTH[3] + TRUTH[4]);
    for name in ["isoflop_cubic", "isoflop_parabola"] {
        let a = number(&methods[name]["a"]);
        assert!((a - true_a).abs() < 0.02, "{name}: {a}");
    }
    assert!(methods["envelope"]["unfit"]["kind"].is_string());

    assert!(number(&analysis["holdout"]["scores"]["parametric_huber"]["regret"]) >= 0.0);
    assert!(analysis["recommended"]["reason"].is_string());
    let predictions = analysis["predictions"].as_array().expect("a list");
    assert!(predictions.len() > 6);
    for prediction in predictions {
        for key in ["n", "d", "loss", "units_per_parameter"] {
            let value = number(&prediction[key]);
            let [low, high] = [0, 1].map(|side| number(&prediction["ci95"][key][side]));
            assert!(low <= value && value <= high, "{key}: {prediction}");
        }
        assert!(number(&prediction["c"]) > 0.0);
    }
}

#[test]
fn the_same_command_gives_the_same_bytes_and_its_files_hold_them() {
    let bench = bench();
    let out = ["--out", "fitted"];
    let arguments: Vec<&str> = DOCUMENTED.iter().chain(&out).copied().collect();
    let first = bench.run(&arguments).expect(0).out;
    assert_eq!(bench.run(&DOCUMENTED).expect(0).out, first);
    let file = fs::read_to_string(bench.path("fitted/analysis.json")).expect("read");
    let [file, first] = [file, first].map(|text| serde_json::from_str::<Value>(&text));
    assert_eq!(file.expect("JSON"), first.expect("JSON"));
}

#[test]
fn a_person_sees_the_table_the_choice_and_the_warnings() {
    let bench = bench();
    let arguments = &DOCUMENTED[..DOCUMENTED.len() - 1];
    let text = bench.run(arguments).expect(0).out;
    let sentences = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "runs: 40 runs, 5 of 5 budgets with a minimum",
        "Compute-optimal training",
        "↑ outside the budgets that were trained",
        "the 5 highest losses, which were to be dropped: line 9, line 17, line 25, line 33, line 41",
    ] {
        assert!(sentences.contains(part), "{part}\n{text}");
    }
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(110), "{widest:?}\n{text}");
    let far: Vec<&str> = arguments
        .iter()
        .copied()
        .chain(["--target", "1e25"])
        .collect();
    let text = bench.run(&far).expect(0).out;
    assert!(text.contains("1e25 ‼"), "{text}");
    assert!(
        text.contains("‼ more than two decades outside them"),
        "{text}"
    );
}

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
fn an_analysis_is_read_again_unless_it_is_an_old_one() {
    let bench = bench();
    let analyzed = documented(&bench, &["--out", "fitted"]);
    let file = "fitted/analysis.json";
    assert_eq!(
        json(&bench.run(&["table", file, "--format", "json"]).expect(0)),
        analyzed
    );
    let tables = bench.run(&["table", file]).expect(0).out;
    assert!(tables.contains("Compute-optimal training"), "{tables}");
    let predicted = bench
        .run(&["predict", file, "--budget", "1e22", "--format", "json"])
        .expect(0);
    assert_eq!(json(&predicted)["predictions"][0]["c"], 1e22);
    let again = bench.run(&["analyze", file, "--seed", "3", "--format", "json"]);
    assert_eq!(json(&again.expect(0))["bootstrap"]["seed"], 3);
    let drawn = bench.run(&["visualize", file]).expect(0);
    assert!(
        drawn.out.starts_with("fitted/report.html\n"),
        "{}",
        drawn.out
    );

    let path = bench.path(file);
    let text = fs::read_to_string(&path).expect("read");
    let refused = |text: &str, found: &str| {
        fs::write(&path, text).expect("written");
        let ended = bench.run(&["table", file]).expect(6);
        let expected = format!(
            "fitted/analysis.json: its schema is {found}, this flops-fit reads 2; run `flops-fit analyze` on the runs again"
        );
        assert!(ended.err.contains(&expected), "{}", ended.err);
    };
    let newer = text.replacen("\"schema\": 2", "\"schema\": 3", 1);
    assert_ne!(newer, text);
    refused(&newer, "3");
    refused("{\"format\": 1, \"estimates\": []}", "1");
}

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

#[test]
fn every_figure_is_on_the_page_with_a_sentence() {
    let bench = bench();
    documented(&bench, &["--out", "fitted"]);
    let plots: BTreeSet<String> = fs::read_dir(bench.path("fitted/plots"))
        .expect("listed")
        .map(|entry| {
            entry
                .expect("read")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let names = [
        "bootstrap",
        "holdout",
        "isoflop",
        "isoflop_fits",
        "laws",
        "residuals",
        "surface",
        "tokens_per_parameter",
    ];
    let expected = names
        .iter()
        .flat_map(|name| ["png", "svg"].map(|e| format!("{name}.{e}")));
    assert_eq!(plots, expected.collect());
    let page = fs::read_to_string(bench.path("fitted/report.html")).expect("read");
    assert_eq!(page.matches("<figure>").count(), names.len());
    assert_eq!(page.matches("<figcaption>").count(), names.len());
    let docs = include_str!("../../../../docs/analysis.md");
    for name in names {
        assert!(docs.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[test]
fn the_published_runs_give_the_published_numbers() {
    let Some(path) = shared("epoch_chinchilla.csv") else {
        return;
    };
    let bench = Workbench::new();
    fs::copy(path, bench.path("runs.csv")).expect("copied");
    let analysis = documented(&bench, &[]);
    assert_eq!(analysis["runs"], 245);
    let check = |method: &str, expected: [f64; 5]| {
        let keys = ["A", "B", "E", "alpha", "beta"];
        for (key, expected) in keys.into_iter().zip(expected) {
            let found = number(&analysis["methods"][method][key]);
            assert!(
                (found / expected - 1.0).abs() < 1e-4,
                "{method}.{key}: {found} {expected}"
            );
        }
    };
    // Besiroglu et al. 2024, arXiv 2404.10102, to more digits; see docs/statistics.md.
    check(
        "parametric_huber",
        [477.826, 2143.417, 1.817_218, 0.347_310, 0.367_172],
    );
    check(
        "parametric_lad",
        [482.006, 2085.436, 1.816_864, 0.347_813, 0.365_854],
    );
    check(
        "parametric_mse",
        [567.805, 7581.85, 1.882_814, 0.357_615, 0.427_621],
    );
    let objective = number(&analysis["methods"]["parametric_huber"]["objective"]);
    assert!(objective <= 1.018_275e-3, "{objective}");
    assert_eq!(analysis["left_out"].as_array().map(Vec::len), Some(5));
}
