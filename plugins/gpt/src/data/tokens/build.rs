//! Makes a token file, or finds the one that another worker made.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use flops_fit_data::cache::{Cache, Lock};
use flops_fit_data::progress::Progress;
use flops_fit_data::{Digest, FileError};
use sha2::{Digest as _, Sha256};

use super::TokenizerName;
use super::blocks::Blocks;
use super::file::{Damage, TokenFile, TokenWriter};
use super::tokenizer::{Ingredients, Tokenizer};
use crate::data::DataError;

/// Part of each key: it changes when the same text would get other tokens.
const RECIPE_VERSION: &str = "flops-fit tokens 1";

/// How a file holds its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One text, every byte of it.
    Plain,
    /// Documents between [`END_OF_TEXT`](super::END_OF_TEXT) lines.
    Documents,
}

impl Layout {
    const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Documents => "documents",
        }
    }
}

/// What decides the ids of a token file.
#[derive(Clone, Copy, Debug)]
pub struct Recipe<'a> {
    /// UTF-8 files, in order; each becomes a part.
    pub sources: &'a [PathBuf],
    /// How text becomes ids.
    pub tokenizer: &'a TokenizerName,
    /// How the files hold it.
    pub layout: Layout,
}

impl Recipe<'_> {
    /// The tokens, from the cache if they are there, and the hash that names
    /// them: of the content, the tokenizer and the layout, in hexadecimal.
    ///
    /// Of several processes that ask at once one does the work, on all cores,
    /// and the others wait for it.
    pub fn tokens(&self, cache: &Cache) -> Result<(Arc<TokenFile>, String), DataError> {
        if self.sources.is_empty() {
            return Err(DataError::NoFiles);
        }
        let digests = self
            .sources
            .iter()
            .map(|path| Digest::of_file(path, cache))
            .collect::<Result<Vec<_>, _>>()?;
        let tokenizer = Ingredients::gather(self.tokenizer)?;
        let key = self.key(&tokenizer, &digests);
        let path = cache.path("tokens", &format!("{key}.tokens"))?;
        let cache_failed = |source| {
            DataError::from(FileError::Cache {
                path: path.clone(),
                source,
            })
        };
        let mut found = find(&path, key, |_| ()).map_err(cache_failed)?;
        if found.is_none() {
            let _lock = Lock::of(&path).map_err(cache_failed)?;
            found = find(&path, key, |damage| say(&path, damage)).map_err(cache_failed)?;
            if found.is_none() {
                self.build(Tokenizer::load(tokenizer)?, &digests, key, &path)?;
                found = find(&path, key, |damage| say(&path, damage)).map_err(cache_failed)?;
            }
        }
        let file = found.ok_or_else(|| {
            cache_failed(io::Error::new(
                io::ErrorKind::InvalidData,
                "not as it was just written",
            ))
        })?;
        Ok((Arc::new(file), key.to_string()))
    }

    fn key(&self, tokenizer: &Ingredients, digests: &[Digest]) -> Digest {
        let mut hasher = Sha256::new();
        for text in [RECIPE_VERSION, self.layout.name(), &tokenizer.identity()] {
            hasher.update(text);
            hasher.update("\n");
        }
        for digest in digests {
            hasher.update(digest.0);
        }
        Digest(hasher.finalize().into())
    }

    fn build(
        &self,
        mut tokenizer: Tokenizer,
        digests: &[Digest],
        key: Digest,
        path: &Path,
    ) -> Result<(), DataError> {
        let cache_failed = |source| {
            DataError::from(FileError::Cache {
                path: path.to_path_buf(),
                source,
            })
        };
        if tokenizer.learns() {
            let mut occurring = BTreeSet::new();
            for source in self.sources {
                for block in Blocks::new(open(source)?, source, self.layout) {
                    occurring.extend(block?.chars());
                }
            }
            tokenizer.learn(occurring, self.layout);
        }
        let mut writer = TokenWriter::create(path, tokenizer.vocabulary(), self.sources.len())
            .map_err(cache_failed)?;
        for (part, (source, &digest)) in self.sources.iter().zip(digests).enumerate() {
            let mut hashing = Hashing {
                reader: open(source)?,
                hasher: Sha256::new(),
            };
            let blocks = Blocks::new(&mut hashing, source, self.layout);
            let size = source.metadata().map_or(0, |found| found.len());
            let mut progress = Progress::new(format!("tokenising {}", source.display()), 0, size);
            in_order(blocks, &tokenizer, self.layout, |read, ids, bytes| {
                progress.advance(read);
                writer.append(part, ids, bytes).map_err(cache_failed)
            })?;
            if Digest(hashing.hasher.finalize().into()) != digest {
                return Err(DataError::Changed {
                    path: source.clone(),
                });
            }
        }
        writer.finish(key).map_err(cache_failed)
    }
}

