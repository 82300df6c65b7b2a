//! `kind = "text"`: any UTF-8 files.

use std::num::NonZero;
use std::path::PathBuf;

use flops_fit_plugin::{Batch, DataDescription, Dataset, Draw, Place, Result, Split};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Windows, default_seq_len, refuse};
use crate::data::text::{self, HELD_OUT};
use crate::data::tokens::TokenizerName;

/// `[dataset.config]` of `text`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextConfig {
    /// UTF-8 files, read one after the other.
    pub paths: Vec<PathBuf>,
    /// `"byte"` (the default), `"char"`, `"gpt2"`, or a `tokenizer.json`.
    #[serde(default)]
    pub tokenizer: TokenizerName,
    /// Tokens that a model reads at once; 128 by default.
    #[serde(default = "default_seq_len")]
    pub seq_len: NonZero<u32>,
    /// The share of the tokens, at the end, that is held out; 0.05 by default.
    #[serde(default = "default_held_out")]
    pub held_out: f64,
    /// Where tokens are kept, if not in the usual cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_dir: Option<PathBuf>,
}

fn default_held_out() -> f64 {
    HELD_OUT
}

/// The text of some files: every offset of a split is an example.
#[derive(Debug)]
pub struct Text(Windows);

impl Dataset for Text {
    type Config = TextConfig;

    fn build(config: &TextConfig, place: &Place<'_>) -> Result<Self> {
        let here = |path: &PathBuf| place.base_dir.join(path);
        let paths: Vec<_> = config.paths.iter().map(here).collect();
        let tokenizer = config.tokenizer.beside(place.base_dir);
        let cache_dir = config.cache_dir.as_ref().map(here);
        text::open(&paths, &tokenizer, config.held_out, cache_dir.as_deref())
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

    /// Paths and tokenizer are left to the fingerprint, which is of both their
    /// contents.
    fn identity(config: &TextConfig) -> Value {
        json!({ "seq_len": config.seq_len, "held_out": config.held_out })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fs;
    use std::path::Path;

    use flops_fit_plugin::tch::Tensor;

    use super::*;

    fn open(folder: &Path, config: &str) -> Result<Text> {
        let mut config: TextConfig = serde_json::from_str(config)?;
        config.cache_dir = Some(PathBuf::from("cache"));
        Text::build(&config, &Place { base_dir: folder })
    }

    #[test]
    fn paths_start_at_the_manifest() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.txt"), "abcdefghij").unwrap();
        let config = r#"{"paths": ["a.txt"], "tokenizer": "char", "seq_len": 3, "held_out": 0.4}"#;
        let text = open(folder.path(), config).unwrap();
        let description = text.description();
        assert_eq!(description.unique_units, Some(6));
        assert_eq!(
            (description.train_examples, description.held_out_examples),
            (Some(3), Some(1))
        );
        let draws = [2, 0].map(|index| Draw { index, seed: 0 });
        let batch = text.batch(Split::Train, &draws).unwrap();
        assert_eq!(
            batch.inputs[0],
            Tensor::from_slice(&[2_i64, 3, 4, 0, 1, 2]).view([2, 3])
        );
        assert_eq!(
            batch.targets[0],
            Tensor::from_slice(&[3_i64, 4, 5, 1, 2, 3]).view([2, 3])
        );
        assert!(text.batch(Split::HeldOut, &draws).is_err());
        assert!(folder.path().join("cache/tokens").is_dir());
    }

    #[test]
    fn a_refusal_names_the_key() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.txt"), "abcdefghij").unwrap();
        let check = |config: &str, key: &str| {
            let error = open(folder.path(), config).unwrap_err();
            assert_eq!(error.key(), Some(key), "{error}");
        };
        check(r#"{"paths": []}"#, "paths");
        check(r#"{"paths": ["b.txt"]}"#, "paths");
        check(r#"{"paths": ["a.txt"], "held_out": 1.5}"#, "held_out");
        check(r#"{"paths": ["a.txt"], "seq_len": 9}"#, "seq_len");
        check(
            r#"{"paths": ["a.txt"], "tokenizer": "none.json"}"#,
            "tokenizer",
        );
        let error = open(
            folder.path(),
            r#"{"paths": ["a.txt"], "tokenizer": "gpt3"}"#,
        );
        assert!(
            error
                .unwrap_err()
                .message()
                .contains("unknown tokenizer \"gpt3\"")
        );
    }

    #[test]
    fn where_the_text_lies_is_no_part_of_its_identity() {
        let parse = |config| Text::identity(&serde_json::from_str(config).unwrap());
        let one = parse(r#"{"paths": ["a.txt"], "seq_len": 64}"#);
        assert_eq!(
            one,
            parse(r#"{"paths": ["/b.txt"], "cache_dir": "/c", "seq_len": 64}"#)
        );
        assert_ne!(one, parse(r#"{"paths": ["a.txt"], "seq_len": 32}"#));
    }
}
