//! What the plugin exports: the images of this module behind the host's
//! [`Dataset`](flops_fit_plugin::Dataset) trait, each with its configuration.
//!
//! All of them give batches of the same form: float inputs `[draws, channels,
//! height, width]` and int64 targets `[draws]`. D counts images.

mod cifar10;
mod idx;
mod shapes;

use flops_fit_plugin::tch::Tensor;
use flops_fit_plugin::{Batch, DataDescription, DataForm, Draw, Error, Result, Split, Unit};

pub use cifar10::{Cifar10, Cifar10Config};
pub use idx::{Idx, IdxConfig};
pub use shapes::{Shapes, ShapesConfig};

use super::{Collection, DataError};

/// Stacks images of this shape, which `show` appends with their labels, into a
/// batch.
fn batch(
    draws: &[Draw],
    [channels, height, width]: [usize; 3],
    show: impl Fn(Draw, &mut Vec<f32>) -> Result<i64>,
) -> Result<Batch> {
    let mut pixels = Vec::with_capacity(draws.len() * channels * height * width);
    let labels = draws.iter().map(|&draw| show(draw, &mut pixels));
    let labels = labels.collect::<Result<Vec<i64>>>()?;
    let shape = [draws.len(), channels, height, width].map(|size| size as i64);
    Ok(Batch {
        inputs: vec![Tensor::f_from_slice(&pixels)?.f_view(shape)?],
        targets: vec![Tensor::f_from_slice(&labels)?],
    })
}

impl Collection {
    fn shape(&self) -> [usize; 3] {
        let (height, width) = self.train.size;
        [self.train.channels, height, width]
    }

    fn description(&self) -> DataDescription {
        let [channels, height, width] = self.shape().map(|size| size as i64);
        DataDescription {
            form: DataForm::Images {
                channels,
                height,
                width,
                classes: self.classes as i64,
            },
            unit: Unit::Images,
            units_per_example: 1,
            unique_units: Some(self.unique()),
            train_examples: Some(self.train.count()),
            held_out_examples: Some(self.held_out.count()),
        }
    }

    fn batch(&self, split: Split, draws: &[Draw]) -> Result<Batch> {
        batch(draws, self.shape(), |draw, pixels| {
            Ok(match split {
                Split::Train => self.train(draw.index, draw.seed, pixels)?,
                Split::HeldOut => self.held_out(draw.index, pixels)?,
            })
        })
    }
}

/// A refusal, with the key that can mend it if it is one key.
fn refuse(error: DataError) -> Error {
    let key = error.key();
    let error = Error::from(error);
    match key {
        Some(key) => Error::config(key, error.message()),
        None => error,
    }
}
