//! An estimate between its bounds.

use serde::{Deserialize, Serialize};

/// Coverage that every interval of this crate aims at.
pub const LEVEL: f64 = 0.95;

/// e^x, kept within the range of numbers: JSON has no word for infinity, and a bound of
/// something that is hardly known may lie beyond.
pub(crate) fn exp(x: f64) -> f64 {
    const FARTHEST: f64 = 700.0;
    x.clamp(-FARTHEST, FARTHEST).exp()
}

/// A point estimate with the bounds of its 95 % interval, in the unit of the
/// quantity itself. `low <= estimate <= high`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The best single value.
    pub estimate: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

impl Interval {
    /// `estimate ± half_width`.
    pub(crate) fn symmetric(estimate: f64, half_width: f64) -> Self {
        Self {
            estimate,
            low: estimate - half_width,
            high: estimate + half_width,
        }
    }

    /// An interval that is symmetric in the logarithm, moved to the quantity.
    pub(crate) fn from_log(ln_estimate: f64, ln_half_width: f64) -> Self {
        Self {
            estimate: ln_estimate.exp(),
            low: (ln_estimate - ln_half_width).exp(),
            high: (ln_estimate + ln_half_width).exp(),
        }
    }

    /// Whether `value` lies between the bounds, bounds included.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Half the distance between the bounds.
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }
}
