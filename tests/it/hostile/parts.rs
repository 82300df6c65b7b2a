//! Faults of a dataset and of a loss, which are not told the model's size: they
//! strike after a number of calls that only the longer trial reaches.

use super::ends::{
    Ends::{self, Completed, Diverged, Failed, Panicked},
    began_to_train, check, outcomes, place,
};
use crate::workbench::Workbench;

/// A sweep of two sizes; the large one ends before the fault strikes.
const PART: &str = concat!(
    hostile!(),
    r#"
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

[run]
retry_diverged = false
silence_limit = 10
"#
);

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
        Panicked("batch", "a page is torn", "panic!(\"a page is torn\")"),
    );
    let words = "plugin flops-fit-hostile failed in batch: a page is blank";
    part("DATASET", "error-in-batch", 5, Failed("plugin", words));
    // The main thread is in a forward pass meanwhile.
    let words =
        "plugin flops-fit-hostile ended the process early in batch, with status 0 and no result";
    part("DATASET", "exit-in-batch", 5, Failed("exited_early", words));
    let words = "plugin flops-fit-hostile made no progress for 10 s in batch (a training step); raise run.silence_limit";
    part("DATASET", "hang-in-batch", 5, Failed("timed_out", words));
    let words = "plugin flops-fit-hostile: a batch's first input should be Int64 [32, 16] on Cpu, as its description says, got Int64 [32, 15] on Cpu";
    part("DATASET", "short-inputs", 5, Failed("bad_tensor", words));
    let words = "plugin flops-fit-hostile: a batch's first target should be Int64 [32, 16] on Cpu, as its description says, got Float [32, 16] on Cpu";
    part("DATASET", "float-targets", 5, Failed("bad_tensor", words));
    let words =
        "plugin flops-fit-hostile: a batch's inputs should be at least one tensor, got none";
    part("DATASET", "no-inputs", 5, Failed("bad_tensor", words));
    let words = "plugin flops-fit-hostile: tensor 0 of a batch's inputs should be defined, got an undefined tensor";
    part("DATASET", "undefined-input", 5, Failed("bad_tensor", words));
    let words = "plugin flops-fit-hostile: tensor 0 of a batch's targets should be defined, got an undefined tensor";
    part(
        "DATASET",
        "undefined-target",
        5,
        Failed("bad_tensor", words),
    );
}

#[test]
fn a_part_that_panics_when_it_is_dropped() {
    for (part, words, code) in [
        ("DATASET", "the book will not close", "assert!(!stuck,"),
        ("LOSS", "no loss is ever forgotten", "assert!(!grieves,"),
    ] {
        let manifest = PART.replace(part, "fault = \"panic-in-drop\"");
        let manifest = manifest.replace("DATASET", "").replace("LOSS", "");
        let bench = Workbench::new(&format!("hostile-{part}-drop").to_lowercase(), &manifest);
        bench.run(&["train"]).expect(5);
        let outcomes = outcomes(&bench);
        assert_eq!(outcomes.len(), 2);
        for (_, outcome) in outcomes.values() {
            if let Err(why) = check(Panicked("drop", words, code), outcome) {
                panic!("{part}: {why}");
            }
        }
    }
}

#[test]
fn a_dataset_whose_content_changes_is_not_trained_on() {
    let manifest = PART
        .replace("DATASET", "fault = \"shifting-fingerprint\"")
        .replace("LOSS", "");
    let bench = Workbench::new("hostile-fingerprint", &manifest);
    bench.run(&["train"]).expect(5);
    for (dir, outcome) in outcomes(&bench).values() {
        assert!(!began_to_train(dir), "{outcome:?}");
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
    let line = place("\"the file is on fire\"");
    let words =
        format!("plugin flops-fit-hostile panicked in build at {line}: the file is on fire");
    assert!(ended.err.contains(&words), "{}", ended.err);
}

#[test]
fn faults_of_a_loss() {
    let code = "panic!(\"too much to bear\")";
    part(
        "LOSS",
        "panic",
        5,
        Panicked("loss", "too much to bear", code),
    );
    let words =
        "plugin flops-fit-hostile ended the process early in loss, with status 0 and no result";
    part("LOSS", "exit", 5, Failed("exited_early", words));
    let words = "plugin flops-fit-hostile made no progress for 10 s in loss (a training step); raise run.silence_limit";
    part("LOSS", "hang", 5, Failed("timed_out", words));
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
    part(
        "LOSS",
        "infinite",
        0,
        Diverged(Some(41), "the training loss is inf"),
    );
}
