//! `kind = "shapes"`: invented shapes, without end and without files.

use flops_fit_plugin::{
    Batch, DataDescription, DataForm, Dataset, Draw, Place, Result, Split, Unit,
};
use serde::{Deserialize, Serialize};

use super::batch;
use crate::data::shapes::{self, CLASSES, SIDE, VERSION};

/// `[dataset.config]` of `shapes`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShapesConfig {
    /// Which outlines there are, and which images show them; 0 by default.
    #[serde(default)]
    pub seed: u64,
}

/// The invented shapes of [`data::shapes`](crate::data::shapes): every training
/// image is new.
#[derive(Debug)]
pub struct Shapes {
    shapes: shapes::Shapes,
    seed: u64,
}

impl Dataset for Shapes {
    type Config = ShapesConfig;

    fn build(config: &ShapesConfig, _: &Place<'_>) -> Result<Self> {
        let seed = config.seed;
        let shapes = shapes::Shapes::new(seed);
        Ok(Self { shapes, seed })
    }

    fn description(&self) -> DataDescription {
        DataDescription {
            form: DataForm::Images {
                channels: 1,
                height: SIDE as i64,
                width: SIDE as i64,
                classes: CLASSES as i64,
            },
            unit: Unit::Images,
            units_per_example: 1,
            unique_units: None,
            train_examples: None,
            held_out_examples: None,
        }
    }

    fn fingerprint(&self) -> String {
        format!("{VERSION} seed {}", self.seed)
    }

    fn batch(&self, split: Split, draws: &[Draw]) -> Result<Batch> {
        batch(draws, [1, SIDE, SIDE], |draw, pixels| {
            let class = match split {
                Split::Train => self.shapes.train(draw.index, pixels),
                Split::HeldOut => self.shapes.held_out(draw.index, pixels),
            };
            Ok(class as i64)
        })
    }
}
