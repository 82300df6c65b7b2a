//! The 5376 words of the invented language: 208 real ones and, from syllables,
//! all the others. Built at start by integer arithmetic, never shipped.

use std::collections::HashSet;

use super::spelling;
use flops_fit_data::hash::Hashes;

/// A class of words. The order is the order of the lexicon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Noun,
    Verb,
    Adjective,
    Adverb,
    Place,
    Name,
}

impl Class {
    pub(super) const ALL: [Self; 6] = [
        Self::Noun,
        Self::Verb,
        Self::Adjective,
        Self::Adverb,
        Self::Place,
        Self::Name,
    ];

    /// How many words the class has.
    pub(super) const fn size(self) -> usize {
        match self {
            Self::Noun => 2048,
            Self::Verb | Self::Adjective => 1024,
            Self::Adverb => 256,
            Self::Place | Self::Name => 512,
        }
    }

    /// The lexicon's index of the class's first word.
    pub(super) const fn base(self) -> u16 {
        match self {
            Self::Noun => 0,
            Self::Verb => 2048,
            Self::Adjective => 3072,
            Self::Adverb => 4096,
            Self::Place => 4352,
            Self::Name => 4864,
        }
    }

    fn real_words(self) -> std::str::SplitWhitespace<'static> {
        match self {
            Self::Noun => spelling::NOUNS,
            Self::Verb => spelling::VERBS,
            Self::Adjective => spelling::ADJECTIVES,
            Self::Adverb => spelling::ADVERBS,
            Self::Place => spelling::PLACES,
            Self::Name => spelling::NAMES,
        }
        .split_whitespace()
    }

    /// Syllables of a made-up word: rarer words are longer.
    const fn syllables(self, rank: usize) -> usize {
        match self {
            Self::Noun if rank < 128 => 1,
            Self::Noun if rank < 1024 => 2,
            Self::Noun => 3,
            _ if rank < 192 => 1,
            _ => 2,
        }
    }

    /// The ending that tells the class, and of a name whether it is a she's.
    fn ending(self, rank: usize, hash: u64) -> &'static str {
        let eighth = (hash & 7) as usize;
        match self {
            Self::Noun => spelling::NOUN_ENDINGS[eighth],
            Self::Verb => spelling::VERB_ENDINGS[eighth],
            Self::Adjective => spelling::ADJECTIVE_ENDINGS[eighth],
            Self::Adverb => spelling::ADVERB_ENDINGS[eighth],
            Self::Place => spelling::PLACE_ENDINGS[eighth],
            Self::Name if rank.is_multiple_of(2) => spelling::SHE_ENDINGS[(hash & 3) as usize],
            Self::Name => spelling::HE_ENDINGS[(hash & 3) as usize],
        }
    }
}

/// Longest word in bytes.
const LONGEST: usize = 14;

/// A word with its length in the last byte, so that copying one is a fixed
/// 16-byte move.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word([u8; 16]);

impl Word {
    fn new(text: &str) -> Self {
        assert!(
            text.len() <= LONGEST,
            "{text} is longer than {LONGEST} bytes"
        );
        let mut bytes = [0; 16];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        bytes[15] = text.len() as u8;
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0[..usize::from(self.0[15] & 15)]
    }
}

/// All words, classes one after the other, each by rank.
#[derive(Debug)]
pub(super) struct Lexicon(Vec<Word>);

impl Lexicon {
    pub(super) fn new() -> Self {
        let mut used: HashSet<String> = Class::ALL
            .iter()
            .flat_map(|class| class.real_words())
            .map(str::to_ascii_lowercase)
            .collect();
        let mut smith = Smith {
            hashes: Hashes::new(0),
            forbidden: Forbidden::new(),
        };
        let mut words = Vec::new();
        for class in Class::ALL {
            words.extend(class.real_words().map(Word::new));
            let end = usize::from(class.base()) + class.size();
            while words.len() < end {
                let rank = words.len() - usize::from(class.base());
                let Some(spelt) = smith.word(class, rank) else {
                    continue;
                };
                if used.contains(&spelt) {
                    continue;
                }
                words.push(Word::new(&if class == Class::Name {
                    spelt[..1].to_ascii_uppercase() + &spelt[1..]
                } else {
                    spelt.clone()
                }));
                used.insert(spelt);
            }
        }
        Self(words)
    }

