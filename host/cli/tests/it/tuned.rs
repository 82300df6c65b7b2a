//! What becomes of learning rates once they are found, and of the trials that found them.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use crate::workbench::{Ended, Workbench};

/// Two points with three rates each, before the fake worker's sweep of 15 trials.
const TUNED: &str = "train.lr={ tune = [0.5, 1, 2], transfer = \"one_rate\", share = 1 }";

/// The same for a simulated sweep of four budgets, seven sizes each.
const SIMULATED: &str = r#"
name = "rates"

[trainer]
kind = "simulated"
noise = 0.0
lr = { best = 0.9, diverges = 1.5 }

[model]
sizes = { min = 10_000_000, max = 4_000_000_000, multiple_of = 10_000_000 }

[sweep]
budgets = [1e18, 4e18, 1.6e19, 6.4e19]

[train]
lr = { tune = [0.5, 1, 2], transfer = "one_rate" }

[analysis]
draws = 0
"#;

fn train(bench: &Workbench, more: &[&str]) -> Ended {
    let mut arguments = vec!["train", "--set", TUNED];
    arguments.extend(more);
    bench.run(&arguments)
}

fn read(bench: &Workbench, name: &str) -> Value {
    let text = fs::read(bench.path(name)).expect("read");
    serde_json::from_slice(&text).expect("JSON")
}

/// The rate of every trial of the sweep.
fn rate(bench: &Workbench) -> f64 {
    let plan = read(bench, "outputs/demo/plan.json");
    let rate = &plan["budgets"][0]["trials"][0]["lr"];
    rate.as_f64().expect("a number")
}

/// The fake sweep, trained at the rate that is best by `best`.
fn bench(best: f64) -> Workbench {
    let bench = Workbench::new();
    bench.rebuild(&format!("{{ \"best_rate\": {best} }}"));
    train(&bench, &[]).expect(0);
    assert_eq!(bench.trained().len(), 21);
    assert!((rate(&bench) / best - 1.0).abs() < 1e-3);
    bench
}

#[test]
fn results_that_don_t_stand_leave_no_rate_either() {
    let bench = bench(1.1);
    bench.rebuild("{ \"best_rate\": 0.9 }");
    let ended = train(&bench, &[]).expect(9);
    assert!(
        ended.err.contains("changed since 21 trials"),
        "{}",
        ended.err
    );
    let ended = train(&bench, &["--retrain"]).expect(0);
    assert!(
        ended.err.contains(
            "tuning.json.aside-1: its rates were tuned with a library that changed since"
        ),
        "{}",
        ended.err
    );
    assert!((rate(&bench) / 0.9 - 1.0).abs() < 1e-3);
    // What tuned is trained again; the sweep at the new rate is another.
    assert_eq!(bench.trained().len(), 42);
    train(&bench, &[]).expect(0);
    train(&bench, &["--retrain"]).expect(0);
    assert_eq!(bench.trained().len(), 42);
}

#[test]
fn accepted_results_keep_their_rate() {
    let bench = bench(1.1);
    bench.rebuild("{ \"best_rate\": 0.9 }");
    train(&bench, &["--accept-rebuilt"]).expect(0);
    assert!((rate(&bench) / 1.1 - 1.0).abs() < 1e-3);
    train(&bench, &[]).expect(0);
    assert_eq!(bench.trained().len(), 21);
}

#[test]
fn what_tuned_is_never_trained_again() {
    let bench = bench(1.1);
    let kept = read(&bench, "outputs/demo/tuning.json");
    // The first seed is another now.
    train(&bench, &["--set", "sweep.seeds=[1, 2]"]).expect(0);
    assert_eq!(bench.trained().len(), 51);
    let trials = kept["budgets"][0]["trials"].as_array().expect("a list");
    assert_eq!(trials.len(), 6);
    let id = trials[0]["id"].as_str().expect("an id");
    fs::remove_dir_all(bench.path("outputs/demo/trials").join(id)).expect("removed");
    let ended = train(&bench, &[]).expect(0);
    assert!(
        ended.out.contains("20 trials, 20 had results already"),
        "{}",
        ended.out
    );
    assert_eq!(bench.trained().len(), 51);
    assert_eq!(read(&bench, "outputs/demo/tuning.json"), kept);
    let status = bench.run(&["status"]).expect(0).out;
    assert!(status.contains(", 0 to be trained; 100 %"), "{status}");
}

