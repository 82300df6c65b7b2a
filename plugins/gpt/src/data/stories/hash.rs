//! The only source of chance in the invented language: the splitmix64 finaliser
//! (Steele, Lea & Flood 2014), applied to counters.

/// The increment of splitmix64: 2^64 divided by the golden ratio, made odd.
pub(super) const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The splitmix64 finaliser, a bijection on 64-bit words.
pub(super) const fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A sequence of 64-bit hashes; its only state is the counter behind them.
#[derive(Clone, Debug)]
pub(super) struct Hashes(u64);

impl Hashes {
    pub(super) const fn new(key: u64) -> Self {
        Self(key)
    }

    /// The next hash. Callers take disjoint bit fields of it for small choices.
    pub(super) const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }
}

/// The key of story `story` of the page `index` of the stream `seed`. A page
/// has room for 4096 stories before it would meet the next page's.
pub(super) const fn story_key(seed: u64, index: u64, story: u64) -> u64 {
    let place = index.wrapping_mul(4096).wrapping_add(story).wrapping_add(1);
    let spread = mix(place.wrapping_mul(0xD134_2543_DE82_EF95));
    mix(seed.wrapping_mul(GOLDEN).wrapping_add(spread))
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
