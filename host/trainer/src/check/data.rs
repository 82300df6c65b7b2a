//! Batches: what their description promises, and the same bytes for the same
//! draws, whoever asks, when, and in what company.

use flops_fit_plugin::{DataDescription, DataForm, Draw, Split, Unit};
use flops_fit_trial::{CheckName, Failure, Finding};
use tch::Tensor;

use super::{
    compare::{all_same, not_finite},
    subject::Subject,
};
use crate::{
    feed::{self, Wanted},
    plugin::{Batch, Dataset},
};

/// Training batches that the other checks work with.
const BATCHES: u64 = 4;

/// What a batch is.
const PURE: &str = "let batch() depend on split and draws alone: no counters, no clocks, no generator that outlives the call";

/// Target that libtorch's losses pass over.
const IGNORED: i64 = -100;

/// Shapes, types and values of batches of both splits, of one, two and many
/// examples, the first and the last among them. Keeps the training batches.
pub(super) fn batches(subject: &mut Subject) -> Result<(Finding, ()), Failure> {
    const CHECK: CheckName = CheckName::Batches;
    let data = &subject.data;
    if let Some(wrong) = wrong_unit(data) {
        let fix = "mend description(): what an example looks like, and the units that D counts in it, must agree";
        return Ok((Finding::fail(CHECK, wrong, fix), ()));
    }
    let (mut looked_at, mut examples) = (0, 0);
    for split in [Split::Train, Split::HeldOut] {
        let (count, name) = match split {
            Split::Train => (data.train_examples, "training"),
            Split::HeldOut => (data.held_out_examples, "held-out"),
        };
        let last = count.map_or(1 << 40, |count| count.saturating_sub(1));
        let edge = |index| Draw { index, seed: 1 };
        let mut asked = vec![vec![edge(0)], vec![edge(0), edge(last)]];
        match split {
            Split::Train => {
                asked.extend((0..BATCHES).map(|number| subject.draws(number, subject.examples())));
            }
            Split::HeldOut => asked.push(subject.held_out_draws()),
        }
        for draws in asked {
            let batch = subject.dataset.batch(split, &draws)?;
            if let Some(wrong) = wrong(data, &batch) {
                let found = format!("in a {name} batch of {} examples {wrong}", draws.len());
                let fix =
                    "mend batch() or description(); model and loss are built for what is described";
                return Ok((Finding::fail(CHECK, found, fix), ()));
            }
            looked_at += 1;
            examples += draws.len();
        }
    }
    let kept = (0..BATCHES).map(|number| subject.batch(number));
    let kept = kept.collect::<Result<Vec<_>, Failure>>()?;
    let shapes = shapes(&kept[0]);
    subject.batches = kept;
    let found = format!("{looked_at} batches, {examples} examples of both splits: {shapes}");
    Ok((Finding::pass(CHECK, found), ()))
}

fn shapes(batch: &Batch) -> String {
    let all = |tensors: &[Tensor]| {
        let shapes = tensors
            .iter()
            .map(|t| format!("{:?} {:?}", t.kind(), t.size()));
        shapes.collect::<Vec<_>>().join(", ")
    };
    format!(
        "inputs {}; targets {}",
        all(&batch.inputs),
        all(&batch.targets)
    )
}

fn wrong_unit(data: &DataDescription) -> Option<String> {
    let (expected, what) = match (&data.form, data.unit) {
        (DataForm::Tokens { seq_len, .. }, Unit::Tokens) => {
            (*seq_len as u64, "tokens in sequences")
        }
        (DataForm::Images { .. }, Unit::Images) => (1, "whole images"),
        (form, unit) => return Some(format!("D counts {unit:?}, and an example is {form:?}")),
    };
    (data.units_per_example != expected).then(|| {
        format!(
            "D counts {what}, of which an example has {expected}, and units_per_example is {}",
            data.units_per_example
        )
    })
}