fn open(source: &Path) -> Result<File, DataError> {
    File::open(source).map_err(|error| DataError::Unreadable {
        path: source.to_path_buf(),
        source: error,
    })
}

/// The token file if it is there and whole; `unusable` hears what is wrong with
/// one that is there.
fn find(path: &Path, key: Digest, unusable: impl FnOnce(Damage)) -> io::Result<Option<TokenFile>> {
    match TokenFile::open(path, key) {
        Ok(Ok(file)) => Ok(Some(file)),
        Ok(Err(damage)) => {
            unusable(damage);
            Ok(None)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Says that a token file has to be made again.
fn say(path: &Path, damage: Damage) {
    // A courtesy: nothing depends on whether anybody can read it.
    let _ = writeln!(io::stderr(), "making {} again: {damage}", path.display());
}

/// Encodes blocks on all cores and hands over each one's size, ids and text
/// bytes, in the order of the text.
fn in_order(
    mut blocks: impl Iterator<Item = Result<String, DataError>>,
    tokenizer: &Tokenizer,
    layout: Layout,
    mut take: impl FnMut(u64, &[u32], u64) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    loop {
        let round = blocks
            .by_ref()
            .take(threads)
            .collect::<Result<Vec<_>, _>>()?;
        if round.is_empty() {
            return Ok(());
        }
        let encoded: Vec<_> = thread::scope(|scope| {
            let workers: Vec<_> = round
                .iter()
                .map(|block| scope.spawn(|| tokenizer.encode(block, layout)))
                .collect();
            workers
                .into_iter()
                .map(thread::ScopedJoinHandle::join)
                .collect()
        });
        for (block, result) in round.iter().zip(encoded) {
            let (ids, bytes) = result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            take(block.len() as u64, &ids, bytes)?;
        }
    }
}

/// Hashes what passes through.
struct Hashing<R> {
    reader: R,
    hasher: Sha256,
}

impl<R: Read> Read for &mut Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.hasher.update(&buffer[..length]);
        Ok(length)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fs;

    use super::*;
    use crate::data::stories;

    struct Bench {
        folder: tempfile::TempDir,
        cache: Cache,
    }

    impl Bench {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let cache = Cache::at(folder.path().join("cache"));
            Self { folder, cache }
        }

        fn file(&self, name: &str, text: &[u8]) -> PathBuf {
            let path = self.folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        }

        fn tokens(&self, sources: &[PathBuf], name: &str) -> Result<(Vec<i64>, String), DataError> {
            let tokenizer = &name.parse()?;
            let recipe = Recipe {
                sources,
                tokenizer,
                layout: Layout::Plain,
            };
            let (file, key) = recipe.tokens(&self.cache)?;
            let mut ids = vec![0; file.tokens() as usize];
            file.copy(0, &mut ids);
            Ok((ids, key))
        }

        fn token_files(&self) -> Vec<PathBuf> {
            let found = fs::read_dir(self.folder.path().join("cache/tokens")).unwrap();
            let mut paths: Vec<_> = found.map(|entry| entry.unwrap().path()).collect();
            paths.retain(|path| path.extension().is_some_and(|e| e == "tokens"));
            paths
        }
    }

    /// Three blocks' worth of made-up stories, as GPT-2 would see them whole.
    #[test]
    fn blocks_do_not_change_the_tokens_of_gpt2() {
        let mut text = Vec::new();
        for index in 0..9000 {
            stories::story(0, index, &mut text);
            if index % 5 == 0 {
                text.extend_from_slice("  \r\n\n \t Ünïcode\u{3000}\n".as_bytes());
            }
        }
        assert!(text.len() > 5 << 19, "{}", text.len());
        let whole =
            tiktoken_rs::r50k_base_singleton().encode_ordinary(str::from_utf8(&text).unwrap());
        let bench = Bench::new();
        let (ids, _) = bench.tokens(&[bench.file("a.txt", &text)], "gpt2").unwrap();
        assert_eq!(ids.len(), whole.len());
        assert!(
            ids.iter()
                .zip(&whole)
                .all(|(&id, &expected)| id == i64::from(expected))
        );
    }

    #[test]
    fn the_key_is_of_the_content_and_not_of_the_path() {
        let bench = Bench::new();
        let (a, same) = (
            bench.file("a.txt", b"abba\n"),
            bench.file("b.txt", b"abba\n"),
        );
        let other = bench.file("c.txt", b"abbc\n");
        let key = |sources: &[&PathBuf], tokenizer| {
            let sources: Vec<_> = sources.iter().map(|&path| path.clone()).collect();
            bench.tokens(&sources, tokenizer).unwrap().1
        };
        assert_eq!(key(&[&a], "byte"), key(&[&same], "byte"));
        assert_eq!(bench.token_files().len(), 1);
        let keys = [
            key(&[&a], "byte"),
            key(&[&other], "byte"),
            key(&[&a], "char"),
            key(&[&a, &other], "byte"),
            key(&[&other, &a], "byte"),
        ];
        let distinct: BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
        assert_eq!(bench.token_files().len(), keys.len());
    }

    #[test]
    fn characters_of_all_files_share_one_vocabulary() {
        let bench = Bench::new();
        let sources = [
            bench.file("a.txt", b"cab"),
            bench.file("b.txt", "dß".as_bytes()),
        ];
        assert_eq!(bench.tokens(&sources, "char").unwrap().0, [2, 0, 1, 3, 4]);
    }

    #[test]
    fn a_damaged_token_file_is_made_again() {
        let bench = Bench::new();
        let sources = [bench.file("a.txt", b"cab")];
        let good = bench.tokens(&sources, "byte").unwrap();
        for damage in [
            &b"FFTO"[..],
            b"",
            b"something else altogether, long enough to look at",
        ] {
            fs::write(&bench.token_files()[0], damage).unwrap();
            assert_eq!(bench.tokens(&sources, "byte").unwrap(), good);
            assert!(fs::metadata(&bench.token_files()[0]).unwrap().len() > 80);
        }
    }

    /// An unfinished file of a killed process is in nobody's way.
    #[test]
    fn leftovers_are_overwritten() {
        let bench = Bench::new();
        let sources = [bench.file("a.txt", b"cab")];
        bench.tokens(&sources, "byte").unwrap();
        let path = bench.token_files().remove(0);
        fs::rename(&path, flops_fit_data::cache::beside(&path, "partial")).unwrap();
        assert_eq!(bench.tokens(&sources, "byte").unwrap().0, [99, 97, 98]);
    }

    #[test]
    fn many_at_once_build_once() {
        let bench = Bench::new();
        let mut text = Vec::new();
        (0..4000).for_each(|index| stories::story(0, index, &mut text));
        let sources = [bench.file("a.txt", &text)];
        let inodes: BTreeSet<u64> = thread::scope(|scope| {
            let workers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        use std::os::unix::fs::MetadataExt as _;
                        bench.tokens(&sources, "gpt2").unwrap();
                        fs::metadata(&bench.token_files()[0]).unwrap().ino()
                    })
                })
                .collect();
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap())
                .collect()
        });
        assert_eq!(inodes.len(), 1, "the file was replaced by a second build");
    }

    #[test]
    fn what_is_wrong_with_the_files_is_said() {
        let bench = Bench::new();
        assert!(matches!(bench.tokens(&[], "byte"), Err(DataError::NoFiles)));
        let missing = bench.folder.path().join("none.txt");
        let found = bench.tokens(std::slice::from_ref(&missing), "byte");
        assert!(matches!(found, Err(DataError::Unreadable { path, .. }) if path == missing));
        let latin = bench.file("latin.txt", b"caf\xe9 noir");
        let error = bench.tokens(&[latin], "byte").unwrap_err();
        assert!(
            matches!(error, DataError::NotUtf8 { offset: 3, .. }),
            "{error}"
        );
        let blocked = Bench::new();
        blocked.file("cache", b"a file where a folder should be");
        let found = blocked.tokens(&[blocked.file("a.txt", b"a")], "byte");
        assert!(
            matches!(found, Err(DataError::Files(FileError::Cache { .. }))),
            "{found:?}"
        );
    }
}
