//! The sentences of the invented language: weighted templates, parsed once at
//! start into a list of parts and a table from which one hash byte draws.
//!
//! Frozen with the rest of the recipe: weights and order decide every byte.

use super::lexicon::Class;

/// The sentences that a story is made of.
const MAIN: [(u32, &str); 48] = [
    (24, "{S} {V} {N}."),
    (12, "{S} {V} {N} {D}."),
    (12, "{S} {V} {N} at the {L}."),
    (10, "{S} went to the {L}."),
    (10, "{S} was {A}."),
    (8, "{S} was {A} and {V} {N}."),
    (8, "{N} {V} {N}."),
    (8, "{N} was {A}."),
    (8, "{S} {V} {N} and {V} {N}."),
    (7, r#""I {V} {N}," said {R}."#),
    (6, r#""Look at {N}!" said {R}."#),
    (6, "{S} {D} {V} {N}."),
    (6, "there was {N} in the {L}."),
    (6, "{S} saw that {N} was {A}."),
    (5, "{S} {V} {N} because {N} was {A}."),
    (5, "the {ns} were {A}."),
    (5, "{S} had two {ns}."),
    (5, "{S} played with {N}."),
    (5, "{S} {V} {N} with {N}."),
    (4, "then {S} {V} {N}."),
    (4, "{S} did not like {N}."),
    (4, r#""Where is {N}?" asked {R}."#),
    (4, "one day {S} {V} {N}."),
    (3, "{S} and {N} went to the {L}."),
    (3, "{S} {V} many {A} {ns}."),
    (3, "but {N} {V} {N}."),
    (3, "{S} was very {A}."),
    (3, r#""You are {A}," said {R}."#),
    (3, "in the {L} {S} {V} {N}."),
    (3, "the {A} {n} {V} {N} {D}."),
    (2, "{S} smiled at {N}."),
    (2, "after that {S} {V} {N}."),
    (2, "{S} felt {A} when {N} {V} {N}."),
    (2, r#""No!" said {R}."#),
    (2, r#""Please, can I have {N}?" asked {R}."#),
    (2, "{S} put {N} on {N}."),
    (2, "when {S} {V} {N}, {N} {V} {N}."),
    (2, "the {L} was {A} and {A}."),
    (1, "so {S} {V} {N}."),
    (1, "it was a warm day."),
    (1, "{S} ran {D} to the {L}."),
    (1, "{N} and {N} {V} {R}."),
    (1, "{S} sat under {N}."),
    (1, r#""Thank you," said {R}."#),
    (1, "everyone {V} {N}."),
    (1, "{S} {V} {N}, {N} and {N}."),
    (1, "that night {S} slept in the {L}."),
    (1, "{S} never {V} {N} again."),
];

/// First sentences.
const OPENINGS: [(u32, &str); 9] = [
    (6, "once there was {a} {n} named {H}."),
    (5, "once upon a time {H} lived in the {L}."),
    (5, "one day {H} went to the {L}."),
    (4, "{H} was {a} {n}."),
    (3, "{H} had {a} {n}."),
    (3, "{H} and {F} were friends."),
    (2, "{H} {V} {N}."),
    (2, "in the {L} lived {a} {n} named {H}."),
    (2, "it was a cold day and {H} was {A}."),
];

/// Last sentences.
const ENDINGS: [(u32, &str); 6] = [
    (6, "{R} was happy."),
    (4, "{R} went home."),
    (3, "the end."),
    (3, "and so {R} {V} {N}."),
    (2, "{R} and {N} were friends."),
    (2, "{R} slept."),
];

/// One piece of a sentence: literal text, or a slot that a story fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Copied as it is.
    Text(&'static str),
    /// `{S}`: the hero, the friend, a pronoun or a noun phrase.
    Subject,
    /// `{N}`: a noun phrase.
    NounPhrase,
    /// `{V}`, `{A}`, `{n}`, `{D}`, `{L}`: a bare word of one class.
    Word(Class),
    /// `{ns}`: a noun in the plural.
    Plural,
    /// `{a}`: an adjective with its indefinite article.
    ArticleAdjective,
    /// `{R}`: the hero or the friend, by name.
    Person,
    /// `{H}`: the hero by name.
    Hero,
    /// `{F}`: the friend by name.
    Friend,
}

impl Part {
    fn slot(name: &str) -> Self {
        match name {
            "S" => Self::Subject,
            "N" => Self::NounPhrase,
            "V" => Self::Word(Class::Verb),
            "A" => Self::Word(Class::Adjective),
            "n" => Self::Word(Class::Noun),
            "D" => Self::Word(Class::Adverb),
            "L" => Self::Word(Class::Place),
            "ns" => Self::Plural,
            "a" => Self::ArticleAdjective,
            "R" => Self::Person,
            "H" => Self::Hero,
            "F" => Self::Friend,
            other => unreachable!("the templates above have no slot {{{other}}}"),
        }
    }
}

/// A weighted choice between templates.
#[derive(Debug)]
pub(super) struct Templates {
    sentences: Vec<Vec<Part>>,
    /// Which sentence each value of a hash byte draws.
    table: [u8; 256],
}

impl Templates {
    /// The sentence that a hash byte draws.
    pub(super) fn draw(&self, byte: u8) -> &[Part] {
        &self.sentences[usize::from(self.table[usize::from(byte)])]
    }

    /// Shares the 256 entries out in proportion to the weights, rounding the
    /// running total down, so that the shares always add up to 256.
    fn parse(weighted: &[(u32, &'static str)]) -> Self {
        let total: u32 = weighted.iter().map(|(weight, _)| weight).sum();
        let mut table = [0; 256];
        let (mut sum, mut start) = (0, 0);
        for (k, (weight, _)) in weighted.iter().enumerate() {
            sum += weight;
            let end = (sum * 256 / total) as usize;
            table[start..end].fill(k as u8);
            start = end;
        }
        let sentences = weighted.iter().map(|(_, text)| parts(text)).collect();
        Self { sentences, table }
    }
}

/// Splits a template at its braces.
fn parts(template: &'static str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((text, tail)) = rest.split_once('{') {
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        let (slot, tail) = tail
            .split_once('}')
            .expect("a slot in the templates above is closed");
        parts.push(Part::slot(slot));
        rest = tail;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

/// All sentences of the language.
#[derive(Debug)]
pub(super) struct Grammar {
    /// First sentences of a story.
    pub(super) openings: Templates,
    /// The sentences between the first and the last.
    pub(super) main: Templates,
    /// Last sentences of a story.
    pub(super) endings: Templates,
}

impl Grammar {
    pub(super) fn new() -> Self {
        Self {
            openings: Templates::parse(&OPENINGS),
            main: Templates::parse(&MAIN),
            endings: Templates::parse(&ENDINGS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_split_at_its_slots() {
        let expected = [
            Part::Text("\"I "),
            Part::Word(Class::Verb),
            Part::Text(" "),
            Part::NounPhrase,
            Part::Text(",\" said "),
            Part::Person,
            Part::Text("."),
        ];
        assert_eq!(parts(r#""I {V} {N}," said {R}."#), expected);
    }

    #[test]
    fn shares_follow_the_weights() {
        let grammar = Grammar::new();
        let first = |templates: &Templates| templates.table.partition_point(|&k| k == 0);
        assert_eq!(first(&grammar.main), 24 * 256 / 219);
        assert_eq!(first(&grammar.openings), 6 * 256 / 32);
        assert_eq!(grammar.main.table[255], 47);
        assert_eq!(grammar.endings.table[255], 5);
    }
}
