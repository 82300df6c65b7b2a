//! The held-out loss: one fixed set of examples, the same for every run.

use std::collections::BTreeMap;

use flops_fit_plugin::{Context, DataDescription, Draw, Mode, Unit};
use flops_fit_trial::{Failure, Phase};

use crate::{
    order::Order,
    plugin::{Batch, Loss, Model, refused},
};

/// Units in one evaluation batch, at least one example: enough to keep a core
/// busy, few enough to stay in its cache.
const BATCH_UNITS: u64 = 4096;

/// The same of images, each of which is dozens of a model's tokens.
const BATCH_IMAGES: u64 = 128;

/// What was measured on the held-out set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HeldOut {
    pub(crate) loss: f64,
    pub(crate) standard_error: f64,
    pub(crate) metrics: BTreeMap<String, f64>,
    pub(crate) units: u64,
}

/// The batches of the held-out set of about `eval_units`, evenly spread; the
/// whole split where it is smaller. None has more than `micro` examples: what was too
/// much for training is for evaluation too. Those that are smaller for that are the
/// [`pieces`] of a batch: what is measured then differs by rounding alone.
pub(crate) fn plan(data: &DataDescription, eval_units: u64, micro: Option<u64>) -> Vec<Vec<Draw>> {
    let each = data.units_per_example.max(1);
    let wanted = eval_units.div_ceil(each).max(1);
    let count = match data.held_out_examples {
        Some(examples) if overlaps(data) => wanted.min(examples.div_ceil(each)),
        Some(examples) => wanted.min(examples),
        None => wanted,
    };
    let draws: Vec<_> = Order::held_out(data.held_out_examples, count.max(1)).collect();
    let size = examples(data);
    let piece = size.min(micro.unwrap_or(u64::MAX).max(1));
    let batches = draws.chunks(size as usize);
    let pieces = batches.flat_map(|batch| batch.chunks(piece as usize));
    pieces.map(<[Draw]>::to_vec).collect()
}

/// In how many pieces the batches of [`plan`] come, the last one perhaps in fewer.
pub(crate) fn pieces(data: &DataDescription, micro: Option<u64>) -> usize {
    let size = examples(data);
    size.div_ceil(micro.unwrap_or(u64::MAX).clamp(1, size)) as usize
}

/// Examples in a batch that nothing makes smaller.
fn examples(data: &DataDescription) -> u64 {
    let batch = match data.unit {
        Unit::Tokens => BATCH_UNITS,
        Unit::Images => BATCH_IMAGES,
    };
    (batch / data.units_per_example.max(1)).max(1)
}

/// Whether neighbouring examples share units, as the windows of a text do, of
/// which every offset is an example.
pub(crate) fn overlaps(data: &DataDescription) -> bool {
    match (data.unit, data.train_examples, data.unique_units) {
        (Unit::Tokens, Some(examples), Some(unique)) => {
            examples.saturating_mul(data.units_per_example) > unique.saturating_mul(2)
        }
        _ => false,
    }
}

/// What one held-out batch gave.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Evaluated {
    /// Its number in the plan.
    index: usize,
    mean: f64,
    weight: f64,
    metrics: Vec<(String, f64)>,
}

/// Runs held-out batch number `index` through the model after `step` steps.
pub(crate) fn batch(
    model: &Model,
    loss: &Loss,
    batch: &Batch,
    index: usize,
    step: u64,
) -> Result<Evaluated, Failure> {
    let _no_grad = tch::no_grad_guard();
    let context = Context {
        mode: Mode::Eval,
        seed: 0,
        step,
    };
    let outputs = model.forward(&batch.inputs, context)?;
    let value = loss.compute(model, &outputs, &batch.targets, Mode::Eval)?;
    let mean = value.mean.f_double_value(&[]);
    let mean = mean.map_err(|error| refused(Phase::Forward, &error))?;
    Ok(Evaluated {
        index,
        mean,
        weight: value.units as f64,
        metrics: value.metrics,
    })
}

impl HeldOut {
    /// Over all batches, each in so many pieces, whichever ranks they were run on: the
    /// sums are made in the order of the plan.
    pub(crate) fn of(mut all: Vec<Evaluated>, pieces: usize) -> Self {
        all.sort_by_key(|piece| piece.index);
        let mut metrics: BTreeMap<String, f64> = BTreeMap::new();
        for piece in &mut all {
            for (name, metric) in std::mem::take(&mut piece.metrics) {
                *metrics.entry(name).or_default() += piece.weight * metric;
            }
        }
        let batches = all.chunk_by(|a, b| a.index / pieces == b.index / pieces);
        let means: Vec<(f64, f64)> = batches.map(together).collect();
        let units: f64 = means.iter().map(|(_, weight)| weight).sum();
        let mean = means.iter().map(|(m, weight)| m * weight).sum::<f64>() / units;
        // What is no number has no place in a result; the loss itself is judged by
        // the caller.
        metrics.retain(|_, sum| {
            *sum /= units;
            sum.is_finite()
        });
        Self {
            loss: mean,
            standard_error: standard_error(&means, mean, units),
            metrics,
            units: units as u64,
        }
    }
}

/// The mean of a batch and its weight, of those of its pieces.
fn together(pieces: &[Evaluated]) -> (f64, f64) {
    if let [whole] = pieces {
        return (whole.mean, whole.weight);
    }
    let weight: f64 = pieces.iter().map(|piece| piece.weight).sum();
    let sum: f64 = pieces.iter().map(|piece| piece.weight * piece.mean).sum();
    (sum / weight, weight)
}

