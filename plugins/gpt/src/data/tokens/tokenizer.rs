//! The tokenizers that a manifest can name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use flops_fit_data::Digest;
use serde::{Deserialize, Serialize};
use tiktoken_rs::CoreBPE;

use super::{END_OF_TEXT, Layout};
use crate::data::DataError;

/// Tokens of GPT-2's byte-pair encoding, the end-of-text token among them.
const GPT2_VOCABULARY: usize = 50_257;
/// GPT-2's end-of-text token.
const GPT2_END_OF_TEXT: u32 = 50_256;
/// What ends a document where a token is a byte or a character: no text has it.
const NUL: char = '\0';

/// A tokenizer by its name in the manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TokenizerName {
    /// `"byte"`: the bytes of the UTF-8 text, vocabulary 256.
    #[default]
    Byte,
    /// `"char"`: characters; the vocabulary is those that occur, in order.
    Char,
    /// `"gpt2"`: GPT-2's byte-pair encoding, vocabulary 50 257.
    Gpt2,
    /// A path that ends in `.json`: a file of the tokenizers library.
    File(PathBuf),
}

impl FromStr for TokenizerName {
    type Err = DataError;

    fn from_str(name: &str) -> Result<Self, DataError> {
        match name {
            "byte" => Ok(Self::Byte),
            "char" => Ok(Self::Char),
            "gpt2" => Ok(Self::Gpt2),
            _ if Path::new(name).extension().is_some_and(|e| e == "json") => {
                Ok(Self::File(PathBuf::from(name)))
            }
            _ => Err(DataError::UnknownTokenizer {
                found: name.to_owned(),
            }),
        }
    }
}

impl TokenizerName {
    /// The same tokenizer, a relative path starting in `folder`.
    #[must_use]
    pub fn beside(&self, folder: &Path) -> Self {
        match self {
            Self::File(path) => Self::File(folder.join(path)),
            other => other.clone(),
        }
    }
}

impl TryFrom<String> for TokenizerName {
    type Error = DataError;

    fn try_from(name: String) -> Result<Self, DataError> {
        name.parse()
    }
}

impl From<TokenizerName> for String {
    fn from(name: TokenizerName) -> Self {
        match name {
            TokenizerName::Byte => "byte".to_owned(),
            TokenizerName::Char => "char".to_owned(),
            TokenizerName::Gpt2 => "gpt2".to_owned(),
            TokenizerName::File(path) => path.to_string_lossy().into_owned(),
        }
    }
}

/// What a tokenizer is made from. To know it is enough to find tokens that are
/// there already, and much quicker than to make the tokenizer.
pub(super) enum Ingredients {
    Byte,
    Char,
    Gpt2,
    File { path: PathBuf, json: Vec<u8> },
}

impl Ingredients {
    pub(super) fn gather(name: &TokenizerName) -> Result<Self, DataError> {
        Ok(match name {
            TokenizerName::Byte => Self::Byte,
            TokenizerName::Char => Self::Char,
            TokenizerName::Gpt2 => Self::Gpt2,
            TokenizerName::File(path) => {
                let path = path.clone();
                match fs::read(&path) {
                    Ok(json) => Self::File { path, json },
                    Err(source) => return Err(DataError::TokenizerUnreadable { path, source }),
                }
            }
        })
    }

    /// What of the tokenizer decides the ids, besides the text.
    pub(super) fn identity(&self) -> String {
        match self {
            Self::Byte => "byte".to_owned(),
            Self::Char => "char".to_owned(),
            Self::Gpt2 => "gpt2".to_owned(),
            Self::File { json, .. } => format!("file {}", Digest::of(json)),
        }
    }
}

