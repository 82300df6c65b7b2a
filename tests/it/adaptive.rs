//! A sweep that decides by its own results: its learning rate by trials that tune, its
//! sizes round by round.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use flops_fit_trial::Outcome;
use serde_json::Value;

use crate::workbench::{Ended, Workbench};

/// GPTs of 500 to 100 000 parameters around the optimum of such stories.
const SWEEP: &str = concat!(
    gpt!(),
    r#"
[sweep]
grid = "adaptive"
budgets = [3e8, 1e9, 3e9]
sizes_per_budget = 4
center = { k = 0.1, exponent = 0.5 }
min_steps = 20

[train]
lr = { tune = [0.5, 1, 2], transfer = "one_rate", share = 1 }
batch_tokens = 256
eval_tokens = 8192

[analysis]
draws = 20
"#
);

fn run(bench: &Workbench, jobs: u32) -> Ended {
    let jobs = format!("run.jobs={jobs}");
    let sizes = "model.sizes={ min = 4, max = 64, multiple_of = 4 }";
    bench.run(&["run", "--set", sizes, "--set", &jobs])
}

fn read(bench: &Workbench, name: &str) -> String {
    let path = bench.output("small").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What became of each trial, to the last bit.
fn outcomes(bench: &Workbench) -> BTreeMap<String, Value> {
    let value = |outcome: &Outcome| serde_json::to_value(outcome).expect("plain data");
    let trials = bench.trials("small").into_iter();
    trials
        .map(|(id, trial)| (id, value(&trial.result.outcome)))
        .collect()
}

#[test]
fn rate_and_sizes_are_decided_by_results_and_the_same_again() {
    let bench = Workbench::new("adaptive", SWEEP);
    run(&bench, 2).expect(0);
    let alone = Workbench::new("adaptive-alone", SWEEP);
    run(&alone, 1).expect(0);
    assert_eq!(outcomes(&bench), outcomes(&alone));
    let decisions = read(&bench, "decisions.jsonl");
    assert_eq!(decisions, read(&alone, "decisions.jsonl"));
    assert!(decisions.lines().count() >= 3, "{decisions}");

    // Three rates at two sizes, and more where the best was at an end; then one for all.
    let runs = read(&bench, "runs.csv");
    let mut rows = runs.lines().map(|row| row.split(',').collect::<Vec<_>>());
    let header = rows.next().expect("a header");
    let column = |name: &str| header.iter().position(|column| *column == name);
    let [rate, tuning] = ["lr", "tuning"].map(|name| column(name).expect("a column"));
    let (tuning, swept): (Vec<_>, Vec<_>) = rows.partition(|row| row[tuning] == "true");
    assert!(tuning.len() >= 6, "{runs}");
    let rates: BTreeSet<&str> = swept.iter().map(|row| row[rate]).collect();
    assert_eq!(rates.len(), 1, "{runs}");
    // At least four sizes of each budget.
    assert!(swept.len() >= 3 * 4, "{runs}");

    let again = run(&bench, 2).expect(0);
    assert!(
        again.out.contains("had results already in"),
        "{}",
        again.out
    );
    assert_eq!(read(&bench, "decisions.jsonl"), decisions);
}