#[test]
fn rates_that_are_none_are_set_aside_and_newer_ones_left_alone() {
    let bench = bench(1.1);
    let path = bench.path("outputs/demo/tuning.json");
    let text = fs::read_to_string(&path).expect("read");
    fs::write(&path, &text[..text.len() / 2]).expect("written");
    let ended = train(&bench, &[]).expect(0);
    assert!(
        ended
            .err
            .contains("warning: set aside as [dir]/outputs/demo/tuning.json.aside-1: "),
        "{}",
        ended.err
    );
    assert_eq!(fs::read_to_string(&path).expect("read"), text);

    // A rate that was tried and is another now would be another sweep.
    let kept = read(&bench, "outputs/demo/tuning.json");
    let tried = &kept["points"][0]["tried"][0]["lr"];
    let changed = text.replacen(&format!("\"lr\": {tried}"), "\"lr\": 0.6", 1);
    assert_ne!(changed, text);
    fs::write(&path, changed).expect("written");
    let ended = train(&bench, &[]).expect(0);
    for words in ["tuning.json.aside-2: ", "its checksum is another"] {
        assert!(ended.err.contains(words), "{}", ended.err);
    }
    assert_eq!(fs::read_to_string(&path).expect("read"), text);

    // Earlier builds wrote none.
    let mut older = kept;
    older.as_object_mut().expect("an object").remove("checksum");
    fs::write(&path, older.to_string()).expect("written");
    let ended = train(&bench, &[]).expect(0);
    assert!(!ended.err.contains("set aside"), "{}", ended.err);
    assert_eq!(read(&bench, "outputs/demo/tuning.json"), older);

    fs::write(&path, "{\"format\": 99}").expect("written");
    let ended = train(&bench, &[]).expect(1);
    assert!(ended.err.contains("upgrade flops-fit"), "{}", ended.err);
    let newer = fs::read_to_string(&path).expect("read");
    assert_eq!(newer, "{\"format\": 99}");
    assert_eq!(bench.trained().len(), 21);
}

/// Where the best rate is one of those tried, a trial of the sweep has tuned already.
#[test]
fn a_trial_that_tunes_and_is_swept_is_one() {
    let bench = Workbench::with(SIMULATED);
    let ended = bench.run(&["run"]).expect(0);
    // Of six that tune two diverge and two are the sweep's.
    assert!(
        ended.out.contains("32 trials, 30 completed, 2 diverged in"),
        "{}",
        ended.out
    );
    let folder = bench.path("outputs/rates-simulated");
    let plan = read(&bench, "outputs/rates-simulated/plan.json");
    assert_eq!(
        plan["tuning"]["shared"].as_array().expect("a list").len(),
        2
    );
    let rows = fs::read_to_string(folder.join("runs.csv")).expect("read");
    let mut reader = csv::Reader::from_reader(rows.as_bytes());
    let rows: Vec<String> = reader
        .records()
        .map(|row| row.expect("a row")[0].to_owned())
        .collect();
    let distinct: BTreeSet<&String> = rows.iter().collect();
    assert_eq!((rows.len(), distinct.len()), (32, 32));
    let analysis = read(&bench, "outputs/rates-simulated/analysis.json");
    assert_eq!(analysis["points"].as_array().expect("a list").len(), 28);
    let again = bench.run(&["train"]).expect(0).out;
    assert!(
        again.contains("32 trials, 32 had results already"),
        "{again}"
    );
}

/// A loss without an end is no result; it is not waited for in vain.
#[test]
fn a_result_that_is_none_leaves_the_rate_open_and_the_run_ends() {
    let endless = "trainer.lr={ best = 1, n = 1e-300, n_exponent = 3 }";
    let bench = Workbench::with(SIMULATED);
    let ended = bench.run(&["run", "--set", endless]).expect(5);
    assert!(
        ended.err.contains("warning: set aside as "),
        "{}",
        ended.err
    );
    assert!(
        ended.out.contains(
            "the sweep was not trained: its learning rate is decided by all trials that tune it"
        ),
        "{}",
        ended.out
    );
}

#[test]
fn an_open_rate_leaves_an_adaptive_sweep_open_too() {
    let bench = Workbench::with(SIMULATED);
    let adaptive = ["--set", "sweep.grid=adaptive"];
    let text = bench.run(&["plan", adaptive[0], adaptive[1]]).expect(0).out;
    assert!(
        text.starts_with("rates (simulated): 4 budgets, about ")
            && text.contains("once their learning rate is known"),
        "{text}"
    );
    let fixed = ["--set", "train.lr=1"];
    bench
        .run(&["train", adaptive[0], adaptive[1], fixed[0], fixed[1]])
        .expect(0);
    // What that has decided is not what leads to this plan.
    bench.run(&["plan"]).expect(0);
    let status = bench.run(&["status", "--format", "json"]).expect(0).out;
    let status: Value = serde_json::from_str(&status).expect("JSON");
    assert!(status.get("decisions").is_none(), "{status}");
}

#[test]
fn an_open_rate_is_no_reason_to_leave_the_sweep_out_of_the_estimate() {
    let bench = Workbench::with(SIMULATED);
    let planned = bench.run(&["plan", "--format", "json"]).expect(0).out;
    let planned: Value = serde_json::from_str(&planned).expect("JSON");
    assert_eq!(planned["estimate"]["trials"], 6 + 28);
    let upcoming = planned["plan"]["upcoming"]["flops"]
        .as_f64()
        .expect("FLOPs");
    let tuning = planned["plan"]["flops"].as_f64().expect("FLOPs");
    let all = planned["estimate"]["flops"].as_f64().expect("FLOPs");
    assert!((all / (upcoming + tuning) - 1.0).abs() < 1e-12);
}
