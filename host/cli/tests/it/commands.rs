//! What the commands print when all goes well.

use crate::workbench::{MANIFEST, Workbench};

#[test]
fn plan_shows_the_grid_and_trains_nothing() {
    let bench = Workbench::with(&MANIFEST.replace(
        "kind = \"stories\"",
        "kind = \"stories\"\nconfig = { unique = 400000 }",
    ));
    let ended = bench
        .run(&["plan", "--set", "sweep.seeds=[0, 1]"])
        .expect(0);
    insta::assert_snapshot!(ended.out, @"");
    assert!(bench.trained().is_empty());
    assert_eq!(ended.err, "");
}

#[test]
fn plan_in_json_is_one_document() {
    let bench = Workbench::new();
    let ended = bench.run(&["plan", "--format", "json"]).expect(0);
    let plan: serde_json::Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(plan["plan"]["budgets"].as_array().map(Vec::len), Some(3));
    assert_eq!(plan["estimate"]["trials"], 15);
    assert_eq!(plan["estimate"]["basis"]["kind"], "guessed");
}

#[test]
fn a_range_of_sizes_goes_round_what_the_model_refuses() {
    let manifest = MANIFEST
        .replace(
            "size_param = \"d_model\"",
            "size_param = \"d_model\"\nsizes = { min = 4, max = 64, multiple_of = 4 }",
        )
        .replace("n_layer = 2", "n_layer = 2\nrefuses = [12, 20]");
    let bench = Workbench::with(&manifest);
    let ended = bench
        .run(&["plan", "manifest.toml", "--set", "sweep.budgets=[1e9]"])
        .expect(0);
    assert!(
        ended.out.contains(
            "skipped sizes:\n  12: refused by the model: d_head: 8 does not divide 12\n  20: "
        ),
        "{}",
        ended.out
    );
}

#[test]
fn a_run_ends_with_the_table_and_leaves_its_files() {
    let bench = Workbench::new();
    let ended = bench.run(&["run"]).expect(0);
    assert!(
        ended.out.contains("demo: 15 trials, 15 completed in "),
        "{}",
        ended.out
    );
    assert!(ended.err.contains("to train: 15 trials"), "{}", ended.err);
    assert!(ended.err.contains("[15/15] "), "{}", ended.err);
    for file in [
        "manifest.toml",
        "plan.json",
        "runs.csv",
        "analysis.json",
        "table.md",
    ] {
        assert!(bench.path("outputs/demo").join(file).is_file(), "{file}");
    }

    // The later commands take the manifest, the folder or the table alike.
    let by_manifest = bench.run(&["table"]).expect(0).out;
    assert_eq!(
        bench.run(&["table", "outputs/demo"]).expect(0).out,
        by_manifest
    );
    let predict = ["predict", "--budget", "1e11", "--out", "forecast.json"];
    let predicted = bench.run(&predict).expect(0).out;
    assert!(predicted.contains("1e11"), "{predicted}");
    assert!(bench.path("forecast.json").is_file());
    let from_table = bench
        .run(&[
            "predict",
            "outputs/demo/runs.csv",
            "--budget",
            "1e11",
            "--format",
            "json",
        ])
        .expect(0);
    let forecast: serde_json::Value = serde_json::from_str(&from_table.out).expect("JSON");
    assert_eq!(forecast["predictions"].as_array().map(Vec::len), Some(1));

    let status = bench.run(&["status"]).expect(0).out;
    assert!(
        status.contains("15 completed, 0 diverged, 0 failed, 0 to be trained; 100 %"),
        "{status}"
    );
}

#[test]
fn the_resolved_manifest_runs_the_same_trials() {
    let bench = Workbench::new();
    bench.run(&["run", "--set", "train.lr=0.5"]).expect(0);
    let copy = bench.path("outputs/demo/manifest.toml");
    std::fs::rename(bench.path("manifest.toml"), bench.path("gone.toml")).expect("renamed");
    let again = bench.run(&["train", &copy.display().to_string()]).expect(0);
    assert!(again.out.contains("15 had results already"), "{again:?}");
    let again = bench.run(&["train", "outputs/demo"]).expect(0);
    assert!(again.out.contains("15 had results already"), "{again:?}");
}
