//! What becomes of the files of a report: they follow from the trials, and no command but
//! those that write them goes by them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::workbench::{Workbench, wait_until};

/// Fifteen trials that take no time; their results are the same to the last byte.
const SWEEP: &str = r#"
name = "reports"
trainer = { kind = "simulated", law = "chinchilla", noise = 0.001, seed = 3 }

[model]
size_param = "n"

[sweep]
grid = [
    { budget = 1e18, sizes = [20_000_000, 40_000_000, 80_000_000, 160_000_000, 320_000_000] },
    { budget = 1e19, sizes = [60_000_000, 120_000_000, 240_000_000, 480_000_000, 960_000_000] },
    { budget = 1e20, sizes = [150_000_000, 300_000_000, 600_000_000, 1_200_000_000, 2_400_000_000] },
]

[analysis]
draws = 40
"#;

/// Every file below `folder`: its place there, and what it holds.
fn below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("listed") {
            let path = entry.expect("listed").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let place = path.strip_prefix(folder).expect("below it").to_owned();
                files.insert(place, fs::read(&path).expect("read"));
            }
        }
    }
    files
}

#[test]
fn torn_reports_are_read_by_nobody_and_made_again() {
    let bench = Workbench::with(SWEEP);
    let output = bench.path("outputs/reports-simulated");
    bench.run(&["run"]).expect(0);
    let whole = below(&output);
    let report: Vec<&PathBuf> = whole
        .keys()
        .filter(|place| {
            let name = place.to_string_lossy();
            let parts = [
                "analysis.json",
                "runs.csv",
                "table.",
                "report.html",
                "plots/",
            ];
            parts.iter().any(|part| name.starts_with(part))
        })
        .collect();
    assert!(report.len() > 6 + 2 * 6, "{report:?}");

    let readers = || {
        [
            &["table"][..],
            &["predict", "--budget", "1e22"],
            &["status"],
        ]
        .map(|arguments| bench.run(arguments).expect(0))
        .map(|ended| (ended.out, ended.err))
    };
    let before = readers();
    let cuts: [fn(usize) -> usize; 3] = [|_| 0, |length| length / 2, |length| length - 1];
    for cut in cuts {
        for place in &report {
            let bytes = &whole[*place];
            fs::write(output.join(place), &bytes[..cut(bytes.len())]).expect("written");
        }
        assert_eq!(readers(), before);
        let ended = bench.run(&["run"]).expect(0);
        let words = "15 trials, 15 had results already";
        assert!(ended.out.contains(words), "{}", ended.out);
        assert!(!ended.err.contains("set aside"), "{}", ended.err);
        let again = below(&output);
        assert!(again.keys().eq(whole.keys()), "{:?}", again.keys());
        let changed = whole
            .iter()
            .filter(|(place, bytes)| again[*place] != **bytes);
        let changed: Vec<&PathBuf> = changed.map(|(place, _)| place).collect();
        assert!(changed.is_empty(), "{changed:?}");
    }
}

#[test]
fn a_folder_that_vanishes_while_its_runs_are_analysed() {
    let bench = Workbench::with(SWEEP);
    let (here, away) = (bench.path("outputs/reports-simulated"), bench.path("away"));
    // Far more draws than are made until the folder is gone.
    let child = bench.spawn(&["run", "--set", "analysis.draws=20000"]);
    wait_until("no rows", || here.join("runs.csv").exists());
    fs::rename(&here, &away).expect("moved");
    let ended = bench.ended(&child.output()).expect(1);
    let words = "writing [dir]/outputs/reports-simulated/runs.csv: No such file or directory (os error 2); the folder was moved or removed meanwhile: bring it back and run again";
    assert!(ended.err.contains(words), "{}", ended.err);
    assert!(!here.exists(), "no other folder was begun in its place");

    fs::rename(&away, &here).expect("moved");
    let ended = bench.run(&["run"]).expect(0);
    let words = "15 trials, 15 had results already";
    assert!(ended.out.contains(words), "{}", ended.out);
    assert!(here.join("plots").is_dir());
}

#[test]
fn a_folder_that_is_asked_for_is_made() {
    let bench = Workbench::with(SWEEP);
    bench.run(&["train"]).expect(0);
    let runs = "outputs/reports-simulated/runs.csv";
    bench.run(&["analyze"]).expect(0);
    bench.run(&["analyze", runs, "--out", "a/b"]).expect(0);
    bench.run(&["visualize", "--out", "c/d"]).expect(0);
    for folder in ["a/b", "c/d"] {
        let made = bench.path(folder);
        assert!(made.join("analysis.json").is_file(), "{folder}");
        assert!(made.join("plots/isoflop.svg").is_file(), "{folder}");
    }
    let forecast = ["predict", "--budget", "1e22", "--out", "e/f/forecast.json"];
    bench.run(&forecast).expect(0);
    assert!(bench.path("e/f/forecast.json").is_file());
}

/// Progress and logs are telemetry: what is left of them is shown.
#[test]
fn torn_progress_and_logs_change_no_result() {
    let bench = Workbench::new();
    bench.run(&["run"]).expect(0);
    let curves = bench.path("outputs/demo/plots/loss_curves.svg");
    fs::remove_file(&curves).expect("drawn");
    for (number, (trial, _)) in bench.results().iter().enumerate() {
        for name in ["progress.jsonl", "worker.log"] {
            let path = trial.join(name);
            let bytes = fs::read(&path).expect(name);
            let left = [0, bytes.len() / 2, bytes.len()][number % 3];
            fs::write(&path, &bytes[..left]).expect("written");
        }
    }
    let status = bench.run(&["status"]).expect(0).out;
    assert!(status.contains("15 completed"), "{status}");
    let ended = bench.run(&["run"]).expect(0);
    let words = "15 trials, 15 had results already";
    assert!(ended.out.contains(words), "{}", ended.out);
    assert!(curves.is_file());
}

/// A sum of nothing is 0, not -0.
#[test]
fn nothing_to_train_costs_nothing() {
    let bench = Workbench::with(SWEEP);
    bench.run(&["train"]).expect(0);
    let planned = bench.run(&["plan", "--format", "json"]).expect(0).out;
    let planned: Value = serde_json::from_str(&planned).expect("JSON");
    assert_eq!(planned["estimate"]["trials"], 0);
    assert_eq!(planned["estimate"]["flops"].to_string(), "0.0");
}
