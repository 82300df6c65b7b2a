//! Random numbers that depend on a seed, a purpose and a draw's number, and on
//! nothing else.
//!
//! Every draw of a bootstrap and every simulated sweep has a `ChaCha` stream of
//! its own. Which thread works on a draw, and what was drawn before it, can
//! therefore not change it, and the same seed gives the same bits at any thread
//! count.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

/// What a stream is for: the noise of a simulated sweep must not be the weights
/// of the bootstrap that is run on it, whatever seeds the two were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Weights, or picks, of one draw of a bootstrap.
    Bootstrap = 1,
    /// Noise of one simulated sweep.
    Simulation = 2,
    /// One law of a prior.
    Prior = 3,
    /// Errors of one sweep that the methods are compared on.
    Rehearsal = 4,
}

/// The numbers of one draw.
#[derive(Debug, Clone)]
pub(crate) struct Stream(ChaCha8Rng);

impl Stream {
    pub(crate) fn new(seed: u64, purpose: Purpose, draw: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8] = purpose as u8;
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(draw);
        Self(generator)
    }

    /// A whole number below `end`; `end` is at least 1 and below 2^32. The
    /// numbers' probabilities differ by less than `end` · 2^-32.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        ((u64::from(self.0.next_u32()) * end as u64) >> 32) as usize
    }

    /// A number in [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A standard normal number.
    pub(crate) fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_repeatable_and_differ_in_every_key() {
        let first = |seed, purpose, draw| Stream::new(seed, purpose, draw).normal().to_bits();
        let reference = first(1, Purpose::Bootstrap, 1);
        assert_eq!(reference, first(1, Purpose::Bootstrap, 1));
        for other in [
            first(2, Purpose::Bootstrap, 1),
            first(1, Purpose::Simulation, 1),
            first(1, Purpose::Bootstrap, 2),
        ] {
            assert_ne!(reference, other);
        }
    }

    #[test]
    fn picks_are_even() {
        let mut stream = Stream::new(0, Purpose::Bootstrap, 0);
        let mut counts = [0; 6];
        for _ in 0..60_000 {
            counts[stream.below(6)] += 1;
        }
        // Five standard deviations of a binomial of 60 000 and 1/6.
        assert!(
            counts.iter().all(|count| (9_540..10_460).contains(count)),
            "{counts:?}"
        );
    }
}
