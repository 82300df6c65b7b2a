//! The `TinyStories` of Eldan & Li (2023, arXiv 2305.07759), version 2, written by
//! GPT-4: the official files at one revision, fetched only if the manifest asks.

use std::env;
use std::path::{Path, PathBuf};

use flops_fit_data::download::Expected;
use flops_fit_data::{Cache, FetchError, Fetcher};

use super::DataError;
use super::corpus::{Corpus, Stretch};
use super::tokens::{Layout, Recipe, TokenizerName};

/// The revision of the dataset that this module means.
pub const REVISION: &str = "f54c09fd23315a6f9c86f9dc80f725de7d8f9c64";
/// What models are trained on, 2.23 GB.
pub const TRAIN: &str = "TinyStoriesV2-GPT4-train.txt";
/// The official held-out split, 22.5 MB.
pub const VALID: &str = "TinyStoriesV2-GPT4-valid.txt";

/// The hub that holds the dataset, unless `base_url` or `HF_ENDPOINT` names a
/// mirror of it.
const HUB: &str = "https://huggingface.co";

/// Where the official files are, or come from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Source<'a> {
    /// A folder that holds the files, or shall; `tinystories/<revision>` in the
    /// cache by default.
    pub dir: Option<&'a Path>,
    /// Whether absent files may be downloaded.
    pub download: bool,
    /// A mirror of the hub.
    pub base_url: Option<&'a str>,
    /// The cache, if not the usual one.
    pub cache_dir: Option<&'a Path>,
}

/// Finds or fetches the official files and tokenises them: documents without
/// white space around them, each ended by the end-of-text token. The official
/// validation file is the held-out split.
pub fn open(source: Source<'_>, tokenizer: &TokenizerName) -> Result<Corpus, DataError> {
    let cache = Cache::locate(source.cache_dir)?;
    let folder = match source.dir {
        Some(dir) => dir.to_path_buf(),
        None => cache.path("tinystories", REVISION)?,
    };
    let files = [TRAIN, VALID].map(|name| folder.join(name));
    let absent: Vec<&PathBuf> = files.iter().filter(|path| !path.exists()).collect();
    if !absent.is_empty() {
        if !source.download {
            let files = absent.into_iter().cloned().collect();
            let size = "2.3 GB";
            return Err(FetchError::Absent { files, size }.into());
        }
        let base = base_url(source.base_url, env::var("HF_ENDPOINT").ok());
        let fetcher = Fetcher::new();
        // The small file first: if anything is wrong it shows at once.
        for (path, name) in files.iter().zip([TRAIN, VALID]).rev() {
            fetcher.fetch(&url(&base, name), Expected::Linked, path)?;
        }
    }
    let recipe = Recipe {
        sources: &files,
        tokenizer,
        layout: Layout::Documents,
    };
    let (file, fingerprint) = recipe.tokens(&cache)?;
    let (train, valid) = (file.parts()[0], file.parts()[1]);
    Ok(Corpus {
        vocabulary: file.vocabulary(),
        bytes_per_token: valid.bytes as f64 / valid.tokens.max(1) as f64,
        fingerprint,
        train: Stretch::new(file.clone(), 0..train.tokens),
        held_out: Stretch::new(file, train.tokens..train.tokens + valid.tokens),
    })
}

/// The hub to ask: the manifest's, else the environment's, else the usual one.
fn base_url(configured: Option<&str>, environment: Option<String>) -> String {
    configured
        .map(str::to_owned)
        .or(environment.filter(|url| !url.is_empty()))
        .unwrap_or_else(|| HUB.to_owned())
}

fn url(base: &str, name: &str) -> String {
    let base = base.trim_end_matches('/');
    format!("{base}/datasets/roneneldan/TinyStories/resolve/{REVISION}/{name}")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_address_is_that_of_the_revision() {
        assert_eq!(
            url(
                &base_url(Some("http://mirror/"), Some("http://other".to_owned())),
                VALID
            ),
            "http://mirror/datasets/roneneldan/TinyStories/resolve/\
             f54c09fd23315a6f9c86f9dc80f725de7d8f9c64/TinyStoriesV2-GPT4-valid.txt"
        );
        assert_eq!(
            base_url(None, Some("http://other".to_owned())),
            "http://other"
        );
        assert_eq!(base_url(None, Some(String::new())), HUB);
    }

    #[test]
    fn files_that_lie_there_are_used_and_split_by_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join(TRAIN),
            "One.\n<|endoftext|>\nTwo.\n<|endoftext|>\n",
        )
        .unwrap();
        fs::write(folder.path().join(VALID), "Owl.\n<|endoftext|>\n").unwrap();
        let cache = folder.path().join("cache");
        let source = Source {
            dir: Some(folder.path()),
            cache_dir: Some(&cache),
            ..Source::default()
        };
        let corpus = open(source, &TokenizerName::Byte).unwrap();
        assert_eq!((corpus.train.tokens(), corpus.held_out.tokens()), (10, 5));
        assert!((corpus.bytes_per_token - 4.0 / 5.0).abs() < 1e-12);
        let mut window = [0; 4];
        corpus.held_out.window(0, &mut window).unwrap();
        assert_eq!(window, [79, 119, 108, 46]);
        corpus.train.window(4, &mut window).unwrap();
        assert_eq!(window, [0, 84, 119, 111]);
    }

    #[test]
    fn nothing_is_downloaded_unasked() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(VALID), "Owl.").unwrap();
        let source = Source {
            dir: Some(folder.path()),
            cache_dir: Some(folder.path()),
            // Would fail in another way if it were asked.
            base_url: Some("http://127.0.0.1:1"),
            download: false,
        };
        let error = open(source, &TokenizerName::Byte).unwrap_err();
        let DataError::Fetch(FetchError::Absent { files, .. }) = &error else {
            panic!("{error}");
        };
        assert_eq!(files, &[folder.path().join(TRAIN)]);
        assert!(
            error.to_string().contains("dataset.config.download = true"),
            "{error}"
        );
    }
}
