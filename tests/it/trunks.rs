//! Trials that share a trunk: they cost what the plan says, and end with the bits of
//! trials that train alone.

use std::{collections::BTreeMap, fs};

use flops_fit_trial::{Outcome, TrialDir};
use serde_json::Value;

use crate::{
    kill::{processes, stamps, wait_until},
    sweep::SWEEP,
    workbench::Workbench,
};

const TRUNKS: &str =
    r#"train.schedule={ kind = "wsd", decay = 0.2, shape = "linear", reuse_trunk = true }"#;
const ALONE: &str = r#"train.schedule={ kind = "wsd", decay = 0.2, shape = "linear" }"#;
/// A warm-up that does not depend on a trial's length.
const WARMUP: &str = "train.warmup={ steps = 10 }";
const ALL: &str = "sweep.grid=[{ budget = 3e8, sizes = [4, 8, 12, 16] }, \
    { budget = 1e9, sizes = [4, 8, 16, 24] }, { budget = 3e9, sizes = [8, 12, 16, 24] }]";

/// What was measured at each budget and size, as bits.
fn losses(bench: &Workbench) -> BTreeMap<(u64, i64), [u64; 3]> {
    let trials = bench.trials("small").into_values().map(|trial| {
        let (recipe, measured) = (&trial.spec.recipe, trial.measured());
        let bits = [measured.loss, measured.train_loss, measured.loss_se].map(f64::to_bits);
        ((recipe.budget as u64, recipe.size), bits)
    });
    trials.collect()
}

fn spent(bench: &Workbench) -> f64 {
    let trials = bench.trials("small");
    trials.values().map(|trial| trial.measured().spent).sum()
}