/// Of a weighted mean of batch means, which are taken as independent.
fn standard_error(means: &[(f64, f64)], mean: f64, units: f64) -> f64 {
    let n = means.len() as f64;
    if n < 2.0 {
        return 0.0;
    }
    let squares: f64 = means
        .iter()
        .map(|(m, weight)| (weight / units * (m - mean)).powi(2))
        .sum();
    (squares * n / (n - 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flops_fit_plugin::DataForm;

    fn data(held_out: Option<u64>, train: Option<u64>, unique: Option<u64>) -> DataDescription {
        DataDescription {
            form: DataForm::Tokens {
                vocabulary: 64,
                seq_len: 64,
                bytes_per_token: None,
            },
            unit: Unit::Tokens,
            units_per_example: 64,
            unique_units: unique,
            train_examples: train,
            held_out_examples: held_out,
        }
    }

    fn examples_of(data: &DataDescription) -> usize {
        plan(data, 65_536, None).iter().map(Vec::len).sum()
    }

    #[test]
    fn no_batch_is_larger_than_the_micro_batch_and_the_examples_stay() {
        let data = data(Some(200_000), Some(3_000_000), Some(3_000_064));
        let sizes = |micro| -> Vec<usize> {
            let batches = plan(&data, 65_536, micro);
            batches.iter().map(Vec::len).collect()
        };
        assert_eq!(sizes(None), [64; 16]);
        assert_eq!(sizes(Some(64)), [64; 16]);
        assert_eq!(sizes(Some(1000)), [64; 16]);
        assert_eq!(sizes(Some(8)), [8; 128]);
        assert_eq!(sizes(Some(1)), [1; 1024]);
        assert_eq!(sizes(Some(40))[..4], [40, 24, 40, 24]);
        for (micro, count) in [(None, 1), (Some(64), 1), (Some(40), 2), (Some(1), 64)] {
            assert_eq!(pieces(&data, micro), count);
        }
        let draws = |micro| plan(&data, 65_536, micro).concat();
        assert_eq!(draws(Some(7)), draws(None));
    }

    #[test]
    fn pieces_of_batches_measure_what_whole_ones_do() {
        let evaluated = |index, examples: &[f64]| {
            let weight = examples.len() as f64;
            let mean = examples.iter().sum::<f64>() / weight;
            Evaluated {
                index,
                mean,
                weight,
                metrics: vec![("accuracy".to_owned(), mean / 9.0)],
            }
        };
        let losses: Vec<f64> = (0..19).map(|i| f64::from(i).sin() + 2.0).collect();
        let by = |size: usize, piece: usize| {
            let batches = losses.chunks(size).flat_map(|batch| batch.chunks(piece));
            let all = (0..)
                .zip(batches)
                .map(|(i, examples)| evaluated(i, examples));
            HeldOut::of(all.collect(), size.div_ceil(piece))
        };
        let whole = by(8, 8);
        assert!(whole.standard_error > 0.0);
        for piece in [1, 3, 5] {
            let cut = by(8, piece);
            for (found, wanted) in [
                (cut.loss, whole.loss),
                (cut.standard_error, whole.standard_error),
                (cut.metrics["accuracy"], whole.metrics["accuracy"]),
            ] {
                assert!(
                    (found / wanted - 1.0).abs() < 1e-12,
                    "{piece}: {found}, {wanted}"
                );
            }
        }
    }

    #[test]
    fn as_many_units_as_wanted_or_the_whole_split() {
        assert_eq!(examples_of(&data(None, None, None)), 1024);
        assert_eq!(
            examples_of(&data(Some(200_000), Some(3_000_000), Some(3_000_064))),
            1024
        );
        // 6400 tokens are a hundred windows of 64, not 6337 overlapping ones.
        assert_eq!(
            examples_of(&data(Some(6337), Some(3_000_000), Some(3_000_064))),
            100
        );
        // Disjoint examples: each is one.
        assert_eq!(examples_of(&data(Some(500), Some(1000), Some(64_000))), 500);
    }

    #[test]
    fn the_order_in_which_ranks_end_changes_no_bit() {
        let batch = |index: usize| Evaluated {
            index,
            mean: (index as f64).sin() + 2.0,
            weight: 1.0 + (index % 3) as f64,
            metrics: vec![("accuracy".to_owned(), 1.0 / (index + 3) as f64)],
        };
        let whole = HeldOut::of((0..20).map(batch).collect(), 1);
        let by_rank = (0..3).flat_map(|rank| (rank..20).step_by(3)).map(batch);
        assert_eq!(HeldOut::of(by_rank.collect(), 1), whole);
    }

    #[test]
    fn images_come_in_small_batches() {
        let images = DataDescription {
            form: DataForm::Images {
                channels: 1,
                height: 28,
                width: 28,
                classes: 10,
            },
            unit: Unit::Images,
            units_per_example: 1,
            ..data(Some(10_000), Some(60_000), Some(60_000))
        };
        let batches = plan(&images, 65_536, None);
        assert_eq!(examples_of(&images), 10_000);
        assert!(batches.iter().all(|draws| draws.len() <= 128));
    }

    #[test]
    fn standard_error_of_equal_batches_is_the_textbook_one() {
        let means = [(1.0, 10.0), (2.0, 10.0), (3.0, 10.0), (4.0, 10.0)];
        let sd = (5.0_f64 / 3.0).sqrt();
        assert!((standard_error(&means, 2.5, 40.0) - sd / 2.0).abs() < 1e-12);
    }
}
