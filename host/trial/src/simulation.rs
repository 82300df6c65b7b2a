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
    /// What the learning rate does; nothing where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lr: Option<RateEffect>,
}

/// What another learning rate than the best one does to a loss: it raises it by
/// `curvature`·ln²(η/η*), where η* = `best`·(N/`n`)^`n_exponent`·(D/`d`)^`d_exponent`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateEffect {
    /// η* of a trial with `n` parameters that sees `d` units; > 0.
    pub best: f64,
    /// Parameters; > 0.
    pub n: f64,
    /// Units of data; > 0.
    pub d: f64,
    /// How η* moves with N.
    pub n_exponent: f64,
    /// How η* moves with D.
    pub d_exponent: f64,
    /// By how much the loss rises; not negative.
    pub curvature: f64,
    /// From this multiple of η* on a trial diverges; > 1.
    pub diverges: f64,
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
