//! Whether held-out examples are also trained on, as far as that can be seen:
//! whole examples are compared, a sample of the held-out ones with as many
//! training examples as there is time for.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use flops_fit_plugin::{DataForm, Draw, Split};
use flops_fit_trial::{CheckName, Failure, Finding};
use tch::{Kind, Tensor};

use super::subject::Subject;
use crate::{Order, evaluate::overlaps, order::mix};

/// Held-out examples that are looked for.
const SOUGHT: u64 = 256;

/// Examples in one request.
const AT_ONCE: usize = 64;

/// Windows of a text that are read one after the other.
const RUN: u64 = 16;

/// Elements of training examples that are looked at with most.
const MOST_ELEMENTS: u64 = 1 << 20;

/// Time that is spent on it at most.
const LIMIT: Duration = Duration::from_secs(10);

/// Fewest elements of an example for a chance meeting to be out of the question.
const FEWEST_ELEMENTS: usize = 16;

/// Shares of held-out examples met in training that are worth a word, and that
/// make the held-out loss meaningless.
const SOME: f64 = 0.05;
const MANY: f64 = 0.5;

pub(super) fn held_out(subject: &Subject) -> Result<Finding, Failure> {
    const CHECK: CheckName = CheckName::HeldOut;
    let data = &subject.data;
    let sought = data.held_out_examples.map_or(SOUGHT, |n| n.min(SOUGHT));
    let draws: Vec<Draw> = Order::held_out(data.held_out_examples, sought).collect();
    let mut held_out = Vec::new();
    for draws in draws.chunks(AT_ONCE) {
        held_out.extend(examples(subject, Split::HeldOut, draws)?);
    }
    let len = held_out.first().map_or(0, Vec::len);
    if len < FEWEST_ELEMENTS {
        let why = format!("examples of {len} elements repeat by chance");
        return Ok(Finding::skip(CHECK, why));
    }
    let wanted: HashSet<u64> = held_out
        .iter()
        .map(|example| Rolling::of(example))
        .collect();
    let mut met = HashSet::new();
    let began = Instant::now();
    let mut looked_at = 0_u64;
    let mut stream: Vec<u64> = Vec::new();
    for run in runs(subject, len as u64) {
        if began.elapsed() > LIMIT {
            break;
        }
        let rows = examples(subject, Split::Train, &run.draws)?;
        if run.joined {
            stream.clear();
            stream.extend(rows.into_iter().flatten());
            looked_at += stream.len() as u64;
            met.extend(Rolling::windows(&stream, len).filter(|hash| wanted.contains(hash)));
        } else {
            looked_at += rows.iter().map(|row| row.len() as u64).sum::<u64>();
            let hashes = rows.iter().map(|row| Rolling::of(row));
            met.extend(hashes.filter(|hash| wanted.contains(hash)));
        }
    }
    let again = held_out
        .iter()
        .filter(|example| met.contains(&Rolling::of(example)))
        .count();
    let share = again as f64 / held_out.len().max(1) as f64;
    let what = match data.form {
        DataForm::Tokens { .. } => "tokens",
        DataForm::Images { .. } => "pixels",
    };
    let found = format!(
        "{again} of {} held-out examples are met among {looked_at} training {what}",
        held_out.len()
    );
    let fix = "split the data before anything else, and remove duplicates: what was trained on measures memory, not loss";
    Ok(if share >= MANY {
        Finding::fail(CHECK, found, fix)
    } else if share >= SOME {
        Finding::warn(CHECK, found, fix)
    } else {
        Finding::pass(CHECK, found)
    })
}

/// Training examples that are asked for together.
struct Run {
    draws: Vec<Draw>,
    /// Whether each begins where the one before ends, so that every offset
    /// between them is an example too.
    joined: bool,
}

