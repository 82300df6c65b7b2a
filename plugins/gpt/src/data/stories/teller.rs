//! Tells one story: a key in, text out.
//!
//! The order of draws is the recipe. Where a choice needs no text, its hash is
//! still drawn, and in the same place, because every later draw depends on it.

use super::frequency::Zipf;
use super::grammar::{Grammar, Part, Templates};
use super::lexicon::{Class, Lexicon};
use flops_fit_data::hash::{GOLDEN, Hashes, mix};

/// Of 256 words, how many come from the previous word's partners.
const FROM_PARTNERS: u64 = 192;
/// Of 256 noun phrases, how many mention a noun that the story knows already.
const KNOWN_AGAIN: u64 = 96;
/// How likely each of a word's eight partners is, of 256.
const PARTNER_WEIGHTS: [u8; 8] = [96, 56, 34, 22, 16, 12, 10, 10];

/// Everything that is built once and then only read.
#[derive(Debug)]
pub(super) struct Language {
    lexicon: Lexicon,
    grammar: Grammar,
    /// Frequencies by class, in the order of [`Class::ALL`].
    zipf: [Zipf; 6],
    /// Which partner each value of a hash byte draws.
    partners: [u8; 256],
}

impl Language {
    pub(super) fn new() -> Self {
        let mut partners = [0; 256];
        let mut start = 0;
        for (partner, &weight) in PARTNER_WEIGHTS.iter().enumerate() {
            let end = start + usize::from(weight);
            partners[start..end].fill(partner as u8);
            start = end;
        }
        Self {
            lexicon: Lexicon::new(),
            grammar: Grammar::new(),
            zipf: Class::ALL.map(|class| Zipf::new(class.size())),
            partners,
        }
    }

    /// A word of this class by frequency alone.
    fn common(&self, class: Class, hash: u64) -> u16 {
        class.base() + self.zipf[class as usize].rank(hash)
    }

    /// The lexical rule: with probability 3/4 a partner of the previous content
    /// word, else any word of the class by its frequency. Partners are nowhere
    /// stored, they are what hashing the pair (word, place in the list) draws.
    fn next_word(&self, previous: u16, class: Class, hash: u64) -> u16 {
        if hash & 255 >= FROM_PARTNERS {
            return self.common(class, hash);
        }
        let partner = self.partners[(hash >> 8 & 255) as usize];
        let pair = u64::from(previous) * 64 + class as u64 * 8 + u64::from(partner) + 1;
        self.common(class, mix(pair.wrapping_mul(GOLDEN)))
    }
}

/// The nouns that a story has mentioned, at most three, the latest first.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    nouns: [u16; 3],
    count: usize,
}

impl Known {
    fn remember(&mut self, noun: u16) {
        self.nouns = [noun, self.nouns[0], self.nouns[1]];
        self.count = (self.count + 1).min(3);
    }

    /// One of the nouns other than the latest, which becomes the latest.
    fn recall(&mut self, byte: u64) -> u16 {
        let other = 1 + byte as usize % (self.count - 1);
        self.nouns.swap(0, other);
        self.nouns[0]
    }
}

/// How a story begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// With an opening sentence.
    Whole,
    /// Somewhere in its middle, two nouns being known already.
    Torn,
}

/// A story in progress.
struct Teller<'a> {
    language: &'a Language,
    hashes: Hashes,
    out: &'a mut Vec<u8>,
    /// Telling may stop as soon as `out` is this long.
    enough: usize,
    hero: u16,
    friend: u16,
    /// Whom a pronoun means: the name used last.
    person: u16,
    /// The last content word, which its partners follow.
    previous: u16,
    known: Known,
}

/// Appends the story of `key`, or at least as much of it as makes `out`
/// `enough` bytes long.
pub(super) fn tell(
    language: &Language,
    key: u64,
    beginning: Beginning,
    enough: usize,
    out: &mut Vec<u8>,
) {
    let mut hashes = Hashes::new(key);
    let hero = language.common(Class::Name, hashes.draw());
    let friend = language.next_word(hero, Class::Name, hashes.draw());
    let mut known = Known::default();
    if beginning == Beginning::Torn {
        let latest = language.common(Class::Noun, hashes.draw());
        let earlier = language.common(Class::Noun, hashes.draw());
        known.remember(earlier);
        known.remember(latest);
    }
    let length = hashes.draw();
    let mut teller = Teller {
        language,
        hashes,
        out,
        enough,
        hero,
        friend,
        person: hero,
        previous: friend,
        known,
    };
    let grammar = &language.grammar;
    let sentences = match beginning {
        Beginning::Torn => length % 11,
        Beginning::Whole => {
            teller.sentence(&grammar.openings, b' ');
            4 + (length >> 61)
        }
    };
    for _ in 0..sentences {
        if teller.done() {
            return;
        }
        teller.sentence(&grammar.main, b' ');
    }
    teller.sentence(&grammar.endings, b'\n');
}

