//! The likelihood over E, and the fits along it.

use argmin::core::{CostFunction, Executor};
use argmin::solver::brent::BrentOpt;

use super::{LossLaw, LossPoint, Member};
use crate::interval::Interval;
use crate::power_law::NoiseLevel;

/// Values of E in the mixture.
const MEMBERS: usize = 33;
/// Values of E tried to find the likelihood's peak.
const SCAN: usize = 65;
/// E stays below this share of the lowest L*: at 1 the law has no logarithm.
const CEILING: f64 = 0.999;
/// Log likelihood below the peak at which a value of E counts for nothing.
const NEGLIGIBLE: f64 = 12.0;

struct Profile<'a> {
    points: &'a [LossPoint],
    noise: NoiseLevel,
    ln_c: f64,
    ceiling: f64,
    /// Smallest sum of squares that is told from zero.
    resolution: f64,
}

/// k and c for one E.
#[derive(Clone, Copy)]
struct Excess {
    ln_k: f64,
    exponent: f64,
    /// Weighted sum of squared residuals of L*.
    rss: f64,
    /// Covariance of (`ln_k`, exponent) for noise of variance 1.
    unit_covariance: [[f64; 2]; 2],
}

pub(super) fn fit(points: &[LossPoint], noise: NoiseLevel) -> LossLaw {
    let profile = Profile::new(points, noise);
    let (peak, scan) = profile.peak();
    let best = profile.at(peak);
    let count = points.len() as f64;
    let free = count - 3.0;
    let NoiseLevel { variance, dof } = noise.pooled_with(best.rss / free, free);
    let members = profile.members(peak, &scan, variance);
    let by_share = |value: fn(&Member) -> f64, estimate: f64| {
        let mut sorted: Vec<(f64, f64)> = members.iter().map(|m| (value(m), m.share)).collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        Interval {
            estimate,
            low: weighted_quantile(&sorted, 0.025).min(estimate),
            high: weighted_quantile(&sorted, 0.975).max(estimate),
        }
    };
    let typical = points.iter().map(|p| p.unit_variance).sum::<f64>() / count;
    LossLaw {
        floor: by_share(|m| m.floor, peak),
        exponent: by_share(|m| m.exponent, best.exponent),
        k: (best.ln_k + best.exponent * profile.ln_c).exp(),
        ln_c: profile.ln_c,
        scatter: variance * typical,
        dof,
        chi_square: (free > 0.0 && noise.variance > 0.0).then(|| best.rss / free / noise.variance),
        members,
    }
}

impl<'a> Profile<'a> {
    fn new(points: &'a [LossPoint], noise: NoiseLevel) -> Self {
        let lowest = points.iter().map(|p| p.loss).fold(f64::INFINITY, f64::min);
        let ln_c = points.iter().map(|p| p.ln_c).sum::<f64>() / points.len() as f64;
        let energy: f64 = points
            .iter()
            .map(|p| p.loss.powi(2) / p.unit_variance)
            .sum();
        Self {
            points,
            noise,
            ln_c,
            ceiling: lowest * CEILING,
            resolution: energy * f64::EPSILON.powi(2),
        }
    }

    /// Gauss–Newton for ln k and c at one E, from the straight line through
    /// ln(L − E); a step that does not help is halved.
    fn at(&self, floor: f64) -> Excess {
        let mut now = self.straight_line(floor);
        for _ in 0..50 {
            let (step, covariance) = self.step(floor, now.ln_k, now.exponent);
            now.unit_covariance = covariance;
            let mut length = 1.0;
            let next = loop {
                let trial = (now.ln_k + length * step[0], now.exponent + length * step[1]);
                let rss = self.rss(floor, trial.0, trial.1);
                if rss < now.rss {
                    break Some((trial, rss));
                }
                length /= 2.0;
                if length < 1e-3 {
                    break None;
                }
            };
            let Some((trial, rss)) = next else { break };
            let gain = now.rss - rss;
            (now.ln_k, now.exponent, now.rss) = (trial.0, trial.1, rss);
            if gain <= 1e-12 * now.rss + self.resolution {
                break;
            }
        }
        now.unit_covariance = self.step(floor, now.ln_k, now.exponent).1;
        now
    }

