//! Faults of a model: one for each size of a single sweep.

use std::{collections::BTreeMap, fs};

use flops_fit_trial::{Outcome, TrialDir};

use super::ends::{
    Ends::{self, Completed, Crashed, Diverged, Failed, Panicked},
    began_to_train, check, outcomes, place,
};
use crate::workbench::{Ended, Trial, Workbench};

/// A model of rank 4, 8, 12, … by the list of faults.
const MODEL: &str = concat!(
    hostile!(),
    r#"
[model.config]
faults = { FAULTS }
"#,
    on_stories!(),
    r#"
[sweep]
grid = [{ budget = 1e8, sizes = [SIZES] }]
min_steps = 2

[train]
lr = 0.01
warmup = { steps = 1 }
eval_tokens = 4096

[run]
retry_diverged = false
jobs = 3
start_limit = 30
silence_limit = 10
"#
);

const SIGABRT: i32 = 6;
const SIGSEGV: i32 = 11;

/// The step, counted from 1, that is spoilt by a fault of an output or a gradient.
const SPOILT: Option<u64> = Some(3);

const FAULTS: [(&str, Ends); 50] = [
    ("none", Completed),
    ("zero-readout", Completed),
    (
        "panic-in-build",
        Panicked(
            "build",
            "no building today",
            "panic!(\"no building today\")",
        ),
    ),
    (
        "panic-in-parameters",
        Panicked("build", "parameters are private", "assert!(!private,"),
    ),
    (
        "panic-in-forward",
        Panicked(
            "forward",
            "step 1 is too far",
            "panic!(\"step {} is too far\"",
        ),
    ),
    (
        "panic-with-number",
        Panicked("forward", "a payload that is no text", "panic_any(42)"),
    ),
    (
        "panic-in-drop",
        Panicked(
            "drop",
            "not letting go",
            "assert!(self.fault != Fault::PanicInDrop",
        ),
    ),
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
            "plugin flops-fit-hostile failed in forward: the wires are crossed; the words are the plugin's, or libtorch's, and the call must succeed on every batch: mend what they name",
        ),
    ),
    (
        "exit-in-build",
        Failed(
            "exited_early",
            "plugin flops-fit-hostile ended the process early in build, with status 0 and no result: a plugin must not end the process, but return an error or panic",
        ),
    ),
    (
        "exit-in-forward",
        Failed(
            "exited_early",
            "plugin flops-fit-hostile ended the process early in forward, with status 0 and no result",
        ),
    ),
    (
        "exit-in-evaluation",
        Failed(
            "exited_early",
            "plugin flops-fit-hostile ended the process early in forward, with status 0 and no result",
        ),
    ),
    // On a thread of its own, while the call waits.
    (
        "exit-in-thread",
        Failed(
            "exited_early",
            "plugin flops-fit-hostile ended the process early in forward, with status 0 and no result",
        ),
    ),
    (
        "exit-in-drop",
        Failed(
            "exited_early",
            "plugin flops-fit-hostile ended the process early in drop, with status 0 and no result",
        ),
    ),
    (
        "abort",
        Crashed(
            SIGABRT,
            "the worker was killed by signal 6 (SIGABRT) while it ran plugins flops-fit-hostile, flops-fit-gpt; to see where, run `flops-fit-worker train <the trial's folder>` under a debugger",
        ),
    ),
    (
        "null-write",
        Crashed(
            SIGSEGV,
            "the worker was killed by signal 11 (SIGSEGV) while it ran plugins flops-fit-hostile, flops-fit-gpt; to see where, run `flops-fit-worker train <the trial's folder>` under a debugger; its last words:\n  about to write to address 8",
        ),
    ),
    (
        "stack-overflow",
        Crashed(SIGABRT, "has overflowed its stack"),
    ),
    (
        "absurd-allocation",
        Failed(
            "out_of_memory",
            "plugin flops-fit-hostile ran out of memory in build: ",
        ),
    ),
    (
        "absurd-vector",
        Crashed(
            SIGABRT,
            "memory allocation of 1152921504606846976 bytes failed",
        ),
    ),
    ("hungry", Completed),
    ("none", Completed),
    ("nan-output", Diverged(SPOILT, "the training loss is NaN")),
    (
        "nan-in-evaluation",
        Diverged(None, "the held-out loss is NaN"),
    ),
    (
        "nan-gradient",
        Diverged(SPOILT, "a gradient is NaN or infinite"),
    ),
    (
        "infinite-gradient",
        Diverged(SPOILT, "a gradient is NaN or infinite"),
    ),
    (
        "no-output",
        Failed(
            "bad_tensor",
            "plugin flops-fit-hostile: forward's output should be at least one tensor, got none; mend the plugin where it makes it; `flops-fit check` looks at it without a sweep",
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
        "null-output",
        Failed(
            "bad_tensor",
            "tensor 0 of forward's output should be defined, got an undefined tensor",
        ),
    ),
    (
        "short-output",
        Failed(
            "plugin",
            "; model plugin flops-fit-hostile gave it outputs Float [16, 31, 64] on Cpu, for targets Int64 [16, 32] on Cpu",
        ),
    ),
    (
        "integer-output",
        Failed(
            "bad_tensor",
            "plugin flops-fit-hostile: forward's output should be differentiable in training, got Int64 [16, 32, 64] on Cpu, from which no gradient leads back to a parameter",
        ),
    ),
    (
        "undefined-buffer",
        Failed(
            "bad_tensor",
            "plugin flops-fit-hostile: tensor 0 of buffer `void` should be defined, got an undefined tensor",
        ),
    ),
    (
        "undefined-parameter",
        Failed(
            "bad_tensor",
            "plugin flops-fit-hostile: parameter `void` should be a defined tensor, got an undefined one",
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
    ("change-environment", Completed),
    ("spawn-threads", Completed),
    ("leave-process", Completed),
    ("orphan", Failed("exited_early", "left behind: ")),
    ("fugitive", Failed("exited_early", "left behind: ")),
    (
        "hang-in-build",
        Failed(
            "timed_out",
            "plugin flops-fit-hostile made no progress for 30 s in build (loading and building, before the first step); raise run.start_limit if it really is that slow",
        ),
    ),
    (
        "hang-in-forward",
        Failed(
            "timed_out",
            "plugin flops-fit-hostile made no progress for 10 s in forward (a training step); raise run.silence_limit if it really is that slow",
        ),
    ),
    (
        "spin-in-forward",
        Failed(
            "timed_out",
            "plugin flops-fit-hostile made no progress for 10 s in forward (a training step)",
        ),
    ),
    (
        "hang-in-drop",
        Failed(
            "timed_out",
            "plugin flops-fit-hostile made no progress for 10 s in drop (held-out evaluation)",
        ),
    ),
];

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
        .filter(|(_, e)| matches!(e, Diverged(..)))
        .count();
    let failed = FAULTS.len() - completed - diverged;
    let counts = format!("{completed} completed, {diverged} diverged, {failed} failed");
    assert!(ended.out.contains(&counts), "{}", ended.out);
    steps_are_taken_only_where_nothing_was_wrong_before(&outcomes, &sizes);
    the_hungry_one_got_half_and_half_again(&bench, &sizes);
    what_completes_is_intact(&bench, &sizes);
    nothing_is_left_behind(&bench, &outcomes);
}

fn size_of(fault: &str, sizes: &[i64]) -> i64 {
    let index = FAULTS.iter().position(|(name, _)| *name == fault);
    sizes[index.expect("a fault")]
}

/// Two examples at once are what its memory is enough for; eight of them, accumulated,
/// are the batch of a trial whose memory is enough, and all that it measures is the
/// same.
fn the_hungry_one_got_half_and_half_again(bench: &Workbench, sizes: &[i64]) {
    let size = size_of("hungry", sizes);
    let hungry = &by_size(bench)[&size];
    let environment = &hungry.result.environment;
    assert_eq!(environment.micro_batch, Some(2));
    assert_eq!(environment.attempt, 3, "16, 8, 4, 2");
    let in_peace = |name: &str, run: &str| {
        let manifest = MODEL
            .replace("FAULTS", "")
            .replace("SIZES", &size.to_string());
        let bench = Workbench::new(name, &format!("{manifest}{run}"));
        bench.run(&["train"]).expect(0);
        let mut trials = bench.trials("hostile").into_values();
        let trial = trials.next().expect("one trial");
        (
            trial.result.environment.micro_batch,
            trial.measured().clone(),
        )
    };
    // The same two examples at a time: every bit. All at once: but for rounding.
    let (micro, peace) = in_peace("hostile-fed", "micro_batch = 2\n");
    assert_eq!((micro, hungry.measured()), (Some(2), &peace));
    let (micro, whole) = in_peace("hostile-sated", "");
    assert_eq!(micro, None);
    assert_eq!((whole.steps, whole.d), (peace.steps, peace.d));
    assert!(
        (whole.loss / peace.loss - 1.0).abs() < 1e-3,
        "{whole:?} {peace:?}"
    );
}

/// What must fail before a step is spent on it.
const BEFORE_STEP_1: [&str; 9] = [
    "absurd-allocation",
    "no-output",
    "unused-parameter",
    "cached-weights",
    "wrong-count",
    "twice-the-same-name",
    "double-precision",
    "undefined-buffer",
    "undefined-parameter",
];

/// What fails, or diverges, later than that.
const AFTERWARDS: [&str; 4] = [
    "panic-in-forward",
    "error-in-forward",
    "nan-output",
    "hang-in-forward",
];

fn steps_are_taken_only_where_nothing_was_wrong_before(
    outcomes: &BTreeMap<i64, (TrialDir, Outcome)>,
    sizes: &[i64],
) {
    let began = |fault: &&str| began_to_train(&outcomes[&size_of(fault, sizes)].0);
    let early: Vec<_> = BEFORE_STEP_1.iter().filter(|fault| began(fault)).collect();
    assert!(early.is_empty(), "{early:?} trained all the same");
    let late: Vec<_> = AFTERWARDS.iter().filter(|fault| !began(fault)).collect();
    assert!(late.is_empty(), "{late:?} did not train");
}

/// What a trial started is gone, reaped and all, and so are the workers.
fn nothing_is_left_behind(bench: &Workbench, outcomes: &BTreeMap<i64, (TrialDir, Outcome)>) {
    let output = bench.output("hostile").canonicalize().expect("it is there");
    assert_eq!(flops_fit_trial::processes_of(&output), [0_u32; 0]);
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
    assert_eq!(pids.len(), 3, "{pids:?}");
    for pid in pids {
        let there = fs::exists(format!("/proc/{pid}")).expect("a Linux system");
        assert!(!there, "process {pid} is left");
    }
}

/// A model one of whose sizes misbehaves while it is counted.
fn describing(fault: &str) -> String {
    MODEL
        .replace("FAULTS", &format!("16 = {fault:?}"))
        .replace("SIZES", "8, 16, 24")
}

fn describe(name: &str, fault: &str) -> Ended {
    Workbench::new(name, &describing(fault)).run(&["plan"])
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
    let words = "model.plugin: plugin flops-fit-hostile ended the process early in build, with status 0 and no result";
    assert!(ended.err.contains(words), "{}", ended.err);
}

#[test]
fn a_plugin_that_hangs_when_it_is_described() {
    let manifest = describing("hang-in-profile").replace("start_limit = 30", "start_limit = 15");
    let bench = Workbench::new("hostile-hangs", &manifest);
    let ended = bench.run(&["run"]).expect(4);
    let words = "plugin flops-fit-hostile did not answer within 15 s; raise run.start_limit if reading the data really takes that long";
    assert!(ended.err.contains(words), "{}", ended.err);
    assert!(bench.trials("hostile").is_empty());
}

/// What becomes of a trial at fault that completes is what becomes of it without the
/// fault, to the last bit; and however much was printed, the log has an end.
fn what_completes_is_intact(bench: &Workbench, sizes: &[i64]) {
    let faults = [
        "flood-stdout",
        "close-stdout",
        "change-directory",
        "change-environment",
        "spawn-threads",
    ];
    let list: Vec<String> = faults
        .iter()
        .map(|fault| size_of(fault, sizes).to_string())
        .collect();
    let manifest = MODEL
        .replace("FAULTS", "")
        .replace("SIZES", &list.join(", "));
    let peace = Workbench::new("hostile-peace", &manifest);
    peace.run(&["train"]).expect(0);
    let peace = by_size(&peace);
    let war = by_size(bench);
    assert_eq!(peace.len(), faults.len());
    for (size, trial) in &peace {
        let bits = |trial: &Trial| {
            let measured = trial.measured();
            [measured.loss, measured.loss_se, measured.train_loss].map(f64::to_bits)
        };
        assert_eq!(bits(&war[size]), bits(trial), "size {size}");
    }
    let log = war[&size_of("flood-stdout", sizes)].dir.log_path();
    let length = fs::metadata(log).expect("a log").len();
    // Between its two halves stands one line; the second begins with a whole one.
    let limit = 4 << 20;
    assert!(
        (limit - 1024..limit + 200).contains(&length),
        "{length} bytes"
    );
}

fn by_size(bench: &Workbench) -> BTreeMap<i64, Trial> {
    let trials = bench.trials("hostile").into_values();
    trials.map(|t| (t.spec.recipe.size, t)).collect()
}

#[test]
fn a_refused_size_is_a_mistake_of_the_manifest() {
    let ended = describe("hostile-refuses", "refuse").expect(3);
    let words = "manifest.toml:22:37: sweep.grid[0].sizes[1]: refused by the model `hostile` (rank = 16): rank: found one that it dislikes";
    assert!(ended.err.contains(words), "{}", ended.err);
}

/// Trains two sizes while the library's constructor misbehaves in the worker that is to
/// train the larger one.
fn at_load(name: &str, fault: &str, ends: Ends) {
    let manifest = MODEL
        .replace("FAULTS", "")
        .replace("SIZES", "8, 16")
        .replace("start_limit = 30", "start_limit = 15");
    let bench = Workbench::new(name, &manifest);
    let variable = format!("train {fault} 16");
    let ended = bench
        .run_with(&["train"], &[("FLOPS_FIT_HOSTILE_LOAD", &variable)])
        .expect(5);
    assert!(ended.out.contains("1 completed, 1 failed"), "{}", ended.out);
    let outcomes = outcomes(&bench);
    assert_eq!(outcomes.len(), 2);
    for (size, wanted) in [(8, Completed), (16, ends)] {
        if let Err(why) = check(wanted, &outcomes[&size].1) {
            panic!("{fault}, size {size}: {why}");
        }
    }
}

#[test]
fn a_constructor_that_ends_the_process_before_anything_is_planned() {
    let bench = Workbench::new("hostile-exit-at-describe", &describing("none"));
    let ended = bench
        .run_with(&["plan"], &[("FLOPS_FIT_HOSTILE_LOAD", "describe exit")])
        .expect(4);
    let words = "plugin flops-fit-hostile ended the process early in load, with status 0";
    assert!(ended.err.contains(words), "{}", ended.err);
}

#[test]
fn a_fault_in_a_constructor_of_the_library() {
    at_load(
        "hostile-exit-at-load",
        "exit",
        Failed(
            "exited_early",
            "plugin flops-fit-hostile ended the process early in load, with status 0 and no result",
        ),
    );
    at_load(
        "hostile-spin-at-load",
        "spin",
        Failed(
            "timed_out",
            "plugin flops-fit-hostile made no progress for 15 s in load (loading and building, before the first step)",
        ),
    );
}
