//! `kind = "cifar10"`: the official files.

use std::path::PathBuf;

use flops_fit_data::{Cache, Fetcher};
use flops_fit_plugin::{Batch, DataDescription, Dataset, Draw, Place, Result, Split};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::refuse;
use crate::data::augment::Augment;
use crate::data::cifar10::{self, OFFICIAL, Source};
use crate::data::{Collection, DataError};

/// `[dataset.config]` of `cifar10`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cifar10Config {
    /// Whether files that are absent may be downloaded, 170 MB; not by default.
    #[serde(default)]
    pub download: bool,
    /// The folder of the official files or their archive, if not one in the cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
    /// A mirror of the archive's home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Where downloads are kept, if not in the usual cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_dir: Option<PathBuf>,
    /// Pixels by which training images are moved at random; 4 by default.
    #[serde(default = "default_crop")]
    pub crop: u32,
    /// Whether training images are mirrored at random; so by default.
    #[serde(default = "default_flip")]
    pub flip: bool,
}

const fn default_crop() -> u32 {
    4
}

const fn default_flip() -> bool {
    true
}

/// CIFAR-10, normalised by the mean and deviation of its channels.
#[derive(Debug)]
pub struct Cifar10(Collection);

impl Cifar10 {
    fn open(config: &Cifar10Config, place: &Place<'_>) -> Result<Collection, DataError> {
        let here = |path: &PathBuf| place.base_dir.join(path);
        let dir = if let Some(dir) = &config.dir {
            here(dir)
        } else {
            let cache_dir = config.cache_dir.as_ref().map(here);
            Cache::locate(cache_dir.as_deref())?.path("cifar10", "")?
        };
        let source = Source {
            dir: &dir,
            download: config.download,
            base_url: config.base_url.as_deref(),
        };
        let (train, held_out) = cifar10::open(&source, &OFFICIAL, &Fetcher::new())?;
        let augment = Augment {
            crop: config.crop,
            flip: config.flip,
        };
        let levels = cifar10::levels();
        Collection::new(train, held_out, cifar10::CLASSES, levels, augment)
    }
}

impl Dataset for Cifar10 {
    type Config = Cifar10Config;

    fn build(config: &Cifar10Config, place: &Place<'_>) -> Result<Self> {
        Self::open(config, place).map(Self).map_err(refuse)
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

    /// Where the files come from is left to the fingerprint, which is of the
    /// content.
    fn identity(config: &Cifar10Config) -> Value {
        json!({ "crop": config.crop, "flip": config.flip })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn absent_files_are_the_affair_of_download() {
        let folder = tempfile::tempdir().unwrap();
        let config = serde_json::from_str(r#"{"cache_dir": "cache"}"#).unwrap();
        let place = Place {
            base_dir: folder.path(),
        };
        let error = Cifar10::build(&config, &place).unwrap_err();
        assert_eq!(error.key(), Some("download"), "{error}");
        let words = "cache/cifar10/cifar-10-batches-bin/data_batch_1.bin";
        assert!(error.message().contains(words), "{error}");
    }
}
