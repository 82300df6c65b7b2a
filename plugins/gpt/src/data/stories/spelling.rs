//! The spelling of the invented language, as data: the real English words that
//! take the most frequent ranks of each class, and the syllables and endings
//! from which every other word is made.
//!
//! These lists are frozen. Their order is their weight, so that any change here
//! changes every byte of the data set and needs a new [`VERSION`](super::VERSION).

/// Real nouns, most frequent first.
pub(super) const NOUNS: &str = "\
    cat dog ball tree bird fish hat box cake book boat star bear stone apple frog flower \
    duck rabbit cup door bed mouse leaf bell drum kite coat egg shoe nest fox song rope toy \
    key lamp horse chair spoon window basket blanket button candle ladder pillow feather \
    acorn lantern whistle pebble ribbon kitten puppy goose owl crow snail bee worm pie";

/// Real verbs, in the past tense, most frequent first.
pub(super) const VERBS: &str = "\
    saw found took wanted liked made gave loved held asked helped pushed pulled dropped \
    opened followed hugged watched carried kept heard chased called washed painted kicked \
    lifted touched picked fed hid shook cleaned fixed needed missed planted lost thanked";

/// Real adjectives, most frequent first.
pub(super) const ADJECTIVES: &str = "\
    big little red happy old small good sad new blue nice funny green kind soft warm pretty \
    brave tiny cold shiny yellow long white brown quiet loud sleepy hungry round tall silly \
    gentle golden broken wet strong dark lucky proud";

/// Real adverbs, most frequent first.
pub(super) const ADVERBS: &str = "\
    quickly slowly again there softly happily together quietly away soon carefully loudly \
    gently sadly kindly";

/// Real places most frequent first.
pub(super) const PLACES: &str = "\
    park house garden forest river hill beach pond kitchen school farm lake town field barn \
    cave meadow bridge shop market";

/// Real names, in turn she (even rank) and he (odd rank), most frequent first.
pub(super) const NAMES: &str = "\
    Lily Tom Mia Ben Sara Max Anna Tim Lucy Sam Ella Jack Rosa Leo Emma Dan Nina Bob Molly \
    Finn Zoe Hugo Amy Otto Eva Carl Ida Nick Ruby Pete Clara Oscar";

/// What a syllable may begin with; an entry that is repeated is that much likelier.
pub(super) const ONSETS: [&str; 64] = [
    "t", "t", "t", "t", "s", "s", "s", "s", "r", "r", "r", "l", "l", "l", "l", "n", "n", "n", "m",
    "m", "m", "m", "d", "d", "d", "b", "b", "b", "b", "p", "p", "p", "k", "k", "w", "w", "w", "h",
    "h", "f", "f", "f", "g", "g", "c", "c", "j", "v", "y", "z", "st", "tr", "br", "gr", "fl", "sp",
    "cl", "sh", "sh", "ch", "th", "dr", "pl", "sn",
];

/// The middle of a syllable.
pub(super) const VOWELS: [&str; 16] = [
    "a", "a", "a", "e", "e", "e", "i", "i", "i", "o", "o", "o", "u", "u", "oo", "ee",
];

/// What a syllable may end with; a quarter end with their vowel.
pub(super) const CODAS: [&str; 32] = [
    "", "", "", "", "", "", "", "", "n", "n", "n", "n", "r", "r", "r", "l", "l", "l", "t", "t",
    "t", "s", "m", "m", "d", "d", "p", "g", "ck", "nd", "st", "b",
];

/// Endings of made-up nouns.
pub(super) const NOUN_ENDINGS: [&str; 8] = ["", "", "", "", "er", "le", "in", "et"];

/// Endings of made-up verbs.
pub(super) const VERB_ENDINGS: [&str; 8] = ["ed", "ed", "ed", "ed", "ed", "ed", "ed", "ed"];

/// Endings of made-up adjectives.
pub(super) const ADJECTIVE_ENDINGS: [&str; 8] = ["y", "y", "y", "ish", "ful", "en", "al", ""];

/// Endings of made-up adverbs.
pub(super) const ADVERB_ENDINGS: [&str; 8] = ["ly", "ly", "ly", "ly", "ly", "ly", "ly", "ly"];

/// Endings of made-up places.
pub(super) const PLACE_ENDINGS: [&str; 8] =
    ["ton", "wood", "land", "ley", "ford", "mere", "side", "dale"];

/// Endings of made-up names of even rank, which `she` refers to.
pub(super) const SHE_ENDINGS: [&str; 4] = ["a", "ie", "elle", "ina"];

/// Endings of made-up names of odd rank, which `he` refers to.
pub(super) const HE_ENDINGS: [&str; 4] = ["o", "an", "us", "er"];

/// What no made-up word may contain: random syllables spell obscenities too.
/// Each entry begins with one of a–z.
pub(super) const FORBIDDEN: &str = "\
    fuc fuk shit cun coc dic tit pis poo boo coo hom fag nig ana anu rap spic but cum sex \
    naz slu whor wan kik hoo jap gook dyk pee wee arse ass turd twat damn hell crap porn \
    puss nud kil dead die";