    /// The word with this index over all classes.
    pub(super) fn word(&self, index: u16) -> &Word {
        &self.0[usize::from(index)]
    }
}

/// Makes words up, one attempt a hash.
struct Smith {
    hashes: Hashes,
    forbidden: Forbidden,
}

impl Smith {
    /// An attempt at a word in lower case; `None` if it broke a rule.
    fn word(&mut self, class: Class, rank: usize) -> Option<String> {
        let mut hash = self.hashes.draw();
        let mut word = String::with_capacity(2 * LONGEST);
        let syllables = class.syllables(rank);
        for syllable in 1..=syllables {
            word += spelling::ONSETS[(hash & 63) as usize];
            word += spelling::VOWELS[(hash >> 6 & 15) as usize];
            if syllable == syllables || (hash >> 10).trailing_zeros() >= 2 {
                word += spelling::CODAS[(hash >> 12 & 31) as usize];
            }
            hash >>= 17;
        }
        let ending = class.ending(rank, hash);
        if ending.starts_with(|c| is_vowel(c) || c == 'y') {
            word.truncate(word.trim_end_matches(is_vowel).len());
            if class == Class::Verb && word.ends_with('y') {
                return None;
            }
        }
        word += ending;
        let fits = (3..=LONGEST).contains(&word.len());
        (fits && word.contains(is_vowel) && !self.forbidden.occurs_in(&word)).then_some(word)
    }
}

fn is_vowel(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u')
}

/// The forbidden substrings by their first letter, so that a word is checked in
/// a few comparisons a letter.
struct Forbidden([Vec<&'static str>; 26]);

impl Forbidden {
    fn new() -> Self {
        let mut by_letter: [Vec<&str>; 26] = Default::default();
        for bad in spelling::FORBIDDEN.split_whitespace() {
            by_letter[usize::from(bad.as_bytes()[0] - b'a')].push(bad);
        }
        Self(by_letter)
    }

    fn occurs_in(&self, word: &str) -> bool {
        word.bytes().enumerate().any(|(at, letter)| {
            let candidates = &self.0[usize::from(letter - b'a')];
            candidates.iter().any(|bad| word[at..].starts_with(bad))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_lie_end_to_end() {
        let mut end = 0;
        for class in Class::ALL {
            assert_eq!(usize::from(class.base()), end, "{class:?}");
            end += class.size();
        }
        assert_eq!(Lexicon::new().0.len(), end);
    }

    #[test]
    fn words_are_distinct_ignoring_case_and_hold_nothing_forbidden() {
        let lexicon = Lexicon::new();
        let mut seen = HashSet::new();
        for word in &lexicon.0 {
            let word = String::from_utf8_lossy(word.as_bytes()).to_ascii_lowercase();
            assert!(seen.insert(word.clone()), "{word} occurs twice");
        }
        let forbidden = Forbidden::new();
        let made_up = |class: Class| {
            let from = usize::from(class.base()) + class.real_words().count();
            &lexicon.0[from..usize::from(class.base()) + class.size()]
        };
        for word in Class::ALL.into_iter().flat_map(made_up) {
            let word = String::from_utf8_lossy(word.as_bytes()).to_ascii_lowercase();
            assert!(!forbidden.occurs_in(&word), "{word}");
            assert!((3..=LONGEST).contains(&word.len()), "{word}");
        }
    }

    #[test]
    fn a_name_shows_its_gender() {
        let lexicon = Lexicon::new();
        for rank in 32..512 {
            let name = String::from_utf8_lossy(lexicon.word(Class::Name.base() + rank).as_bytes());
            let endings = if rank % 2 == 0 {
                spelling::SHE_ENDINGS
            } else {
                spelling::HE_ENDINGS
            };
            assert!(endings.iter().any(|e| name.ends_with(e)), "{rank}: {name}");
        }
    }
}