/// The training examples to look at, spread evenly.
fn runs(subject: &Subject, len: u64) -> Vec<Run> {
    let data = &subject.data;
    let most = (MOST_ELEMENTS / len.max(1)).max(1);
    let draw = |index| Draw {
        index,
        seed: mix(index),
    };
    let Some(count) = data.train_examples else {
        let draws: Vec<Draw> = (0..most).map(|k| subject.order.draw(k)).collect();
        return apart(&draws);
    };
    if !overlaps(data) {
        let most = most.min(count);
        let index = |k: u64| (u128::from(k) * u128::from(count) / u128::from(most)) as u64;
        let draws: Vec<Draw> = (0..most).map(|k| draw(index(k))).collect();
        return apart(&draws);
    }
    let span = RUN * len;
    let number = (count / span).clamp(1, (most / RUN).max(1));
    // One window less of a stride, so that runs meet where they cover everything.
    let start = |k: u64| (u128::from(k) * u128::from(count) / u128::from(number)) as u64;
    (0..number)
        .map(|k| Run {
            draws: (0..RUN)
                .map(|j| start(k) + j * len)
                .take_while(|index| *index < count)
                .map(draw)
                .collect(),
            joined: true,
        })
        .collect()
}

fn apart(draws: &[Draw]) -> Vec<Run> {
    draws
        .chunks(AT_ONCE)
        .map(|draws| Run {
            draws: draws.to_vec(),
            joined: false,
        })
        .collect()
}

/// The first input of each example, as numbers that are equal where the
/// elements are.
fn examples(subject: &Subject, split: Split, draws: &[Draw]) -> Result<Vec<Vec<u64>>, Failure> {
    let batch = subject.dataset.batch(split, draws)?;
    let Some(input) = batch.inputs.first() else {
        return Ok(Vec::new());
    };
    let rows = (0..draws.len() as i64).map(|row| elements(&input.narrow(0, row, 1)));
    Ok(rows.collect())
}

fn elements(tensor: &Tensor) -> Vec<u64> {
    let flat = tensor.reshape([-1]);
    if flat.kind() == Kind::Int64 {
        let ids = Vec::<i64>::try_from(flat).unwrap_or_default();
        return ids.into_iter().map(|id| id as u64).collect();
    }
    let values = Vec::<f64>::try_from(flat.to_kind(Kind::Double)).unwrap_or_default();
    values.into_iter().map(f64::to_bits).collect()
}

/// A polynomial hash over a window that moves (Karp & Rabin 1987), modulo 2⁶⁴
/// over mixed elements.
struct Rolling;

const BASE: u64 = 0x9E37_79B9_7F4A_7C15;

impl Rolling {
    fn of(window: &[u64]) -> u64 {
        window.iter().fold(0, |hash: u64, &element| {
            hash.wrapping_mul(BASE).wrapping_add(mix(element))
        })
    }

    /// The hashes of all windows of `len` in `stream`.
    fn windows(stream: &[u64], len: usize) -> impl Iterator<Item = u64> {
        let leading = (1..len).fold(1_u64, |power, _| power.wrapping_mul(BASE));
        let mut hash = stream.get(..len).map(Self::of);
        (len..=stream.len()).map_while(move |end| {
            let found = hash?;
            hash = stream.get(end).map(|&next| {
                let first = mix(stream[end - len]).wrapping_mul(leading);
                found
                    .wrapping_sub(first)
                    .wrapping_mul(BASE)
                    .wrapping_add(mix(next))
            });
            Some(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_the_hash_that_it_has_alone() {
        let stream: Vec<u64> = (0..40).map(|k| mix(k) % 7).collect();
        for len in [1, 2, 16, 40] {
            let rolled: Vec<u64> = Rolling::windows(&stream, len).collect();
            let alone: Vec<u64> = stream.windows(len).map(Rolling::of).collect();
            assert_eq!(rolled, alone, "{len}");
        }
        assert_eq!(Rolling::windows(&stream, 41).count(), 0);
    }
}
