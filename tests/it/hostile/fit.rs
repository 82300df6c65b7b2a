//! What diverged is reported, and nothing is fitted to it.

use std::fs;

use serde_json::Value;

use crate::workbench::Workbench;

/// Fifteen trials of six steps or more, of which the three of rank 16 diverge, and
/// diverge again.
const SWEEP: &str = concat!(
    hostile!(),
    r#"
[model.config]
faults = { 16 = "nan-output" }
"#,
    on_stories!(),
    r#"
[sweep]
grid = [
    { budget = 1e7, sizes = [2, 4, 8, 12, 16] },
    { budget = 3e7, sizes = [4, 8, 12, 16, 24] },
    { budget = 1e8, sizes = [8, 12, 16, 24, 48] },
]
min_steps = 5

[train]
lr = 0.01
batch_tokens = 256
eval_tokens = 4096
warmup = { steps = 2 }

[analysis]
draws = 20
"#
);

#[test]
fn a_run_that_diverged_is_kept_out_of_the_fit() {
    let bench = Workbench::new("hostile-fit", SWEEP);
    let ended = bench.run(&["run"]).expect(0);
    assert!(
        ended.out.contains("12 completed, 6 diverged"),
        "{}",
        ended.out
    );
    let runs = bench.output("hostile").join("runs.csv");
    let all = fs::read_to_string(runs).expect("read");
    let is_diverged = |line: &&str| line.split(',').nth(1) == Some("diverged");
    assert_eq!(all.lines().filter(is_diverged).count(), 6, "{all}");

    let without: Vec<&str> = all.lines().filter(|line| !is_diverged(line)).collect();
    fs::write(bench.path("without.csv"), without.join("\n")).expect("written");
    let fits = |path: &str| -> Value {
        let ended = bench.run(&["table", path, "--draws", "20", "--format", "json"]);
        let mut analysis: Value = serde_json::from_str(&ended.expect(0).out).expect("JSON");
        ["recommended", "predictions"]
            .into_iter()
            .map(|part| analysis[part].take())
            .inspect(|part| assert!(part.is_array() || part.is_object(), "{part}"))
            .collect()
    };
    assert_eq!(fits("outputs/hostile/runs.csv"), fits("without.csv"));
}