/// A tokenizer at hand. It works in any number of threads.
pub(super) enum Tokenizer {
    Byte,
    /// The characters that have ids, ascending; none before [`Self::learn`].
    Char(Vec<char>),
    Gpt2(&'static CoreBPE),
    File {
        path: PathBuf,
        tokenizer: Box<tokenizers::Tokenizer>,
    },
}

impl Tokenizer {
    pub(super) fn load(ingredients: Ingredients) -> Result<Self, DataError> {
        Ok(match ingredients {
            Ingredients::Byte => Self::Byte,
            Ingredients::Char => Self::Char(Vec::new()),
            Ingredients::Gpt2 => Self::Gpt2(tiktoken_rs::r50k_base_singleton()),
            Ingredients::File { path, json } => match tokenizers::Tokenizer::from_bytes(json) {
                Ok(tokenizer) => Self::File {
                    path,
                    tokenizer: Box::new(tokenizer),
                },
                Err(source) => return Err(DataError::Tokenizer { path, source }),
            },
        })
    }

    /// Whether it must see the whole text before it can encode any of it.
    pub(super) fn learns(&self) -> bool {
        matches!(self, Self::Char(_))
    }

    /// Gives ids to the characters that occur. Does nothing unless
    /// [`learns`](Self::learns).
    pub(super) fn learn(&mut self, mut occurring: BTreeSet<char>, layout: Layout) {
        if let Self::Char(alphabet) = self {
            if layout == Layout::Documents {
                occurring.insert(NUL);
            }
            *alphabet = occurring.into_iter().collect();
        }
    }

    /// Every id is below this.
    pub(super) fn vocabulary(&self) -> usize {
        match self {
            Self::Byte => 256,
            Self::Char(alphabet) => alphabet.len(),
            Self::Gpt2(_) => GPT2_VOCABULARY,
            // The ids of a file may have gaps.
            Self::File { tokenizer, .. } => tokenizer
                .get_vocab(true)
                .values()
                .max()
                .map_or(0, |&id| id as usize + 1),
        }
    }

    /// The ids of a block, and how many bytes of text they stand for. Documents
    /// are stripped of white space at both ends and each followed by the
    /// end-of-text token.
    pub(super) fn encode(&self, block: &str, layout: Layout) -> Result<(Vec<u32>, u64), DataError> {
        let mut ids = Vec::with_capacity(block.len() / 2);
        if layout == Layout::Plain {
            self.append(block, &mut ids)?;
            return Ok((ids, block.len() as u64));
        }
        let end = self.end_of_text()?;
        let mut bytes = 0;
        for document in block
            .split(END_OF_TEXT)
            .map(str::trim)
            .filter(|text| !text.is_empty())
        {
            self.append(document, &mut ids)?;
            ids.push(end);
            bytes += document.len() as u64;
        }
        Ok((ids, bytes))
    }

    fn append(&self, text: &str, ids: &mut Vec<u32>) -> Result<(), DataError> {
        match self {
            Self::Byte => ids.extend(text.bytes().map(u32::from)),
            Self::Char(alphabet) => ids.extend(text.chars().map(|c| id_of(alphabet, c))),
            Self::Gpt2(bpe) => ids.extend(bpe.encode_ordinary(text)),
            Self::File {
                path, tokenizer, ..
            } => {
                let encoding =
                    tokenizer
                        .encode_fast(text, false)
                        .map_err(|source| DataError::Tokenizer {
                            path: path.clone(),
                            source,
                        })?;
                ids.extend(encoding.get_ids());
            }
        }
        Ok(())
    }