fn run(bench: &Workbench, command: &str, sets: &[&str]) -> String {
    let mut arguments = vec![command, "--format", "json"];
    arguments.extend(sets.iter().flat_map(|set| ["--set", set]));
    bench.run(&arguments).expect(0).out
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn trunks(bench: &Workbench) -> Vec<TrialDir> {
    let folders = fs::read_dir(bench.output("small").join("trunks")).expect("trunks");
    let dir = |entry: std::io::Result<fs::DirEntry>| TrialDir::new(entry.expect("listed").path());
    folders.map(dir).collect()
}

#[test]
fn they_cost_what_the_plan_says_and_end_as_if_alone() {
    let alone = Workbench::new("trunks-alone", SWEEP);
    run(&alone, "train", &[ALONE, WARMUP, ALL]);
    let bench = Workbench::new("trunks", SWEEP);
    let planned = json(&run(&bench, "plan", &[TRUNKS, WARMUP, ALL]));
    let flops = planned["plan"]["flops"].as_f64().expect("a number");
    run(&bench, "run", &[TRUNKS, WARMUP, ALL]);

    assert_eq!(losses(&bench), losses(&alone));
    assert!((spent(&bench) / flops - 1.0).abs() < 0.01, "{flops:e}");
    let saved = 1.0 - spent(&bench) / spent(&alone);
    assert!(saved > 0.15, "{saved}");

    // What the trunks' own workers have counted is in there.
    let mut by_trunks = 0.0;
    for dir in trunks(&bench) {
        let (spec, result) = (dir.spec().expect("readable"), dir.result());
        let result = result.expect("readable").expect("a result");
        let Outcome::Grown { steps, units } = result.outcome else {
            panic!("{:?}", result.outcome);
        };
        assert_eq!(Some(&steps), spec.run.branches.last());
        assert_eq!(units, steps * 256);
        by_trunks += units as f64 * spec.run.flops_per_unit;
        assert!(!dir.checkpoints().path().exists(), "it is over");
    }
    let trials = bench.trials("small");
    let by_trials: f64 = trials
        .values()
        .map(|trial| {
            let (_, step) = trial.spec.branch().expect("a branch");
            let steps = trial.measured().steps - step;
            (steps * 256) as f64 * trial.spec.run.flops_per_unit
        })
        .sum();
    let both = by_trunks + by_trials;
    assert!((both / spent(&bench) - 1.0).abs() < 1e-9, "{both:e}");

    let runs = fs::read_to_string(bench.output("small").join("runs.csv")).expect("written");
    for trial in trials.values() {
        let (trunk, _) = trial.spec.branch().expect("a branch");
        let row = runs
            .lines()
            .find(|row| row.starts_with(trial.spec.id.as_str()));
        let row = row.expect("a row");
        assert!(row.contains(&format!(",{trunk},")), "{row}");
        assert!(
            row.contains(&format!(",{},", trial.measured().spent)),
            "{row}"
        );
    }
    let status = bench.run(&["status", "outputs/small"]).expect(0).out;
    assert!(
        status.contains("12 completed") && status.contains("; 100 %"),
        "{status}"
    );
    assert!(status.contains("5 trunks, "), "{status}");
    let text = bench.run(&["plan", "--set", TRUNKS]).expect(0).out;
    assert!(
        text.contains("trunks: ") && text.contains("% less"),
        "{text}"
    );
}

#[test]
fn killed_and_run_again_they_end_with_the_same_bits() {
    let sets = [TRUNKS, WARMUP, ALL, "run.checkpoint_interval=0.02"];
    let peace = Workbench::new("trunks-peace", SWEEP);
    run(&peace, "train", &sets);
    let bench = Workbench::new("trunks-killed", SWEEP);
    let output = bench.output("small");
    let arguments: Vec<&str> = std::iter::once("train")
        .chain(sets.iter().flat_map(|set| ["--set", *set]))
        .collect();
    // The first blow meets trunks, the later ones whatever runs then.
    for results in [0, 2, 5] {
        let mut child = bench.spawn(&arguments);
        wait_until("too few results", || {
            let interrupted = output.join("trunks").is_dir()
                && trunks(&bench)
                    .iter()
                    .any(|dir| !dir.checkpoints().is_empty());
            bench.trials("small").len() >= results && (results > 0 || interrupted)
        });
        child.kill().expect("killed");
        child.wait().expect("reaped");
        wait_until("a worker lives on", || processes(&output).is_empty());
    }
    run(&bench, "train", &sets);
    assert_eq!(losses(&bench), losses(&peace));
    let apart = spent(&bench) / spent(&peace) - 1.0;
    assert!(apart.abs() < 1e-9, "{apart:e}");
}

#[test]
fn another_budget_prolongs_the_trunks() {
    let grid = |budgets: &[&str]| {
        let entry = |budget: &&str| format!("{{ budget = {budget}, sizes = [8, 12, 16, 24] }}");
        let entries: Vec<String> = budgets.iter().map(entry).collect();
        format!("sweep.grid=[{}]", entries.join(", "))
    };
    let whole = Workbench::new("trunks-whole", SWEEP);
    run(
        &whole,
        "train",
        &[TRUNKS, &grid(&["4e8", "1e9", "2e9", "4e9"])],
    );

    let bench = Workbench::new("trunks-longer", SWEEP);
    run(&bench, "train", &[TRUNKS, &grid(&["1e9", "2e9"])]);
    let before = stamps(&bench);
    let longer = grid(&["1e9", "2e9", "4e9"]);
    run(&bench, "train", &[TRUNKS, &longer]);
    let after = stamps(&bench);
    assert_eq!(after.len(), 12);
    assert!(before.iter().all(|(id, stamp)| after[id] == *stamp));
    // Nothing was trained twice.
    let planned = json(&run(&bench, "plan", &[TRUNKS, &longer]));
    let flops = planned["plan"]["flops"].as_f64().expect("a number");
    assert!((spent(&bench) / flops - 1.0).abs() < 1e-9, "{flops:e}");

    // A smaller one begins anew, and is charged for it; with a larger one beside it, the
    // trunk is grown in two stretches.
    run(
        &bench,
        "train",
        &[TRUNKS, &grid(&["4e8", "1e9", "2e9", "4e9"])],
    );
    assert_eq!(losses(&bench), losses(&whole));
    assert!(spent(&bench) > spent(&whole));
}

#[test]
fn checkpoints_that_no_trial_leaves_from_need_not_stay() {
    const NONE: &str = "run.keep_branches=false";
    let grid = |budgets: &[&str]| {
        let entry = |budget: &&str| format!("{{ budget = {budget}, sizes = [8, 12, 16, 24] }}");
        let entries: Vec<String> = budgets.iter().map(entry).collect();
        format!("sweep.grid=[{}]", entries.join(", "))
    };
    let whole = Workbench::new("trunks-kept", SWEEP);
    run(&whole, "train", &[TRUNKS, &grid(&["1e9", "2e9", "4e9"])]);
    let every = trunks(&whole)
        .into_iter()
        .map(|dir| dir.branches().steps().len());
    assert_eq!(every.sum::<usize>(), 12);

    let bench = Workbench::new("trunks-cleared", SWEEP);
    for budgets in [&["1e9", "2e9"][..], &["1e9", "2e9", "4e9"]] {
        run(&bench, "train", &[TRUNKS, NONE, &grid(budgets)]);
        assert_eq!(trunks(&bench).len(), 4);
        for dir in trunks(&bench) {
            let leave: Vec<u64> = bench
                .trials("small")
                .values()
                .filter_map(|trial| {
                    let (trunk, step) = trial.spec.branch()?;
                    (*trunk == dir.spec().expect("written").id).then_some(step)
                })
                .collect();
            let last = leave.iter().max().expect("branches");
            assert_eq!(dir.branches().steps(), [*last]);
        }
    }
    // The last is what a larger budget needs.
    assert_eq!(losses(&bench), losses(&whole));
    let apart = spent(&bench) / spent(&whole) - 1.0;
    assert!(apart.abs() < 1e-9, "{apart:e}");

    // Nothing is left to train, but what was kept until now need not stay.
    let three = grid(&["1e9", "2e9", "4e9"]);
    run(&whole, "train", &[TRUNKS, NONE, &three]);
    for dir in trunks(&whole) {
        assert_eq!(dir.branches().steps().len(), 1);
    }
}

/// Branches of a trunk that fails or diverges are not begun, and say why.
#[test]
fn branches_end_with_their_trunk() {
    let manifest = r#"
name = "hostile"

[model]
plugin = "flops_fit_hostile"
kind = "hostile"
size_param = "rank"
config = { faults = { 8 = "nan-output", 16 = "panic-in-forward" } }

[dataset]
plugin = "flops_fit_gpt"
kind = "stories"
config = { seq_len = 32 }

[loss]
plugin = "flops_fit_gpt"
kind = "cross_entropy"

[sweep]
grid = [{ budget = 1e8, sizes = [8, 16, 24] }, { budget = 2e8, sizes = [8, 16, 24] }]
min_steps = 8

[train]
lr = 0.01
schedule = { kind = "wsd", reuse_trunk = true }
warmup = { steps = 1 }
eval_tokens = 4096
"#;
    let bench = Workbench::new("trunks-hostile", manifest);
    let ended = bench.run(&["train"]).expect(5);
    // The diverged are tried again, with a trunk of their own.
    let counts = "2 completed, 4 diverged, 2 failed";
    assert!(ended.out.contains(counts), "{}", ended.out);
    let trials = bench.trials("hostile");
    assert_eq!(trials.len(), 8);
    for trial in trials.values() {
        let (trunk, _) = trial.spec.branch().expect("a branch");
        let words = format!("trunk {trunk}, which it was to leave after step");
        match &trial.result.outcome {
            Outcome::Completed { .. } => assert_eq!(trial.spec.recipe.size, 24),
            Outcome::Diverged { step, reason, .. } => {
                assert_eq!((trial.spec.recipe.size, *step), (8, 3));
                assert!(
                    reason.contains(&words) && reason.contains("NaN"),
                    "{reason}"
                );
            }
            Outcome::Failed { failure } => {
                assert_eq!(trial.spec.recipe.size, 16);
                let said = failure.to_string();
                assert!(
                    said.contains(&words) && said.contains("step 1 is too far"),
                    "{said}"
                );
            }
            other @ Outcome::Grown { .. } => panic!("{other:?}"),
        }
    }
    // What diverged twice is not tried again.
    let again = bench.run(&["train"]).expect(5);
    assert!(
        again.out.contains("6 had results already, 2 failed"),
        "{}",
        again.out
    );
}
