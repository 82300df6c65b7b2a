//! `analyze` and what comes out of it: analysis.json, tables, figures, messages.

mod curves;
mod impossible;
mod options;
mod page;
mod published;

use std::fs;

use serde_json::Value;

use crate::tables::shared;
use crate::workbench::Workbench;
use published::{DOCUMENTED, TRUTH, bench, documented, json, number};

#[test]
fn the_documented_command_prints_the_documented_keys() {
    let bench = bench();
    let analysis = documented(&bench, &[]);
    assert_eq!(analysis["schema"], 4);
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
    assert_eq!(file, first);
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
            "fitted/analysis.json: its schema is {found}, this flops-fit reads 4; run `flops-fit analyze` on the runs again"
        );
        assert!(ended.err.contains(&expected), "{}", ended.err);
    };
    for other in ["3", "5"] {
        let schema = format!("\"schema\": {other}");
        let changed = text.replacen("\"schema\": 4", &schema, 1);
        assert_ne!(changed, text);
        refused(&changed, other);
    }
    refused("{\"format\": 1, \"estimates\": []}", "1");
}

/// A position that is that of no run, a list that is too short, a number beyond what can
/// be drawn: none of it is shown, or drawn for ever.
#[test]
fn an_analysis_that_was_changed_is_refused() {
    let bench = bench();
    documented(&bench, &["--out", "fitted"]);
    let [file, page] = ["analysis.json", "report.html"].map(|name| format!("fitted/{name}"));
    let text = fs::read_to_string(bench.path(&file)).expect("read");
    let drawn = fs::read(bench.path(&page)).expect("read");
    let refused = |text: &str, why: &str| {
        fs::write(bench.path(&file), text).expect("written");
        for command in ["table", "visualize", "predict"] {
            let mut arguments = vec![command, file.as_str()];
            arguments.extend(["--budget", "1e22"].iter().filter(|_| command == "predict"));
            let ended = bench.run(&arguments).expect(1);
            let fix = "; run `flops-fit analyze` on the runs again";
            for words in ["fitted/analysis.json is not ", why, fix] {
                assert!(ended.err.contains(words), "{words}: {}", ended.err);
            }
        }
        let now = fs::read_to_string(bench.path(&file)).expect("read");
        assert_eq!(now, text, "{why}");
        assert_eq!(fs::read(bench.path(&page)).expect("read"), drawn, "{why}");
    };
    for torn in ["", &text[..text.len() / 2]] {
        refused(torn, "is not a file that flops-fit wrote: ");
    }
    let whole: Value = serde_json::from_str(&text).expect("JSON");
    let changes: [(&str, Value); 5] = [
        ("/budgets/0/runs/0", 999.into()),
        ("/budgets/0/c", 1e300.into()),
        ("/points/3/n", 1e300.into()),
        (
            "/methods/parametric_huber/predictions",
            Value::Array(Vec::new()),
        ),
        ("/points", Value::Array(Vec::new())),
    ];
    for (place, value) in changes {
        let mut changed = whole.clone();
        *changed.pointer_mut(place).expect(place) = value;
        let why = "is not as flops-fit wrote it: its checksum is another";
        refused(&changed.to_string(), why);
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