    fn end_of_text(&self) -> Result<u32, DataError> {
        match self {
            Self::Byte => Ok(NUL as u32),
            Self::Char(alphabet) => Ok(id_of(alphabet, NUL)),
            Self::Gpt2(_) => Ok(GPT2_END_OF_TEXT),
            Self::File {
                path, tokenizer, ..
            } => tokenizer
                .token_to_id(END_OF_TEXT)
                .ok_or_else(|| DataError::NoEndOfText { path: path.clone() }),
        }
    }
}

/// The place of a character in the alphabet that was learnt from the same text.
fn id_of(alphabet: &[char], c: char) -> u32 {
    alphabet
        .binary_search(&c)
        .expect("the alphabet holds every character of its text") as u32
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn load(name: &TokenizerName) -> Result<Tokenizer, DataError> {
        Tokenizer::load(Ingredients::gather(name)?)
    }

    fn encode(name: &TokenizerName, text: &str, layout: Layout) -> (Vec<u32>, u64) {
        let mut tokenizer = load(name).unwrap();
        tokenizer.learn(text.chars().collect(), layout);
        tokenizer.encode(text, layout).unwrap()
    }

    #[test]
    fn names_are_parsed() {
        assert_eq!(
            "char".parse::<TokenizerName>().unwrap(),
            TokenizerName::Char
        );
        let file = "a/b.json".parse::<TokenizerName>().unwrap();
        assert_eq!(file, TokenizerName::File(PathBuf::from("a/b.json")));
        let error = "gpt3".parse::<TokenizerName>().unwrap_err();
        assert!(
            error.to_string().starts_with("unknown tokenizer \"gpt3\""),
            "{error}"
        );
    }

    #[test]
    fn bytes_and_characters_get_their_ids() {
        assert_eq!(
            encode(&TokenizerName::Byte, "aß", Layout::Plain),
            (vec![97, 195, 159], 3)
        );
        assert_eq!(
            encode(&TokenizerName::Char, "caßa", Layout::Plain),
            (vec![1, 0, 2, 0], 5)
        );
    }

    /// The ids are those of `OpenAI`'s own encoder for this sentence.
    #[test]
    fn gpt2_is_gpt2() {
        let (ids, bytes) = encode(
            &TokenizerName::Gpt2,
            "Hello world, it's 2024!",
            Layout::Plain,
        );
        assert_eq!(ids, [15496, 995, 11, 340, 338, 48609, 0]);
        assert_eq!(bytes, 23);
    }

    #[test]
    fn documents_are_stripped_and_ended() {
        let text = format!("ab\n{END_OF_TEXT}\n\nb\n{END_OF_TEXT}\n");
        let check = |name, expected: &[u32]| {
            assert_eq!(
                encode(&name, &text, Layout::Documents),
                (expected.to_vec(), 3)
            );
        };
        check(TokenizerName::Byte, &[97, 98, 0, 98, 0]);
        check(TokenizerName::Gpt2, &[397, 50_256, 65, 50_256]);
        let (ids, _) = encode(&TokenizerName::Char, &text, Layout::Documents);
        assert_eq!((ids[2], ids[1] == ids[3], ids.len()), (0, true, 5));
    }

    #[test]
    fn a_tokenizer_file_is_used_and_a_broken_one_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokenizer.json");
        let json = r#"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
            "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "Whitespace"},
            "post_processor": null, "decoder": null, "model": {"type": "WordLevel",
            "vocab": {"<unk>": 0, "cat": 1, "sat": 7}, "unk_token": "<unk>"}}"#;
        fs::write(&path, json).unwrap();
        let name = TokenizerName::File(path.clone());
        let tokenizer = load(&name).unwrap();
        assert_eq!(tokenizer.vocabulary(), 8);
        let (ids, bytes) = tokenizer.encode("Cat sat, cat.", Layout::Plain).unwrap();
        assert_eq!((ids, bytes), (vec![1, 7, 0, 1, 0], 13));
        let documents = tokenizer.encode("cat", Layout::Documents);
        assert!(matches!(documents, Err(DataError::NoEndOfText { .. })));

        fs::write(&path, &json[1..]).unwrap();
        assert!(matches!(load(&name), Err(DataError::Tokenizer { .. })));
        fs::remove_file(&path).unwrap();
        assert!(matches!(
            load(&name),
            Err(DataError::TokenizerUnreadable { .. })
        ));
    }
}
