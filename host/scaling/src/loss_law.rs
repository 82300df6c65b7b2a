//! `L*(C) = E + k · C^−c` from a handful of budgets.
//!
//! Three to five budgets do not determine E: along the valley E, k and c trade
//! against one another at almost no cost. So no single E is trusted. E runs over
//! every value from 0 to just under the lowest L*; for each, k and c are fitted
//! by weighted least squares, and each fit counts by its likelihood with the
//! noise integrated out, `(ν·s² + RSS(E))^(−(ν + m)/2)` with m budgets and ν
//! degrees of freedom behind the noise s². A prediction is the mean over these
//! fits, its interval that of the mixture of their t distributions.

mod profile;

use serde::{Deserialize, Serialize};

use crate::interval::Interval;
use crate::power_law::NoiseLevel;
use crate::student;

/// One budget's contribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LossPoint {
    /// ln C.
    pub(crate) ln_c: f64,
    /// L*; > 0.
    pub(crate) loss: f64,
    /// Variance of L* for noise of variance 1; > 0.
    pub(crate) unit_variance: f64,
}

/// A fitted loss law.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LossLaw {
    /// The floor E: the best-fitting value between the 2.5 % and 97.5 % points
    /// of the likelihood over E. With few budgets this interval is wide.
    pub floor: Interval,
    /// The exponent c, in the same way.
    pub exponent: Interval,
    /// k of the best fit. It belongs to that fit's E and c alone.
    pub k: f64,
    /// ln C that the members are centred on.
    pub ln_c: f64,
    /// The fits over the range of E, by ascending E.
    pub members: Vec<Member>,
    /// Variance of L* of one more budget, trained like these.
    pub scatter: f64,
    /// Degrees of freedom of the intervals.
    pub dof: f64,
    /// Squared residuals of the best fit over what the noise explains, per degree
    /// of freedom; absent up to three budgets or without noise.
    pub chi_square: Option<f64>,
}

/// The law for one value of E.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// E.
    pub floor: f64,
    /// ln(L − E) at the law's `ln_c`.
    pub ln_k: f64,
    /// Exponent c.
    pub exponent: f64,
    /// Covariance of (`ln_k`, exponent).
    pub covariance: [[f64; 2]; 2],
    /// Its share; shares add up to 1.
    pub share: f64,
}

impl Member {
    fn excess(&self, x: f64) -> f64 {
        (self.ln_k - self.exponent * x).exp()
    }

    /// Variance of the law's value at `x = ln C − ln_c`.
    fn variance(&self, x: f64) -> f64 {
        let [[value, cross], [_, slope]] = self.covariance;
        self.excess(x).powi(2) * (value - 2.0 * x * cross + x * x * slope)
    }
}

/// The mean over the fits, without intervals: what a refit finds.
#[derive(Debug, Clone)]
pub(crate) struct LossMean {
    ln_c: f64,
    members: Vec<Member>,
}

impl LossMean {
    /// The law for other losses or budgets, E over the values that counted before.
    /// `None` where L* lies below all of them.
    pub(crate) fn refit(&self, points: &[LossPoint], noise: NoiseLevel) -> Option<Self> {
        let floors = self.members.iter().map(|member| member.floor);
        let (ln_c, members) = profile::members_at(points, noise, floors)?;
        Some(Self { ln_c, members })
    }

    /// L* at a compute of `c` FLOPs.
    pub(crate) fn at(&self, c: f64) -> f64 {
        let x = c.ln() - self.ln_c;
        let value = |member: &Member| member.share * (member.floor + member.excess(x));
        self.members.iter().map(value).sum()
    }

    /// The slope of L* by ln C at `c` FLOPs.
    pub(crate) fn slope(&self, c: f64) -> f64 {
        let x = c.ln() - self.ln_c;
        let slope = |member: &Member| -member.share * member.exponent * member.excess(x);
        self.members.iter().map(slope).sum()
    }
}

impl LossLaw {
    /// The mean over the fits.
    pub(crate) fn mean(&self) -> LossMean {
        LossMean {
            ln_c: self.ln_c,
            members: self.members.clone(),
        }
    }

    /// Fits the law to two or more budgets with distinct C.
    pub(crate) fn fit(points: &[LossPoint], noise: NoiseLevel) -> Self {
        profile::fit(points, noise)
    }

    /// L* at a compute of `c` FLOPs, with an interval that includes the scatter
    /// of one more budget trained like these.
    pub fn predict(&self, c: f64) -> Interval {
        let x = c.ln() - self.ln_c;
        let parts: Vec<Part> = self
            .members
            .iter()
            .map(|member| Part {
                share: member.share,
                value: member.floor + member.excess(x),
                sd: (member.variance(x) + self.scatter).sqrt(),
            })
            .collect();
        let estimate: f64 = parts.iter().map(|p| p.share * p.value).sum();
        Interval {
            estimate,
            low: quantile(&parts, self.dof, 0.025).min(estimate),
            high: quantile(&parts, self.dof, 0.975).max(estimate),
        }
    }
}

/// One t distribution of a mixture.
struct Part {
    share: f64,
    value: f64,
    sd: f64,
}

/// A quantile of a mixture of t distributions, by bisection.
fn quantile(parts: &[Part], dof: f64, probability: f64) -> f64 {
    let below = |x: f64| -> f64 {
        parts
            .iter()
            .map(|p| {
                let step = if x >= p.value { 1.0 } else { 0.0 };
                let share = if p.sd > 0.0 {
                    student::cdf((x - p.value) / p.sd, dof)
                } else {
                    step
                };
                p.share * share
            })
            .sum()
    };
    let reach = 2.0 * student::two_sided(dof);
    let (mut low, mut high) = parts.iter().fold(
        (f64::INFINITY, f64::NEG_INFINITY),
        |(low, high): (f64, f64), p| {
            (
                low.min(p.value - reach * p.sd),
                high.max(p.value + reach * p.sd),
            )
        },
    );
    // Chords that keep the bracket (Illinois), since a distribution function costs much
    // more than a step.
    let (mut at_low, mut at_high) = (below(low) - probability, below(high) - probability);
    let resolution = RESOLUTION * (high - low);
    for _ in 0..STEPS {
        if high - low <= resolution || at_low >= 0.0 || at_high <= 0.0 {
            break;
        }
        let chord = low + (high - low) * at_low / (at_low - at_high);
        // Just beside an end that is already the root, a chord no longer moves.
        let middle = chord.clamp(low + resolution / 4.0, high - resolution / 4.0);
        let value = below(middle) - probability;
        if value < 0.0 {
            (low, at_low) = (middle, value);
            at_high /= 2.0;
        } else {
            (high, at_high) = (middle, value);
            at_low /= 2.0;
        }
    }
    f64::midpoint(low, high)
}

/// Width of the bracket around a quantile, relative to the first one, at which it is
/// known to any digit that is printed.
const RESOLUTION: f64 = 1e-9;
/// Most steps to there.
const STEPS: usize = 60;

#[cfg(test)]
mod tests;