/// What is wrong with the values of a batch, as the end of a sentence. Shapes and
/// types were compared with the description when it was made.
fn wrong(data: &DataDescription, batch: &Batch) -> Option<String> {
    let everything = batch.inputs.iter().chain(&batch.targets);
    let spoilt: i64 = everything.map(not_finite).sum();
    if spoilt > 0 {
        return Some(format!("{spoilt} elements are no finite number"));
    }
    let Some(target) = batch.targets.first() else {
        return Some("there are no targets".to_owned());
    };
    match &data.form {
        DataForm::Tokens { vocabulary, .. } => {
            let input = batch.inputs.first()?;
            strange("inputs", input, *vocabulary, &[])
                .or_else(|| strange("targets", target, *vocabulary, &[IGNORED]))
        }
        DataForm::Images { classes, .. } => strange("targets", target, *classes, &[IGNORED]),
    }
}

/// The first id that is neither from 0 to below `below` nor `allowed`.
fn strange(what: &str, ids: &Tensor, below: i64, allowed: &[i64]) -> Option<String> {
    let ids = Vec::<i64>::try_from(ids.reshape([-1])).unwrap_or_default();
    ids.iter()
        .find(|id| !(0..below).contains(*id) && !allowed.contains(id))
        .map(|id| format!("{what} hold {id}, expected 0 to {}", below - 1))
}

/// The same draws give the same bytes: asked twice, alone or in a batch, in
/// another order, of another instance, whatever libtorch's generator holds, and
/// when they are made ahead on the loader's thread.
pub(super) fn same_data(subject: &Subject) -> Result<Finding, Failure> {
    let examples = subject.examples();
    let direct = &subject.batches;
    let differs = |how: &str, fix: &str| {
        Finding::fail(
            CheckName::SameData,
            format!("the same draws gave other bytes {how}"),
            fix,
        )
    };

    tch::manual_seed(1);
    let again = subject.batch(0)?;
    if !same(&again, &direct[0]) {
        return Ok(differs("when they were asked for again", PURE));
    }
    let draws = subject.draws(0, examples);
    for (row, draw) in draws.iter().enumerate() {
        let alone = subject.dataset.batch(Split::Train, &[*draw])?;
        if !same(&alone, &row_of(&direct[0], row as i64, 1)) {
            return Ok(differs(
                "alone than in a batch",
                "make each example from its own draw, whatever else is in the batch",
            ));
        }
    }
    let mut reversed = draws;
    reversed.reverse();
    let reversed = subject.dataset.batch(Split::Train, &reversed)?;
    for row in 0..examples as i64 {
        let (a, b) = (
            row_of(&reversed, examples as i64 - 1 - row, 1),
            row_of(&direct[0], row, 1),
        );
        if !same(&a, &b) {
            return Ok(differs("in another order", PURE));
        }
    }
    let ahead = ahead(subject, subject.dataset_again()?, direct.len() as u64)?;
    if !ahead.iter().zip(direct).all(|(a, b)| same(a, b)) {
        return Ok(differs(
            "when another instance made them ahead, on a thread of its own",
            PURE,
        ));
    }
    Ok(Finding::pass(
        CheckName::SameData,
        format!(
            "{} batches of {examples} examples: again, one by one, reversed, and ahead on a thread",
            direct.len()
        ),
    ))
}

/// The first `count` training batches through the loader.
fn ahead(subject: &Subject, dataset: Dataset, count: u64) -> Result<Vec<Batch>, Failure> {
    let plan = (0..count).map(|number| Wanted {
        rank: 0,
        split: Split::Train,
        draws: subject.draws(number, subject.examples()),
    });
    let plan: Vec<Wanted> = plan.collect();
    std::thread::scope(|scope| {
        let (loader, mut feeds) = feed::start(scope, dataset, plan.into_iter(), 1);
        let mut feed = feeds.remove(0);
        let batches = (0..count).map(|_| feed.next()).collect();
        drop(feed);
        loader.stop()?.close()?;
        batches
    })
}

fn same(a: &Batch, b: &Batch) -> bool {
    all_same(&a.inputs, &b.inputs) && all_same(&a.targets, &b.targets)
}

/// `len` examples of a batch from `start`.
pub(super) fn row_of(batch: &Batch, start: i64, len: i64) -> Batch {
    let rows = |tensors: &[Tensor]| tensors.iter().map(|t| t.narrow(0, start, len)).collect();
    Batch {
        inputs: rows(&batch.inputs),
        targets: rows(&batch.targets),
    }
}
