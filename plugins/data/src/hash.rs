//! The only source of chance in the data: the splitmix64 finaliser (Steele, Lea &
//! Flood 2014), applied to counters. Integers alone, so the same on every machine.

/// The increment of splitmix64: 2^64 divided by the golden ratio, made odd.
pub const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The splitmix64 finaliser, a bijection on 64-bit words.
#[inline]
pub const fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A sequence of 64-bit hashes; its only state is the counter behind them.
#[derive(Clone, Debug)]
pub struct Hashes(u64);

impl Hashes {
    /// The sequence of `key`.
    #[inline]
    pub const fn new(key: u64) -> Self {
        Self(key)
    }

    /// The next hash. Callers take disjoint bit fields of it for small choices.
    #[inline]
    pub const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first outputs of splitmix64 seeded with 1234567, as published with
    /// the generator's reference implementation.
    #[test]
    fn the_sequence_is_splitmix64() {
        let mut hashes = Hashes::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| hashes.draw()).collect();
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }
}
