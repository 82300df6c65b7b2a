//! A small real sweep from manifest to predictions.

use std::{collections::BTreeSet, fs, path::Path, sync::LazyLock};

use serde_json::Value;

use crate::workbench::{Ended, Workbench};

/// 13 GPTs of 500 to 26 000 parameters, a fraction of a second each.
pub(crate) const SWEEP: &str = concat!(
    gpt!(),
    r#"
[sweep]
grid = [
    { budget = 3e8, sizes = [4, 8, 12, 16] },
    { budget = 1e9, sizes = [4, 8, 16, 24] },
    { budget = 3e9, sizes = [8, 12, 16, 24, 32] },
]
min_steps = 20

[train]
batch_tokens = 256
eval_tokens = 16384

[run]
jobs = 2
"#
);

/// The sweep, run once for all tests that only look at its results.
pub(crate) static DONE: LazyLock<(Workbench, Ended)> = LazyLock::new(|| {
    let bench = Workbench::new("done", SWEEP);
    let ended = bench.run(&["run"]).expect(0);
    (bench, ended)
});

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {}", ended.out))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn from_manifest_to_table() {
    let bench = Workbench::new("sweep", SWEEP);
    let ended = bench.run(&["run"]).expect(0);
    assert!(
        ended.out.contains("small: 13 trials, 13 completed in "),
        "{}",
        ended.out
    );
    assert!(ended.err.contains("[13/13] "), "{}", ended.err);

    let trials = bench.trials("small");
    assert_eq!(trials.len(), 13);
    for trial in trials.values() {
        let (measured, recipe) = (trial.measured(), &trial.spec.recipe);
        // 29 symbols: nobody knows less than a uniform guess, or all.
        assert!(
            (0.5..29_f64.ln() + 0.1).contains(&measured.loss),
            "{measured:?}"
        );
        assert_eq!(measured.d as u64, recipe.units);
        assert_eq!(measured.d as u64, 256 * measured.steps);
        // A whole number of steps comes near the budget, at 20 steps within 1/40.
        assert!(
            (measured.c / recipe.budget - 1.0).abs() < 0.026,
            "{measured:?}"
        );
        assert_eq!(measured.n as u64, trial.spec.run.declared_n);
    }
    files(&bench.output("small"));
    later_commands(&bench, &ended);
}

/// Trials see the batch and the rate that were planned for them.
#[test]
fn a_batch_that_grows_is_what_trials_are_trained_with() {
    let growing = SWEEP.replace(
        "batch_tokens = 256",
        "lr = 0.5\nbatch_tokens = { auto = 256, d = 3e4 }",
    );
    let bench = Workbench::new("batch", &growing);
    let plan = json(&bench.run(&["plan", "--format", "json"]).expect(0));
    bench.run(&["train"]).expect(0);
    let trials = bench.trials("small");
    let mut batches = BTreeSet::new();
    let budgets = plan["plan"]["budgets"].as_array().expect("a list");
    for planned in budgets
        .iter()
        .flat_map(|b| b["trials"].as_array().expect("a list"))
    {
        let trial = &trials[planned["id"].as_str().expect("an id")];
        let (measured, train) = (trial.measured(), &trial.spec.recipe.train);
        let batch = train.batch_examples * 32;
        assert_eq!(Some(batch), planned["units_per_step"].as_u64());
        assert_eq!(measured.d as u64, batch * measured.steps);
        assert_eq!(Some(measured.d), planned["d"].as_f64());
        let lr = 0.5 * (batch as f64 / 256.0).sqrt();
        assert!((measured.lr / lr - 1.0).abs() < 1e-3, "{measured:?}");
        batches.insert(batch);
    }
    assert!(batches.len() > 2, "{batches:?}");
}

/// What a run leaves in its folder.
fn files(output: &Path) {
    let runs = read(&output.join("runs.csv"));
    assert_eq!(runs.lines().count(), 14, "{runs}");
    assert_eq!(runs.matches(",completed,").count(), 13, "{runs}");
    let analysis: Value = serde_json::from_str(&read(&output.join("analysis.json"))).expect("JSON");
    assert!(analysis.is_object(), "{analysis}");
    let table = read(&output.join("table.md"));
    assert!(table.contains("| 3e9"), "{table}");
    let plots = output.join("plots");
    let mut pictures = 0;
    for entry in fs::read_dir(&plots).expect("plots") {
        let path = entry.expect("listed").path();
        if path.extension().is_some_and(|extension| extension == "svg") {
            pictures += 1;
            assert!(read(&path).contains("<svg"), "{}", path.display());
            let png = fs::read(path.with_extension("png")).expect("the same as PNG");
            assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n", "{}", path.display());
        }
    }
    assert!(pictures >= 2, "{pictures} pictures in {}", plots.display());
}

/// Commands on a sweep that is finished; none of them trains.
fn later_commands(bench: &Workbench, ended: &Ended) {
    let again = bench.run(&["run", "--format", "json"]).expect(0);
    let again = json(&again);
    assert_eq!(again["sweep"]["kept"], 13, "{again}");
    assert_eq!(again["sweep"]["completed"], 0, "{again}");
    assert!(again["analysis"].is_object(), "{again}");

    let table = bench.run(&["table"]).expect(0).out;
    assert!(ended.out.contains(table.trim()), "{table}\n{}", ended.out);
    assert_eq!(bench.run(&["table", "outputs/small"]).expect(0).out, table);

    let status = bench.run(&["status"]).expect(0).out;
    assert!(
        status.contains("13 completed, 0 diverged, 0 failed, 0 to be trained; 100 %"),
        "{status}"
    );
    let status = json(&bench.run(&["status", "--format", "json"]).expect(0));
    assert_eq!(status["completed"], 13);

    let predict = ["predict", "--budget", "1e10", "--format", "json"];
    let forecast = json(&bench.run(&predict).expect(0));
    assert_eq!(forecast["predictions"].as_array().map(Vec::len), Some(1));
    let from_runs = ["predict", "outputs/small/runs.csv", "--budget", "1e10"];
    bench.run(&from_runs).expect(0);

    let plan = json(&bench.run(&["plan", "--format", "json"]).expect(0));
    assert_eq!(plan["plan"]["budgets"].as_array().map(Vec::len), Some(3));
    assert_eq!(plan["estimate"]["trials"], 0, "{}", plan["estimate"]);
}
