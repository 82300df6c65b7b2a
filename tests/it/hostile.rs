//! Plugins that misbehave: each fault ends its own trial with its own sentence,
//! every other trial completes, and the exit code says that some failed.

use std::{collections::BTreeMap, fs, path::Path};

use flops_fit_trial::{Outcome, TrialDir};

use crate::workbench::{Ended, Workbench};

/// A model of rank 4, 8, 12, … by the list of faults.
const MODEL: &str = r#"
name = "hostile"

[model]
plugin = "flops_fit_hostile"
kind = "hostile"
size_param = "rank"

[model.config]
faults = { FAULTS }

[dataset]
plugin = "flops_fit_gpt"
kind = "stories"
config = { seq_len = 32 }

[loss]
plugin = "flops_fit_gpt"
kind = "cross_entropy"

[sweep]
grid = [{ budget = 1e8, sizes = [SIZES] }]
min_steps = 2

[train]
lr = 0.01
warmup = { steps = 1 }
eval_tokens = 4096

[run]
jobs = 3
start_limit = 15
silence_limit = 6
"#;

/// What must become of a trial.
#[derive(Clone, Copy)]
enum Ends {
    Completed,
    /// With these words.
    Diverged(&'static str),
    /// With this tag in result.json, and these words.
    Failed(&'static str, &'static str),
    /// Without a result of its own: `exit` beside a running forward pass may
    /// take the tensors away under it.
    Gone,
    /// A panic with this message in this call; the line is looked up.
    Panicked(&'static str, &'static str),
}

use Ends::{Completed, Diverged, Failed, Gone, Panicked};

const FAULTS: [(&str, Ends); 31] = [
    ("none", Completed),
    ("panic-in-build", Panicked("build", "no building today")),
    (
        "panic-in-parameters",
        Panicked("build", "parameters are private"),
    ),
    ("panic-in-forward", Panicked("forward", "step 1 is too far")),
    (
        "panic-with-number",
        Panicked("forward", "a payload that is no text"),
    ),
    ("panic-in-drop", Panicked("drop", "not letting go")),
    ("none", Completed),
    (
        "error-in-build",
        Failed(
            "config",
            "plugin flops-fit-hostile refuses its model configuration: the bricks are missing",
        ),
    ),
    (
        "error-in-forward",
        Failed(
            "plugin",
            "plugin flops-fit-hostile failed in forward: the wires are crossed",
        ),
    ),
    (
        "exit-in-build",
        Failed(
            "exited_early",
            "ended early with status 0 and no result: a plugin must not end the process",
        ),
    ),
    (
        "exit-in-forward",
        Failed("exited_early", "ended early with status 0 and no result"),
    ),
    ("abort", Failed("crashed", "killed by signal 6")),
    ("null-write", Failed("crashed", "killed by signal 11")),
    (
        "stack-overflow",
        Failed("crashed", "has overflowed its stack"),
    ),
    (
        "absurd-allocation",
        Failed("out_of_memory", "out of memory in build"),
    ),
    ("none", Completed),
    ("nan-output", Diverged("the training loss is NaN")),
    ("nan-in-evaluation", Diverged("the held-out loss is NaN")),
    (
        "no-output",
        Failed(
            "bad_tensor",
            "plugin flops-fit-hostile: forward's output should be at least one tensor, got none",
        ),
    ),
    (
        "undefined-output",
        Failed(
            "bad_tensor",
            "tensor 0 of forward's output should be defined, got an undefined tensor",
        ),
    ),
    (
        "unused-parameter",
        Failed(
            "contract_violation",
            "plugin flops-fit-hostile breaks the plugin contract: parameter `unused` does not drive the model's output",
        ),
    ),
    (
        "cached-weights",
        Failed(
            "contract_violation",
            "parameter `readout` does not drive the model's output",
        ),
    ),
    (
        "wrong-count",
        Failed("contract_violation", "mend profile() or num_params()"),
    ),
    (
        "twice-the-same-name",
        Failed("contract_violation", "two parameters are named `embedding`"),
    ),
    (
        "double-precision",
        Failed(
            "bad_tensor",
            "parameter `embedding` should be contiguous fp32, got Double, contiguous",
        ),
    ),
    ("flood-stdout", Completed),
    ("close-stdout", Completed),
    ("change-directory", Completed),
    ("orphan", Failed("exited_early", "left behind: ")),
    (
        "hang-in-build",
        Failed(
            "timed_out",
            "no progress for 15 s (loading and building, before the first step); raise run.start_limit",
        ),
    ),
    (
        "hang-in-forward",
        Failed(
            "timed_out",
            "no progress for 6 s (a training step); raise run.silence_limit",
        ),
    ),
];

/// `at tests/hostile/src/<file>:<line>` of the statement that holds `words`.
fn place(words: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile/src");
    let mut places = Vec::new();
    for entry in fs::read_dir(folder).expect("sources") {
        let path = entry.expect("listed").path();
        let text = fs::read_to_string(&path).expect("source");
        let name = path.file_name().expect("named").to_string_lossy();
        for (line, _) in (1..).zip(text.lines()).filter(|(_, l)| l.contains(words)) {
            places.push(format!("tests/hostile/src/{name}:{line}"));
        }
    }
    assert_eq!(places.len(), 1, "{words}: {places:?}");
    places.remove(0)
}

/// Whether `outcome` is `wanted`; if not, what is wrong.
fn check(wanted: Ends, outcome: &Outcome) -> Result<(), String> {
    let tag = serde_json::to_value(outcome).expect("plain data");
    let tag = tag["failure"]["kind"].as_str().unwrap_or_default();
    let (fits, words) = match (wanted, outcome) {
        (Completed, Outcome::Completed { .. }) => (true, String::new()),
        (Diverged(words), Outcome::Diverged { reason, .. }) => {
            (reason.contains(words), words.to_owned())
        }
        (Failed(kind, words), Outcome::Failed { failure }) => {
            let fits = tag == kind && failure.to_string().contains(words);
            (fits, format!("{kind}: {words}"))
        }
        (Gone, Outcome::Failed { .. }) => (
            ["exited_early", "crashed"].contains(&tag),
            "a worker that is gone".to_owned(),
        ),
        (Panicked(phase, words), Outcome::Failed { failure }) => {
            let said = failure.to_string();
            let start =
                format!("plugin flops-fit-hostile panicked in {phase} at tests/hostile/src/");
            (
                tag == "panicked" && said.starts_with(&start) && said.ends_with(words),
                format!("{start}…: {words}"),
            )
        }
        _ => (false, "another end".to_owned()),
    };
    if fits {
        return Ok(());
    }
    Err(format!("wanted {words}, got {outcome:?}"))
}

/// What became of each size.
fn outcomes(bench: &Workbench) -> BTreeMap<i64, (TrialDir, Outcome)> {
    let trials = bench.trials("hostile").into_values();
    trials
        .map(|t| (t.spec.recipe.size, (t.dir, t.result.outcome)))
        .collect()
}

#[test]
fn every_fault_of_a_model_ends_its_own_trial() {
    let sizes: Vec<i64> = (1..).map(|i| 4 * i).take(FAULTS.len()).collect();
    let faults: Vec<String> = sizes
        .iter()
        .zip(FAULTS)
        .map(|(size, (fault, _))| format!("{size} = {fault:?}"))
        .collect();
    let list: Vec<String> = sizes.iter().map(i64::to_string).collect();
    let manifest = MODEL
        .replace("FAULTS", &faults.join(", "))
        .replace("SIZES", &list.join(", "));
    let bench = Workbench::new("hostile-model", &manifest);
    let ended = bench.run(&["train"]).expect(5);
    let outcomes = outcomes(&bench);
    assert_eq!(outcomes.len(), FAULTS.len());

    let mut wrong = Vec::new();
    for (size, (fault, wanted)) in sizes.iter().zip(FAULTS) {
        if let Err(why) = check(wanted, &outcomes[size].1) {
            wrong.push(format!("{fault}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let completed = FAULTS
        .iter()
        .filter(|(_, e)| matches!(e, Completed))
        .count();
    let diverged = FAULTS
        .iter()
        .filter(|(_, e)| matches!(e, Diverged(_)))
        .count();
    let failed = FAULTS.len() - completed - diverged;
    let counts = format!("{completed} completed, {diverged} diverged, {failed} failed");
    assert!(ended.out.contains(&counts), "{}", ended.out);
    panics_are_placed(&outcomes);
    nothing_is_left_behind(&outcomes);
}

/// The line that a panic names is the one where it stands.
fn panics_are_placed(outcomes: &BTreeMap<i64, (TrialDir, Outcome)>) {
    let said: Vec<String> = outcomes
        .values()
        .filter_map(|(_, outcome)| match outcome {
            Outcome::Failed { failure } => Some(failure.to_string()),
            _ => None,
        })
        .collect();
    for (code, phase) in [
        ("panic!(\"no building today\")", "build"),
        ("panic!(\"step {} is too far\"", "forward"),
        ("panic_any(42)", "forward"),
        ("assert!(self.fault != Fault::PanicInDrop", "drop"),
    ] {
        let words = format!("panicked in {phase} at {}:", place(code));
        assert!(
            said.iter().any(|s| s.contains(&words)),
            "{words}: {said:#?}"
        );
    }
}

/// The grandchild is dead, or a zombie that waits for its reaper.
fn nothing_is_left_behind(outcomes: &BTreeMap<i64, (TrialDir, Outcome)>) {
    let logs = outcomes
        .values()
        .filter_map(|(dir, _)| fs::read_to_string(dir.log_path()).ok());
    let pids: Vec<String> = logs
        .filter_map(|log| {
            Some(
                log.split_once("left behind: ")?
                    .1
                    .lines()
                    .next()?
                    .to_owned(),
            )
        })
        .collect();
    assert_eq!(pids.len(), 1, "{pids:?}");
    let stat = fs::read_to_string(format!("/proc/{}/stat", pids[0]));
    let lives = stat.is_ok_and(|stat| stat.contains("(sleep)") && !stat.contains("(sleep) Z"));
    assert!(!lives, "process {} lives", pids[0]);
}

/// Describes a model one of whose sizes misbehaves while it is counted.
fn describe(name: &str, fault: &str) -> Ended {
    let manifest = MODEL
        .replace("FAULTS", &format!("16 = {fault:?}"))
        .replace("SIZES", "8, 16, 24");
    Workbench::new(name, &manifest).run(&["plan"])
}

#[test]
fn a_fault_before_the_plan_is_the_plugins() {
    let ended = describe("hostile-profile", "panic-in-profile").expect(4);
    let place = place("panic!(\"the figures are secret\")");
    let words = format!(
        "manifest.toml:5:10: model.plugin: plugin flops-fit-hostile panicked in build at {place}: the figures are secret"
    );
    assert!(ended.err.contains(&words), "{}", ended.err);

    let ended = describe("hostile-exit", "exit-in-profile").expect(4);
    let words = "model.plugin: the worker ended early with status 0 and no result";
    assert!(ended.err.contains(words), "{}", ended.err);
}

#[test]
fn a_refused_size_is_a_mistake_of_the_manifest() {
    let ended = describe("hostile-refuses", "refuse").expect(3);
    let words = "manifest.toml:22:37: sweep.grid[0].sizes[1]: refused by the model `hostile` (rank = 16): rank: found one that it dislikes";
    assert!(ended.err.contains(words), "{}", ended.err);
}

/// A sweep of two sizes; the large one ends before the fault strikes.
const PART: &str = r#"
name = "hostile"

[model]
plugin = "flops_fit_hostile"
kind = "hostile"
size_param = "rank"

[dataset]
kind = "hostile"
config = { DATASET }

[loss]
kind = "hostile"
config = { LOSS }

[sweep]
grid = [{ budget = 1e8, sizes = [8, 64] }]
min_steps = 2

[train]
lr = 0.01
warmup = { steps = 1 }
eval_tokens = 4096
"#;

/// Size 8 trains for about 140 steps and must end as `wanted`, size 64, with
/// about 18 steps, completes.
#[track_caller]
fn part(what: &str, fault: &str, code: i32, wanted: Ends) {
    let manifest = PART.replace(what, &format!("fault = {fault:?}, after = 40"));
    let manifest = manifest.replace("DATASET", "").replace("LOSS", "");
    let name = format!("hostile-{}-{fault}", what.to_lowercase());
    let bench = Workbench::new(&name, &manifest);
    bench.run(&["train"]).expect(code);
    let outcomes = outcomes(&bench);
    let end = |size: i64| outcomes.get(&size).map(|(_, outcome)| outcome);
    for (size, wanted) in [(8, wanted), (64, Completed)] {
        let outcome = end(size).expect("it has ended");
        if let Err(why) = check(wanted, outcome) {
            panic!("{fault}, size {size}: {why}");
        }
    }
}

#[test]
fn faults_of_a_dataset() {
    part(
        "DATASET",
        "panic-in-batch",
        5,
        Panicked("batch", "a page is torn"),
    );
    let words = "plugin flops-fit-hostile failed in batch: a page is blank";
    part("DATASET", "error-in-batch", 5, Failed("plugin", words));
    part("DATASET", "exit-in-batch", 5, Gone);
}

#[test]
fn a_dataset_whose_content_changes_is_not_trained_on() {
    let manifest = PART
        .replace("DATASET", "fault = \"shifting-fingerprint\"")
        .replace("LOSS", "");
    let bench = Workbench::new("hostile-fingerprint", &manifest);
    bench.run(&["train"]).expect(5);
    for (_, outcome) in outcomes(&bench).values() {
        let words = "the dataset's content changed since the sweep was planned";
        if let Err(why) = check(Failed("contract_violation", words), outcome) {
            panic!("{why}");
        }
    }
}

#[test]
fn a_dataset_that_cannot_be_opened_is_the_plugins_fault() {
    let manifest = PART
        .replace("DATASET", "fault = \"panic-in-build\"")
        .replace("LOSS", "");
    let bench = Workbench::new("hostile-dataset-build", &manifest);
    let ended = bench.run(&["run"]).expect(4);
    let words = "plugin flops-fit-hostile panicked in build at tests/hostile/src/dataset.rs:";
    assert!(ended.err.contains(words), "{}", ended.err);
}

#[test]
fn faults_of_a_loss() {
    part("LOSS", "panic", 5, Panicked("loss", "too much to bear"));
    let words = "plugin flops-fit-hostile failed in loss: cannot compare";
    part("LOSS", "error", 5, Failed("plugin", words));
    let words = "plugin flops-fit-hostile: the loss should be one number, the mean over at least one unit, got shape [512] over 512 units";
    part("LOSS", "not-one-number", 5, Failed("bad_tensor", words));
    let words = "got an undefined tensor";
    part("LOSS", "undefined", 5, Failed("bad_tensor", words));
    let words = "over 0 units";
    part("LOSS", "no-units", 5, Failed("bad_tensor", words));
    let words = "the loss should be differentiable in training";
    part("LOSS", "detached", 5, Failed("bad_tensor", words));
    part("LOSS", "infinite", 0, Diverged("the training loss is inf"));
}
