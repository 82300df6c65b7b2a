//! Data in an optimizer step: the same in every trial, or more where a trial sees more.
//!
//! The batch that gives the lowest loss grows with the data that a run sees and not with
//! its model, as B ∝ D^0.383 (Bergsma et al. 2025, arXiv 2505.13738). What the exponent
//! starts from depends on data and vocabulary, so one batch that is good at one D is given.
//! The learning rate goes with the square root of the batch (Malladi et al. 2022, arXiv
//! 2205.10287: the rule for Adam where noise outweighs the gradient).

use serde::{Deserialize, Serialize};

/// Exponent of the batch in D.
pub const EXPONENT: f64 = 0.383;

/// How many examples there are in an optimizer step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Units (tokens, images) in one example; > 0.
    pub units_per_example: u64,
    /// Units in a step; where the batch grows, of a trial that sees `grows_from` units; > 0.
    pub units: f64,
    /// D at which the batch is `units`, > 0; absent where it is that for every D.
    pub grows_from: Option<f64>,
}

impl Batch {
    /// `units` in every step, as one example.
    pub fn constant(units: u64) -> Self {
        Self {
            units_per_example: units,
            units: units as f64,
            grows_from: None,
        }
    }

    /// Units in a step, where that is the same for all trials.
    pub fn constant_units(&self) -> Option<u64> {
        // Then it is the same at any D.
        self.grows_from.is_none().then(|| self.units_per_step(1.0))
    }

    /// Examples in a step of a trial that sees about `d` units: whole, and where the
    /// batch grows the power of two that is nearest in the logarithm; at least 1.
    pub fn examples(&self, d: f64) -> u64 {
        let examples = self.units / self.units_per_example as f64;
        match self.grows_from {
            None => examples.round().max(1.0) as u64,
            Some(from) => {
                let wanted = examples * (d / from).powf(EXPONENT);
                wanted.log2().round().clamp(0.0, 52.0).exp2() as u64
            }
        }
    }

    /// Units in such a step.
    pub fn units_per_step(&self, d: f64) -> u64 {
        self.examples(d).saturating_mul(self.units_per_example)
    }

    /// What the learning rate is multiplied by where a step sees `units`: √(B/B₀).
    pub fn rate_factor(&self, units: u64) -> f64 {
        match self.grows_from {
            None => 1.0,
            Some(_) => (units as f64 / self.units).sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROWS: Batch = Batch {
        units_per_example: 64,
        units: 512.0,
        grows_from: Some(1e6),
    };

    #[test]
    fn a_constant_batch_is_what_it_is() {
        let batch = Batch::constant(512);
        for d in [1.0, 1e6, 1e12] {
            assert_eq!(batch.units_per_step(d), 512);
        }
        assert_eq!(batch.constant_units(), Some(512));
        assert_eq!(GROWS.constant_units(), None);
        assert!((batch.rate_factor(512) - 1.0).abs() < 1e-15);
        let nearest = Batch {
            units_per_example: 100,
            ..Batch::constant(512)
        };
        assert_eq!(nearest.examples(1e6), 5);
        assert_eq!(
            Batch {
                units_per_example: 4096,
                ..nearest
            }
            .examples(1e6),
            1
        );
    }

    #[test]
    fn it_grows_by_powers_of_two_with_d_to_the_0_383() {
        for (d, units) in [
            (1e6, 512),
            // 2^(1/0.383) = 6.11 times the data is twice the batch, and half of that in
            // the logarithm is where it changes.
            (2.4e6, 512),
            (2.5e6, 1024),
            (6.11e6, 1024),
            (1e9, 8192),
            (1e3, 64),
            (1.0, 64),
        ] {
            assert_eq!(GROWS.units_per_step(d), units, "{d:e}");
        }
        assert!((GROWS.rate_factor(2048) - 2.0).abs() < 1e-15);
        assert!((GROWS.rate_factor(64) - 0.125_f64.sqrt()).abs() < 1e-15);
    }

    proptest::proptest! {
        #[test]
        fn it_never_shrinks_with_data_and_stays_within_a_factor_of_root_two(
            ln_d in 0.0..60.0_f64,
            more in 0.0..5.0_f64,
            per_example in 1..5000_u64,
        ) {
            let batch = Batch { units_per_example: per_example, ..GROWS };
            let d = ln_d.exp();
            let examples = batch.examples(d);
            proptest::prop_assert!(examples.is_power_of_two());
            proptest::prop_assert!(batch.examples((ln_d + more).exp()) >= examples);
            let wanted = 512.0 / per_example as f64 * (d / 1e6).powf(EXPONENT);
            if wanted >= 1.0 {
                let off = examples as f64 / wanted;
                proptest::prop_assert!((0.707..1.415).contains(&off), "{}", off);
            }
        }
    }
}
