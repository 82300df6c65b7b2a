//! An endless text in an **invented language**: English in its grammar and its
//! commonest words, made up in all others, and about nothing.
//!
//! It needs no download, every window of it is a pure function of a seed and an
//! index, and it is hard enough that a sweep over it shows a clean scaling law:
//! words follow Zipf's law, and three times in four a word is one of the eight
//! partners of the word before it, so that there are some 258 000 facts about
//! word pairs to learn, each a little rarer than the last.
//!
//! The recipe is frozen under [`VERSION`]: integers only, no floats, no state
//! outside a story, the same bytes on every machine. Its tests hold it to the
//! hashes of a reference implementation.

mod alphabet;
mod frequency;
mod grammar;
mod lexicon;
mod spelling;
mod teller;

use std::sync::OnceLock;

pub use alphabet::{VOCABULARY, decode, encode};
use flops_fit_data::hash::{GOLDEN, mix};
use teller::{Beginning, Language, tell};

/// The name of the recipe. It changes with any byte of the text.
pub const VERSION: &str = "stories-v1";

/// The stream that training examples come from.
pub const TRAINING_SEED: u64 = 1;
/// The stream that validation examples come from.
pub const VALIDATION_SEED: u64 = 2;

/// The key of story `story` of the page `index` of the stream `seed`. A page
/// has room for 4096 stories before it would meet the next page's.
const fn story_key(seed: u64, index: u64, story: u64) -> u64 {
    let place = index.wrapping_mul(4096).wrapping_add(story).wrapping_add(1);
    let spread = mix(place.wrapping_mul(0xD134_2543_DE82_EF95));
    mix(seed.wrapping_mul(GOLDEN).wrapping_add(spread))
}

/// The tables, built on first use in a few milliseconds.
fn language() -> &'static Language {
    static LANGUAGE: OnceLock<Language> = OnceLock::new();
    LANGUAGE.get_or_init(Language::new)
}

/// Appends story `index` of the stream `seed`, one line with its line feed:
/// 295 bytes on average.
pub fn story(seed: u64, index: u64, out: &mut Vec<u8>) {
    tell(
        language(),
        story_key(seed, index, 0),
        Beginning::Whole,
        usize::MAX,
        out,
    );
}

/// Fills `page` with example `index` of the stream `seed`: text that begins in
/// the middle of one story and goes on with others. Pages of one index agree in
/// their common length; pages of different indices share no story.
pub fn example(seed: u64, index: u64, page: &mut [u8]) {
    let mut text = Vec::with_capacity(page.len() + 192);
    page.copy_from_slice(page_text(seed, index, page.len(), &mut text));
}

/// [`example`] as token ids, each in 0..62.
pub fn example_ids(seed: u64, index: u64, ids: &mut [i64]) {
    let mut text = Vec::with_capacity(ids.len() + 192);
    let page = page_text(seed, index, ids.len(), &mut text);
    for (id, &byte) in ids.iter_mut().zip(page) {
        *id = alphabet::id_of_story_byte(byte);
    }
}

/// Writes stories to `text` until it holds the page, and returns the page in it.
fn page_text(seed: u64, index: u64, length: usize, text: &mut Vec<u8>) -> &[u8] {
    let language = language();
    let first = story_key(seed, index, 0);
    let torn_off = (mix(first ^ GOLDEN) & 63) as usize;
    let enough = torn_off + length;
    tell(language, first, Beginning::Torn, enough, text);
    let mut next = 1;
    while text.len() < enough {
        tell(
            language,
            story_key(seed, index, next),
            Beginning::Whole,
            enough,
            text,
        );
        next += 1;
    }
    &text[torn_off..enough]
}

#[cfg(test)]
mod tests {
    use md5::{Digest, Md5};

    use super::*;

    fn md5_of(text: &[u8]) -> String {
        format!("{:032x}", u128::from_be_bytes(Md5::digest(text).into()))
    }

    /// The recipe's golden hash.
    #[test]
    fn stories_are_those_of_the_reference() {
        let mut text = Vec::new();
        for index in 0..2000 {
            story(0, index, &mut text);
        }
        assert_eq!(md5_of(&text), "cc2d87b23a65cf169c0e6746c923ec47");
        assert!(text.starts_with(b"One day Max went to the saton. The thonmashast held"));
    }

    /// Hashes of what the reference wrote, over seeds, indices and lengths.
    #[test]
    fn examples_are_those_of_the_reference() {
        for (seed, index, length, expected) in [
            (1, 0, 65, "6304119e4d7bf5a60deb3d16411c8d74"),
            (1, 40009, 65, "f35f4c8fa2f5ec172717939d4e33d94b"),
            (2, 1023, 65, "fd0c3179fd84bc2605c2807fed9d2ad9"),
            (2, 7, 129, "8637aa62a410a106b4c42358f9fc8d91"),
            (0, (1 << 63) + 5, 1025, "94ade7cbf8f55a6485f4ab6508a7167b"),
            (1, u64::MAX, 65, "a7c5b8802e173253455fdb93c03b0c56"),
            (
                3,
                123_456_789_012_345,
                4097,
                "2e4a156297048b8f2fbb6c0ec81efb43",
            ),
        ] {
            let mut page = vec![0; length];
            example(seed, index, &mut page);
            assert_eq!(md5_of(&page), expected, "example {index} of seed {seed}");
        }
    }

    /// The first 2000 training windows of the demonstration sweep's length.
    #[test]
    fn training_windows_are_those_of_the_reference() {
        let mut text = vec![0; 2000 * 65];
        for (index, page) in text.chunks_exact_mut(65).enumerate() {
            example(TRAINING_SEED, index as u64, page);
        }
        assert_eq!(md5_of(&text), "ea26a67f8109a76e010915187e59a889");
    }

    #[test]
    fn ids_are_the_encoded_bytes_of_the_same_page() {
        let (mut page, mut ids) = ([0; 600], [0; 600]);
        example(VALIDATION_SEED, 99, &mut page);
        example_ids(VALIDATION_SEED, 99, &mut ids);
        let encoded = page.map(|byte| encode(byte).map_or(-1, i64::from));
        assert_eq!(ids, encoded);
    }

    #[test]
    fn a_longer_page_begins_with_the_shorter_one() {
        let (mut short, mut long) = ([0; 65], [0; 2000]);
        example(5, 17, &mut short);
        example(5, 17, &mut long);
        assert_eq!(short, long[..65]);
    }
}
