//! Inputs that are nearly valid: each is made of one from the corpus by a few
//! changes, all of them decided by a seed and a number.

use crate::Target;

/// Longest input.
const LONGEST: usize = 128 << 10;

/// Most changes to one input.
const MOST_CHANGES: u64 = 8;

/// Numbers that parsers trip over.
const NUMBERS: [&str; 20] = [
    "0",
    "-0",
    "-1",
    "1e308",
    "1e309",
    "-1e309",
    "1e-400",
    "4e-324",
    "nan",
    "inf",
    "-inf",
    "2147483648",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "0.00000000000000000000000000000000000001",
];

/// Bytes that stand at the limits of their kind.
const BYTES: [u8; 12] = [
    0, 1, 0x7f, 0x80, 0xff, b'\n', b'"', b'\\', b'{', b'[', b',', b'\t',
];

/// What deep nesting is made of.
const OPENINGS: [&str; 6] = ["[", "{\"a\":", "(", "a=[", "{a=", "-"];

/// Makes the inputs of one target.
pub struct Mutator {
    corpus: Vec<Vec<u8>>,
    words: &'static [&'static str],
    salt: u64,
}

impl Mutator {
    /// For `target`.
    pub fn new(target: &Target) -> Self {
        let salt = target
            .name
            .bytes()
            .fold(0, |salt, byte| mix(salt ^ u64::from(byte)));
        Self {
            corpus: (target.corpus)(),
            words: target.words,
            salt,
        }
    }

    /// The input number `case` of `seed`.
    pub fn input(&self, seed: u64, case: u64) -> Vec<u8> {
        let mut random = Random(mix(self.salt ^ mix(seed ^ mix(case))));
        let mut input = random.pick(&self.corpus).clone();
        // Mostly few changes: what is wrong in many places fails at the first.
        let most = random.below(MOST_CHANGES) + 1;
        for _ in 0..=random.below(most) {
            self.change(&mut input, &mut random);
            input.truncate(LONGEST);
        }
        input
    }

    fn change(&self, input: &mut Vec<u8>, random: &mut Random) {
        let len = input.len();
        let at = random.below(len as u64 + 1) as usize;
        let end = at + random.below((len - at).min(64) as u64 + 1) as usize;
        match random.below(14) {
            0 if at < len => input[at] ^= 1 << random.below(8),
            1 if at < len => input[at] = *random.pick(&BYTES),
            2 if at < len => input[at] = random.next() as u8,
            3 => drop(input.drain(at..end)),
            4 => {
                let part = input[at..end].to_vec();
                insert(input, at, &part);
            }
            5 => input.truncate(at),
            6 => {
                let other = random.pick(&self.corpus);
                let from = random.below(other.len() as u64 + 1) as usize;
                input.truncate(at);
                input.extend(&other[from..]);
            }
            7 => insert(input, at, random.pick(self.words).as_bytes()),
            8 => insert(input, at, random.pick(&NUMBERS).as_bytes()),
            9 => replace_number(input, at, random),
            10 => {
                // A length that nobody wrote by hand.
                let part = input[at..end].to_vec();
                let scale = random.below(11);
                let times = random.below(1 << scale);
                insert(input, at, &part.repeat(times as usize));
            }
            11 => {
                let scale = random.below(10);
                let times = random.below(1 << scale) as usize;
                insert(input, at, &random.pick(&OPENINGS).as_bytes().repeat(times));
            }
            12 => swap_lines(input, random),
            _ => {
                // Little-endian fields of binary formats.
                let value =
                    *random.pick(&[0, 1, 64, u64::from(u32::MAX), u64::MAX, 1 << 63, len as u64]);
                let width = *random.pick(&[2, 4, 8]);
                for (byte, new) in input.iter_mut().skip(at).zip(&value.to_le_bytes()[..width]) {
                    *byte = *new;
                }
            }
        }
    }
}

fn insert(input: &mut Vec<u8>, at: usize, part: &[u8]) {
    drop(input.splice(at..at, part.iter().copied()));
}

/// Puts an extreme number where the next one stands.
fn replace_number(input: &mut Vec<u8>, from: usize, random: &mut Random) {
    let digit = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'e');
    let Some(start) = input[from..].iter().position(u8::is_ascii_digit) else {
        return;
    };
    let start = from + start;
    let len = input[start..].iter().take_while(|byte| digit(byte)).count();
    let number = random.pick(&NUMBERS).bytes();
    drop(input.splice(start..start + len, number));
}

fn swap_lines(input: &mut Vec<u8>, random: &mut Random) {
    let mut lines: Vec<&[u8]> = input.split_inclusive(|byte| *byte == b'\n').collect();
    if lines.len() < 2 {
        return;
    }
    let count = lines.len() as u64;
    lines.swap(random.below(count) as usize, random.below(count) as usize);
    *input = lines.concat();
}

/// The generator splitmix64 (Steele et al. 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// Below `bound`, and 0 for a bound of 0.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
