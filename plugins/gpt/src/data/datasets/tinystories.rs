//! `kind = "tinystories"`: the official files.

use std::num::NonZero;
use std::path::PathBuf;

use flops_fit_plugin::{Batch, DataDescription, Dataset, Draw, Place, Result, Split};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Windows, default_seq_len, refuse};
use crate::data::tinystories::{self, Source};
use crate::data::tokens::TokenizerName;

/// `[dataset.config]` of `tinystories`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TinyStoriesConfig {
    /// `"gpt2"` (the default), `"byte"`, `"char"`, or a `tokenizer.json` that has
    /// a token `<|endoftext|>`.
    #[serde(default = "default_tokenizer")]
    pub tokenizer: TokenizerName,
    /// Tokens that a model reads at once; 128 by default.
    #[serde(default = "default_seq_len")]
    pub seq_len: NonZero<u32>,
    /// Whether files that are absent may be downloaded, 2.3 GB; not by default.
    #[serde(default)]
    pub download: bool,
    /// The folder of the official files, if not one in the cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
    /// A mirror of the hub, if not the one that `HF_ENDPOINT` names or the usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Where tokens and downloads are kept, if not in the usual cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_dir: Option<PathBuf>,
}

fn default_tokenizer() -> TokenizerName {
    TokenizerName::Gpt2
}

/// The stories of Eldan and Li: every offset of a split is an example.
#[derive(Debug)]
pub struct TinyStories(Windows);

impl Dataset for TinyStories {
    type Config = TinyStoriesConfig;

    fn build(config: &TinyStoriesConfig, place: &Place<'_>) -> Result<Self> {
        let here = |path: &PathBuf| place.base_dir.join(path);
        let (dir, cache_dir) = (
            config.dir.as_ref().map(here),
            config.cache_dir.as_ref().map(here),
        );
        let source = Source {
            dir: dir.as_deref(),
            download: config.download,
            base_url: config.base_url.as_deref(),
            cache_dir: cache_dir.as_deref(),
        };
        tinystories::open(source, &config.tokenizer.beside(place.base_dir))
            .and_then(|corpus| Windows::new(corpus, config.seq_len))
            .map(Self)
            .map_err(refuse)
    }

    fn description(&self) -> DataDescription {
        self.0.description()
    }

    fn fingerprint(&self) -> String {
        self.0.corpus.fingerprint.clone()
    }

    fn batch(&self, split: Split, draws: &[Draw]) -> Result<Batch> {
        self.0.batch(split, draws)
    }

    /// Where the files come from and how they are tokenised is left to the
    /// fingerprint, which is of the content.
    fn identity(config: &TinyStoriesConfig) -> Value {
        json!({ "seq_len": config.seq_len })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fs;

    use super::*;

    fn open(folder: &std::path::Path, config: &str) -> Result<TinyStories> {
        let config = serde_json::from_str(config)?;
        TinyStories::build(&config, &Place { base_dir: folder })
    }

    #[test]
    fn official_files_beside_the_manifest_are_used() {
        let folder = tempfile::tempdir().unwrap();
        let story = "Once upon a time there was a cat.\n<|endoftext|>\n".repeat(3);
        fs::write(folder.path().join(tinystories::TRAIN), &story).unwrap();
        fs::write(folder.path().join(tinystories::VALID), &story).unwrap();
        let config = r#"{"dir": ".", "cache_dir": "cache", "seq_len": 8}"#;
        let description = open(folder.path(), config).unwrap().description();
        // Nine words or stops and the end, three times.
        assert_eq!(description.unique_units, Some(30));
        assert_eq!(description.held_out_examples, Some(22));
    }

    #[test]
    fn absent_files_are_the_affair_of_download() {
        let folder = tempfile::tempdir().unwrap();
        let error = open(folder.path(), r#"{"cache_dir": "cache"}"#).unwrap_err();
        assert_eq!(error.key(), Some("download"), "{error}");
        assert!(error.message().contains(tinystories::TRAIN), "{error}");
    }
}
