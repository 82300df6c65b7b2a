//! `kind = "idx"`: the MNIST family.

use std::path::PathBuf;

use flops_fit_plugin::{Batch, DataDescription, Dataset, Draw, Place, Result, Split};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::refuse;
use crate::data::augment::Augment;
use crate::data::idx::{Files, HELD_OUT, TRAIN, open};
use crate::data::{Collection, Levels};

/// `[dataset.config]` of `idx`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdxConfig {
    /// The folder of the four files, each with or without `.gz`.
    pub dir: PathBuf,
    /// `train-images-idx3-ubyte`, or another name.
    #[serde(default = "train_images")]
    pub train_images: String,
    /// `train-labels-idx1-ubyte`, or another name.
    #[serde(default = "train_labels")]
    pub train_labels: String,
    /// `t10k-images-idx3-ubyte`, or another name.
    #[serde(default = "held_out_images")]
    pub held_out_images: String,
    /// `t10k-labels-idx1-ubyte`, or another name.
    #[serde(default = "held_out_labels")]
    pub held_out_labels: String,
    /// Pixels by which training images are moved at random; 0 by default.
    #[serde(default)]
    pub crop: u32,
    /// Whether training images are mirrored at random; not by default, since
    /// digits and letters have a right side.
    #[serde(default)]
    pub flip: bool,
}

fn train_images() -> String {
    TRAIN.images.to_owned()
}

fn train_labels() -> String {
    TRAIN.labels.to_owned()
}

fn held_out_images() -> String {
    HELD_OUT.images.to_owned()
}

fn held_out_labels() -> String {
    HELD_OUT.labels.to_owned()
}

/// Grey images from IDX files, normalised by the training images' own mean and
/// variance.
#[derive(Debug)]
pub struct Idx(Collection);

impl Dataset for Idx {
    type Config = IdxConfig;

    fn build(config: &IdxConfig, place: &Place<'_>) -> Result<Self> {
        let train = Files {
            images: &config.train_images,
            labels: &config.train_labels,
        };
        let held_out = Files {
            images: &config.held_out_images,
            labels: &config.held_out_labels,
        };
        let augment = Augment {
            crop: config.crop,
            flip: config.flip,
        };
        open(&place.base_dir.join(&config.dir), train, held_out)
            .and_then(|(train, held_out, classes)| {
                let levels = Levels::of(&train);
                Collection::new(train, held_out, classes, levels, augment)
            })
            .map(Self)
            .map_err(refuse)
    }

    fn description(&self) -> DataDescription {
        self.0.description()
    }

    fn fingerprint(&self) -> String {
        self.0.fingerprint().to_owned()
    }

    fn batch(&self, split: Split, draws: &[Draw]) -> Result<Batch> {
        self.0.batch(split, draws)
    }

    /// Where the files lie and what they are called is left to the fingerprint,
    /// which is of the content.
    fn identity(config: &IdxConfig) -> Value {
        json!({ "crop": config.crop, "flip": config.flip })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fs;
    use std::path::Path;

    use flops_fit_plugin::tch::{Kind, Tensor};

    use super::*;

    /// Two training images and one held-out image of 2 × 2 pixels.
    fn files() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let images = |count: u8, pixels: &[u8]| {
            let head = [0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 2, 0, 0, 0, 2];
            [head.as_slice(), pixels].concat()
        };
        let labels = |labels: &[u8]| [&[0, 0, 8, 1, 0, 0, 0, labels.len() as u8], labels].concat();
        let write = |name, bytes| fs::write(folder.path().join(name), bytes).unwrap();
        write(TRAIN.images, images(2, &[0, 100, 0, 100, 100, 0, 100, 0]));
        write("names", labels(&[1, 0]));
        write(HELD_OUT.images, images(1, &[50; 4]));
        write(HELD_OUT.labels, labels(&[1]));
        folder
    }

    fn open_in(folder: &Path, keys: &str) -> Result<Idx> {
        let config = format!(r#"{{"dir": ".", "train_labels": "names"{keys}}}"#);
        Idx::build(&serde_json::from_str(&config)?, &Place { base_dir: folder })
    }

    #[test]
    fn a_batch_is_images_and_labels_normalised() {
        let folder = files();
        let idx = open_in(folder.path(), "").unwrap();
        let draws = [1, 0].map(|index| Draw { index, seed: 9 });
        let Batch { inputs, targets } = idx.batch(Split::Train, &draws).unwrap();
        assert_eq!(inputs[0].kind(), Kind::Float);
        let expected = Tensor::from_slice(&[1.0_f32, -1.0, 1.0, -1.0, -1.0, 1.0, -1.0, 1.0]);
        let apart = (&inputs[0] - expected.view([2, 1, 2, 2])).abs().max();
        assert!(apart.double_value(&[]) < 1e-6);
        assert_eq!(targets[0], Tensor::from_slice(&[0_i64, 1]));
        let held_out = idx.batch(Split::HeldOut, &draws[1..]).unwrap();
        assert!(held_out.inputs[0].abs().max().double_value(&[]) < 1e-6);
    }

    #[test]
    fn augmentation_raises_unique_data_and_leaves_the_held_out_alone() {
        let folder = files();
        let plain = open_in(folder.path(), "").unwrap();
        let flipped = open_in(folder.path(), r#", "flip": true"#).unwrap();
        assert_eq!(plain.description().unique_units, Some(2));
        assert_eq!(flipped.description().unique_units, Some(4));
        assert_eq!(flipped.description().train_examples, Some(2));
        let shown = |idx: &Idx, split, seed| {
            let draw = Draw { index: 0, seed };
            let batch = idx.batch(split, &[draw]).unwrap();
            Vec::<f32>::try_from(batch.inputs[0].view([-1])).unwrap()
        };
        let views = |split| (0..20).map(move |seed| (split, seed));
        let as_plain = |(split, seed)| shown(&flipped, split, seed) == shown(&plain, split, 0);
        let same = views(Split::Train).filter(|&view| as_plain(view)).count();
        assert!((1..20).contains(&same), "{same} of 20 as they were");
        assert!(views(Split::HeldOut).all(as_plain));
    }

    #[test]
    fn a_refusal_names_the_key_and_paths_are_no_identity() {
        let folder = files();
        let error = open_in(folder.path(), r#", "crop": 1"#).unwrap_err();
        assert_eq!(error.key(), Some("crop"), "{error}");
        let error = open_in(Path::new("/nowhere"), "").unwrap_err();
        assert_eq!(error.key(), Some("dir"), "{error}");
        let of = |keys| Idx::identity(&serde_json::from_str(keys).unwrap());
        assert_eq!(
            of(r#"{"dir": "a"}"#),
            of(r#"{"dir": "b", "train_labels": "l"}"#)
        );
        assert_ne!(of(r#"{"dir": "a"}"#), of(r#"{"dir": "a", "crop": 2}"#));
    }
}
