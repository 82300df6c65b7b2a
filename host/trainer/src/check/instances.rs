//! Two objects of one plugin leave each other alone, and go without a trace.

use std::fs;

use flops_fit_plugin::{Mode, Split};
use flops_fit_trial::{CheckName, Failure, Finding};

use super::{
    compare::{all_same, first_difference},
    cost::resident_bytes,
    subject::{Subject, Trained},
};

/// Steps that one of two models takes.
const STEPS: u64 = 3;

/// Objects that are made and dropped.
const OBJECTS: u64 = 8;

/// Growth of the process over all of them that may be the allocator's.
const NOISE_BYTES: u64 = 32 << 20;

/// Training one model does not move another.
pub(super) fn instances(subject: &Subject, trained: &Trained) -> Result<Finding, Failure> {
    const CHECK: CheckName = CheckName::Instances;
    let idle = trained.build(&subject.data, subject.seed)?;
    let mut busy = trained.build(&subject.data, subject.seed.wrapping_add(1))?;
    let inputs = &subject.batches[0].inputs;
    let (parameters, buffers) = (idle.parameters(), idle.buffers()?);
    let outputs = idle.outputs(inputs, Mode::Eval, 0)?;
    for (step, batch) in (0..STEPS).zip(subject.batches.iter().cycle()) {
        busy.step(&trained.loss, batch, step)?;
    }
    let moved = first_difference(&parameters, &idle.parameters())
        .map(|what| format!("parameter {what}"))
        .or(first_difference(&buffers, &idle.buffers()?).map(|what| format!("buffer {what}")))
        .or((!all_same(&outputs, &idle.outputs(inputs, Mode::Eval, 0)?))
            .then(|| "the outputs".to_owned()));
    Ok(match moved {
        Some(what) => Finding::fail(
            CHECK,
            format!("training one model changed {what} of another"),
            "keep tensors in the model itself, none in statics or thread-locals",
        ),
        None => Finding::pass(
            CHECK,
            format!("{STEPS} steps of one model left another as it was"),
        ),
    })
}

/// Objects drop without a panic, and leave no threads, open files or memory.
pub(super) fn drop(subject: &Subject, trained: &Trained) -> Result<Finding, Failure> {
    const CHECK: CheckName = CheckName::Drop;
    let use_and_drop = || -> Result<(), Failure> {
        let dataset = subject.dataset_again()?;
        let loss = trained.loss_again(&subject.data)?;
        let mut model = trained.build(&subject.data, subject.seed)?;
        let batch = dataset.batch(Split::Train, &subject.draws(0, subject.examples()))?;
        model.step(&loss, &batch, 0)?;
        model.close()?;
        loss.close()?;
        dataset.close()
    };
    // What a library sets up once is not what an object leaves.
    use_and_drop()?;
    let (threads, files, bytes) = (entries("task"), entries("fd"), resident_bytes());
    for _ in 0..OBJECTS {
        use_and_drop()?;
    }
    let left = [
        (entries("task").saturating_sub(threads), "threads"),
        (entries("fd").saturating_sub(files), "open files"),
    ];
    let grown = resident_bytes().saturating_sub(bytes);
    let left = left.into_iter().find(|(count, _)| *count > 0);
    Ok(if let Some((count, what)) = left {
        Finding::warn(
            CHECK,
            format!("{OBJECTS} models, datasets and losses that were dropped left {count} {what}"),
            "end and close in Drop what build() started and opened",
        )
    } else if grown > NOISE_BYTES {
        Finding::warn(
            CHECK,
            format!(
                "the process grew by {} MiB over {OBJECTS} models, datasets and losses that were dropped",
                grown >> 20
            ),
            "look for tensors or buffers that a static, a leak or a cycle of Rc keeps",
        )
    } else {
        Finding::pass(
            CHECK,
            format!("{OBJECTS} models, datasets and losses left no thread, file or memory"),
        )
    })
}

/// Entries of a folder of this process.
fn entries(folder: &str) -> usize {
    fs::read_dir(format!("/proc/self/{folder}")).map_or(0, Iterator::count)
}