    fn straight_line(&self, floor: f64) -> Excess {
        let (mut w, mut wx, mut wy, mut wxx, mut wxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for p in self.points {
            let (x, excess) = (p.ln_c - self.ln_c, p.loss - floor);
            let weight = excess.powi(2) / p.unit_variance;
            w += weight;
            wx += weight * x;
            wy += weight * excess.ln();
            wxx += weight * x * x;
            wxy += weight * x * excess.ln();
        }
        let slope = (w * wxy - wx * wy) / (w * wxx - wx * wx);
        let (ln_k, exponent) = ((wy - slope * wx) / w, -slope);
        Excess {
            ln_k,
            exponent,
            rss: self.rss(floor, ln_k, exponent),
            unit_covariance: [[0.0; 2]; 2],
        }
    }

    fn rss(&self, floor: f64, ln_k: f64, exponent: f64) -> f64 {
        self.points
            .iter()
            .map(|p| {
                let fitted = floor + (ln_k - exponent * (p.ln_c - self.ln_c)).exp();
                (p.loss - fitted).powi(2) / p.unit_variance
            })
            .sum()
    }

    /// The Gauss–Newton step, and the inverse of its normal matrix.
    fn step(&self, floor: f64, ln_k: f64, exponent: f64) -> ([f64; 2], [[f64; 2]; 2]) {
        let (mut a, mut b, mut c, mut g, mut h) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for p in self.points {
            let x = p.ln_c - self.ln_c;
            let excess = (ln_k - exponent * x).exp();
            let jacobian = [excess, -excess * x];
            let residual = p.loss - floor - excess;
            a += jacobian[0] * jacobian[0] / p.unit_variance;
            b += jacobian[0] * jacobian[1] / p.unit_variance;
            c += jacobian[1] * jacobian[1] / p.unit_variance;
            g += jacobian[0] * residual / p.unit_variance;
            h += jacobian[1] * residual / p.unit_variance;
        }
        let determinant = a * c - b * b;
        let inverse = [
            [c / determinant, -b / determinant],
            [-b / determinant, a / determinant],
        ];
        let step = [
            inverse[0][0] * g + inverse[0][1] * h,
            inverse[1][0] * g + inverse[1][1] * h,
        ];
        (step, inverse)
    }

    fn log_likelihood(&self, rss: f64) -> f64 {
        let NoiseLevel { variance, dof } = self.noise;
        let power = f64::midpoint(dof, self.points.len() as f64);
        -power * (dof * variance + rss + self.resolution).ln()
    }

    /// The best E, the lowest of the scan polished by Brent's method between its
    /// neighbours, and the scan: each E with its log likelihood.
    fn peak(&self) -> (f64, Vec<(f64, f64)>) {
        let spacing = self.ceiling / (SCAN - 1) as f64;
        let scan: Vec<(f64, f64)> = (0..SCAN)
            .map(|i| spacing * i as f64)
            .map(|floor| (floor, self.at(floor).rss))
            .collect();
        let (middle, lowest) = scan
            .iter()
            .copied()
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap_or_default();
        let solver = BrentOpt::new(
            (middle - spacing).max(0.0),
            (middle + spacing).min(self.ceiling),
        );
        let polished = Executor::new(self, solver)
            .configure(|state| state.max_iters(100))
            .run()
            .ok()
            .and_then(|result| result.state.best_param);
        let peak = match polished {
            Some(floor) if self.at(floor).rss < lowest => floor,
            _ => middle,
        };
        let likelihoods = scan
            .into_iter()
            .map(|(floor, rss)| (floor, self.log_likelihood(rss)));
        (peak, likelihoods.collect())
    }

    /// Fits over the values of E that count: from the peak outwards, up to where the
    /// scan first finds one that does not.
    fn members(&self, peak: f64, scan: &[(f64, f64)], variance: f64) -> Vec<Member> {
        let least = self.log_likelihood(self.at(peak).rss) - NEGLIGIBLE;
        let counts = |floor: f64| self.log_likelihood(self.at(floor).rss) > least;
        let edge = |outwards: &mut dyn Iterator<Item = &(f64, f64)>| {
            let mut inside = peak;
            for &(floor, likelihood) in outwards {
                if likelihood <= least {
                    return boundary(inside, floor, counts);
                }
                inside = floor;
            }
            inside
        };
        let low = edge(&mut scan.iter().rev().filter(|(floor, _)| *floor < peak));
        let high = edge(&mut scan.iter().filter(|(floor, _)| *floor > peak));
        let floors = (0..MEMBERS).map(|i| low + (high - low) * i as f64 / (MEMBERS - 1) as f64);
        self.members_at(floors, variance)
    }

    /// The fits at given values of E, with their shares.
    fn members_at(&self, floors: impl Iterator<Item = f64>, variance: f64) -> Vec<Member> {
        let mut members: Vec<Member> = floors
            .map(|floor| {
                let fit = self.at(floor);
                Member {
                    floor,
                    ln_k: fit.ln_k,
                    exponent: fit.exponent,
                    covariance: fit.unit_covariance.map(|row| row.map(|v| v * variance)),
                    share: self.log_likelihood(fit.rss),
                }
            })
            .collect();
        let top = members
            .iter()
            .map(|m| m.share)
            .fold(f64::NEG_INFINITY, f64::max);
        for member in &mut members {
            member.share = (member.share - top).exp();
        }
        let total: f64 = members.iter().map(|m| m.share).sum();
        for member in &mut members {
            member.share /= total;
        }
        members
    }
}

/// The fits at given values of E, as far as those lie below every L*, and the ln C
/// that they are centred on.
pub(super) fn members_at(
    points: &[LossPoint],
    noise: NoiseLevel,
    floors: impl Iterator<Item = f64>,
) -> Option<(f64, Vec<Member>)> {
    let profile = Profile::new(points, noise);
    // With some slack: a floor that is the ceiling of equal points has to stay.
    let below = floors
        .filter(|floor| *floor <= profile.ceiling * (1.0 + 1e-9))
        .map(|floor| floor.min(profile.ceiling));
    let members = profile.members_at(below, noise.variance);
    let usable = members.iter().all(|member| member.share.is_finite());
    (usable && !members.is_empty()).then_some((profile.ln_c, members))
}

impl CostFunction for &Profile<'_> {
    type Param = f64;
    type Output = f64;

    fn cost(&self, floor: &f64) -> Result<f64, argmin::core::Error> {
        Ok(self.at(*floor).rss)
    }
}

/// The value nearest to `outside`, which does not count, that still does.
fn boundary(inside: f64, outside: f64, counts: impl Fn(f64) -> bool) -> f64 {
    let (mut good, mut bad) = (inside, outside);
    for _ in 0..50 {
        let middle = f64::midpoint(good, bad);
        if counts(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    good
}

fn weighted_quantile(sorted: &[(f64, f64)], probability: f64) -> f64 {
    let mut sum = 0.0;
    for &(value, share) in sorted {
        sum += share;
        if sum >= probability {
            return value;
        }
    }
    sorted.last().map_or(f64::NAN, |&(value, _)| value)
}