impl Teller<'_> {
    fn done(&self) -> bool {
        self.out.len() >= self.enough
    }

    /// A sentence, capitalised, and the byte that follows it.
    fn sentence(&mut self, templates: &Templates, after: u8) {
        let start = self.out.len();
        for &part in templates.draw(self.hashes.draw() as u8) {
            self.part(part);
            if self.done() {
                break;
            }
        }
        let first = start + usize::from(self.out[start] == b'"');
        if let Some(letter) = self.out.get_mut(first) {
            letter.make_ascii_uppercase();
        }
        self.out.push(after);
    }

    fn part(&mut self, part: Part) {
        match part {
            Part::Text(text) => self.out.extend_from_slice(text.as_bytes()),
            Part::Subject => self.subject(),
            Part::NounPhrase => self.noun_phrase(),
            Part::Word(class) => {
                let word = self.draw(class);
                self.write(word);
            }
            Part::Plural => {
                let noun = self.draw(Class::Noun);
                self.write(noun);
                let hisses = matches!(self.out.last(), Some(b's' | b'x' | b'h'));
                self.out
                    .extend_from_slice(if hisses { b"es" } else { b"s" });
            }
            Part::ArticleAdjective => {
                let adjective = self.draw(Class::Adjective);
                self.article(adjective);
                self.write(adjective);
            }
            Part::Person => {
                let hero = self.hashes.draw() & 7 < 5;
                self.name(if hero { self.hero } else { self.friend });
            }
            Part::Hero => self.name(self.hero),
            Part::Friend => self.name(self.friend),
        }
    }

    /// The next content word of a class, by the lexical rule.
    fn draw(&mut self, class: Class) -> u16 {
        let hash = self.hashes.draw();
        self.previous = self.language.next_word(self.previous, class, hash);
        self.previous
    }

    fn write(&mut self, word: u16) {
        self.out
            .extend_from_slice(self.language.lexicon.word(word).as_bytes());
    }

    /// `a` or `an`, as the word that follows wants it.
    fn article(&mut self, next: u16) {
        let vowel = matches!(
            self.language.lexicon.word(next).as_bytes()[0],
            b'a' | b'e' | b'i' | b'o' | b'u'
        );
        self.out
            .extend_from_slice(if vowel { b"an " } else { b"a " });
    }

    fn name(&mut self, name: u16) {
        self.person = name;
        self.previous = name;
        self.write(name);
    }

    /// Whether the person is a she: names of even rank are.
    fn is_she(&self) -> bool {
        (self.person - Class::Name.base()).is_multiple_of(2)
    }

    fn subject(&mut self) {
        match self.hashes.draw() & 255 {
            ..80 => self.name(self.hero),
            80..120 => self.name(self.friend),
            120..216 => {
                self.previous = self.person;
                self.out
                    .extend_from_slice(if self.is_she() { b"she" } else { b"he" });
            }
            _ => self.noun_phrase(),
        }
    }

    fn noun_phrase(&mut self) {
        let hash = self.hashes.draw();
        if self.known.count > 1 && hash & 255 < KNOWN_AGAIN {
            let noun = self.known.recall(hash >> 8 & 255);
            self.previous = noun;
            self.out.extend_from_slice(b"the ");
            self.write(noun);
            return;
        }
        let adjective = (hash >> 24 & 255 < 96).then(|| self.draw(Class::Adjective));
        let noun = self.draw(Class::Noun);
        self.known.remember(noun);
        match hash >> 16 & 255 {
            ..112 => self.out.extend_from_slice(b"the "),
            112..208 => self.article(adjective.unwrap_or(noun)),
            _ => self
                .out
                .extend_from_slice(if self.is_she() { b"her " } else { b"his " }),
        }
        if let Some(adjective) = adjective {
            self.write(adjective);
            self.out.push(b' ');
        }
        self.write(noun);
    }
}
