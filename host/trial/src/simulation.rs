//! A trial that is not trained: its loss is a law's, with noise.

use serde::{Deserialize, Serialize};

/// The law, its noise and the noise's seed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Simulation {
    /// The law.
    pub law: Law,
    /// Standard deviation of the normal noise on a loss; not negative.
    pub noise: f64,
    /// Seed of the noise. Each trial's is drawn from this and the trial's id alone.
    pub seed: u64,
}

/// L(N, D) = E + A/N^α + B/D^β (Hoffmann et al. 2022, arXiv 2203.15556, Approach 3).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Law {
    /// E: the loss that neither size nor data removes.
    pub e: f64,
    /// A.
    pub a: f64,
    /// α.
    pub alpha: f64,
    /// B.
    pub b: f64,
    /// β.
    pub beta: f64,
}

impl Law {
    /// As Hoffmann et al. (2022) published it.
    pub const CHINCHILLA: Self = Self {
        e: 1.69,
        a: 406.4,
        alpha: 0.34,
        b: 410.7,
        beta: 0.28,
    };

    /// As Besiroglu et al. (2024, arXiv 2404.10102) fitted it to the same runs.
    pub const EPOCH: Self = Self {
        e: 1.8172,
        a: 482.01,
        alpha: 0.3478,
        b: 2085.43,
        beta: 0.3658,
    };
}
