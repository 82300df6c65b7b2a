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
    /// Examples in a step; where the batch grows, of a trial that sees `grows_from`
    /// units; > 0.
    pub examples: u64,
    /// D at which a step has `examples`, > 0; absent where it has for every D.
    pub grows_from: Option<f64>,
}

impl Batch {
    /// `units` in every step, as one example.
    pub fn constant(units: u64) -> Self {
        Self {
            units_per_example: units,
            examples: 1,
            grows_from: None,
        }
    }

    /// Units in a step of `examples`: what the batch is, or grows from.
    pub fn units(&self) -> u64 {
        self.examples.saturating_mul(self.units_per_example)
    }

    /// Examples in a step of a trial that sees about `d` units: where the batch grows,
    /// `examples` times the power of two that is nearest to (d/`grows_from`)^0.383 in the
    /// logarithm; whole, and at least 1.
    pub fn examples_at(&self, d: f64) -> u64 {
        let Some(from) = self.grows_from else {
            return self.examples;
        };
        let doublings = (EXPONENT * (d / from).log2()).round();
        let examples = self.examples as f64 * doublings.exp2();
        examples.round().clamp(1.0, 2_f64.powi(52)) as u64
    }

    /// Units in such a step.
    pub fn units_at(&self, d: f64) -> u64 {
        self.examples_at(d).saturating_mul(self.units_per_example)
    }

    /// What the learning rate is multiplied by where a step sees `units`: √(B/B₀).
    pub fn rate_factor(&self, units: u64) -> f64 {
        match self.grows_from {
            None => 1.0,
            Some(_) => (units as f64 / self.units() as f64).sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROWS: Batch = Batch {
        units_per_example: 64,
        examples: 8,
        grows_from: Some(1e6),
    };

    #[test]
    fn a_constant_batch_is_what_it_is() {
        let batch = Batch::constant(512);
        for d in [1.0, 1e6, 1e12] {
            assert_eq!(batch.units_at(d), 512);
        }
        assert!((batch.rate_factor(512) - 1.0).abs() < 1e-15);
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
            assert_eq!(GROWS.units_at(d), units, "{d:e}");
        }
        assert!((GROWS.rate_factor(2048) - 2.0).abs() < 1e-15);
        assert!((GROWS.rate_factor(64) - 0.125_f64.sqrt()).abs() < 1e-15);
        // Where it grows from it is what was asked for, and a half of 3 is 2.
        let three = Batch {
            examples: 3,
            ..GROWS
        };
        let examples = [1e6, 6.11e6, 1.63e5].map(|d| three.examples_at(d));
        assert_eq!(examples, [3, 6, 2]);
    }

    proptest::proptest! {
        #[test]
        fn it_never_shrinks_with_data_and_stays_within_a_factor_of_root_two(
            ln_d in 0.0..60.0_f64,
            more in 0.0..5.0_f64,
            from in 1..5000_u64,
        ) {
            let batch = Batch { examples: from, ..GROWS };
            let d = ln_d.exp();
            let examples = batch.examples_at(d);
            proptest::prop_assert!(batch.examples_at((ln_d + more).exp()) >= examples);
            let wanted = from as f64 * (d / 1e6).powf(EXPONENT);
            // Below, whole examples are coarser than that.
            if wanted >= 64.0 {
                let off = examples as f64 / wanted;
                proptest::prop_assert!((0.69..1.45).contains(&off), "{}", off);
            }
        }
    }
}
