//! Any UTF-8 files as a dataset: tokenised whole, the end of it held out.

use std::path::{Path, PathBuf};

use super::DataError;
use super::corpus::{Corpus, Stretch};
use super::tokens::{Layout, Recipe, TokenizerName};
use flops_fit_data::Cache;

/// The share of the tokens that is held out unless the manifest says otherwise.
pub const HELD_OUT: f64 = 0.05;

/// Tokenises the files, one after the other, and splits the result: the first
/// `1 - held_out` of the tokens trains, the rest is held out.
pub fn open(
    paths: &[PathBuf],
    tokenizer: &TokenizerName,
    held_out: f64,
    cache_dir: Option<&Path>,
) -> Result<Corpus, DataError> {
    if !(held_out > 0.0 && held_out < 1.0) {
        return Err(DataError::HeldOut { found: held_out });
    }
    let cache = Cache::locate(cache_dir)?;
    let recipe = Recipe {
        sources: paths,
        tokenizer,
        layout: Layout::Plain,
    };
    let (file, fingerprint) = recipe.tokens(&cache)?;
    let tokens = file.tokens();
    let bytes: u64 = file.parts().iter().map(|part| part.bytes).sum();
    let train = (tokens as f64 * (1.0 - held_out)) as u64;
    Ok(Corpus {
        vocabulary: file.vocabulary(),
        bytes_per_token: bytes as f64 / tokens.max(1) as f64,
        fingerprint,
        train: Stretch::new(file.clone(), 0..train),
        held_out: Stretch::new(file, train..tokens),
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use super::*;

    fn corpus(text: &str, held_out: f64) -> Result<Corpus, DataError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        fs::write(&path, text).unwrap();
        open(&[path], &TokenizerName::Char, held_out, Some(folder.path()))
    }

    #[test]
    fn the_end_is_held_out_and_every_offset_is_a_window() {
        let text: String = ('a'..='t').collect();
        let corpus = corpus(&text, 0.25).unwrap();
        assert_eq!(
            (
                corpus.vocabulary,
                corpus.train.tokens(),
                corpus.held_out.tokens()
            ),
            (20, 15, 5)
        );
        assert_eq!(
            (corpus.train.windows(3), corpus.held_out.windows(3)),
            (12, 2)
        );
        let mut window = [0; 4];
        corpus.train.window(11, &mut window).unwrap();
        assert_eq!(window, [11, 12, 13, 14]);
        corpus.held_out.window(0, &mut window).unwrap();
        assert_eq!(window, [15, 16, 17, 18]);
        let beyond = corpus.held_out.window(2, &mut window);
        assert!(matches!(
            beyond,
            Err(DataError::NoSuchWindow {
                index: 2,
                windows: 2
            })
        ));
    }

    #[test]
    fn a_text_too_short_for_a_window_is_refused() {
        let corpus = corpus(&"x".repeat(100), 0.05).unwrap();
        corpus.check(4).unwrap();
        let error = corpus.check(5).unwrap_err();
        assert!(
            matches!(
                error,
                DataError::TooShort {
                    split: "held-out",
                    tokens: 5,
                    seq_len: 5
                }
            ),
            "{error}"
        );
        assert!(error.to_string().contains("needs 6"), "{error}");
    }

    #[test]
    fn bytes_per_token_counts_utf8() {
        assert!((corpus("aß", 0.5).unwrap().bytes_per_token - 1.5).abs() < 1e-12);
    }

    #[test]
    fn an_impossible_split_is_refused() {
        for held_out in [0.0, 1.0, -0.1, f64::NAN] {
            assert!(matches!(
                corpus("abc", held_out),
                Err(DataError::HeldOut { .. })
            ));
        }
    }

    /// The demonstration text of the project, where it is at hand.
    #[test]
    fn the_novels_split_as_measured() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/austen.txt");
        if !path.exists() {
            let mut stderr = std::io::stderr();
            writeln!(stderr, "skipped: ../shared/data/austen.txt is not here").unwrap();
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let corpus = open(&[path], &TokenizerName::Char, HELD_OUT, Some(folder.path())).unwrap();
        // 4 025 035 bytes, one character of two bytes among them.
        assert_eq!(
            (corpus.train.tokens(), corpus.held_out.tokens()),
            (3_823_782, 201_252)
        );
        assert_eq!(corpus.vocabulary, 81);
    }
}
