//! The laws of all draws, and intervals read off them.

use serde::{Deserialize, Serialize};

use super::freedom::{self, Response};
use super::{Scheme, errors, spread};
use crate::fit::Fit;
use crate::frontier::{Frontier, Law, Optimum};
use crate::interval::Interval;
use crate::student;
use crate::surface::Surface;

/// Fewest draws with a law for an interval.
const FEWEST: usize = 20;

/// The laws that a bootstrap found.
#[derive(Debug, Clone)]
pub struct Draws {
    scheme: Scheme,
    law: Law,
    laws: Vec<Law>,
    asked: usize,
    responses: Option<Vec<Response>>,
    freedom: f64,
}

/// What a law says about one compute, with 95 % intervals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OptimumIntervals {
    /// FLOPs.
    pub c: f64,
    /// Parameters N*.
    pub n: Interval,
    /// Units of data D*.
    pub d: Interval,
    /// D*/N*.
    pub units_per_parameter: Interval,
    /// Loss L*.
    pub loss: Interval,
}

/// 95 % intervals of a surface's parameters, each by itself: E, A and α lean on one
/// another, so a corner of the five intervals is far less likely than 1 in 20.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SurfaceIntervals {
    /// E, in units of the loss.
    #[serde(rename = "E")]
    pub floor: Interval,
    /// A, judged by its logarithm.
    #[serde(rename = "A")]
    pub a_factor: Interval,
    /// B, judged by its logarithm.
    #[serde(rename = "B")]
    pub b_factor: Interval,
    /// α.
    pub alpha: Interval,
    /// β.
    pub beta: Interval,
    /// β/(α + β), the exponent of N*(C) where C is proportional to N·D.
    pub a: Interval,
}

impl Draws {
    pub(super) fn new(
        scheme: Scheme,
        fit: &Fit<'_>,
        laws: Vec<Option<Law>>,
        responses: Option<Vec<Response>>,
    ) -> Self {
        let parameters: f64 = fit.leverage().iter().sum();
        Self {
            scheme,
            law: fit.law().clone(),
            asked: laws.len(),
            laws: laws.into_iter().flatten().collect(),
            responses,
            freedom: (errors::clusters(fit).len() as f64 - parameters).max(1.0),
        }
    }

    /// Draws that were asked for.
    pub fn asked(&self) -> usize {
        self.asked
    }

    /// The laws of the draws that have one, in the order of the draws.
    pub fn laws(&self) -> &[Law] {
        &self.laws
    }

    /// The optimum of every draw at `c` FLOPs.
    pub fn optima(&self, c: f64) -> Vec<Optimum> {
        self.laws.iter().map(|law| law.optimum(c)).collect()
    }

    /// Intervals of a surface's parameters; `None` where the law is no surface, or
    /// fewer than half of the draws have one.
    pub fn surface(&self) -> Option<SurfaceIntervals> {
        let of = |value: fn(&Surface) -> f64| {
            self.interval(|law| match law {
                Law::Surface(law) => value(law.surface()),
                Law::Isoflop(_) => f64::NAN,
            })
        };
        let ln = |value| of(value).map(exp);
        Some(SurfaceIntervals {
            floor: of(|surface| surface.floor)?,
            a_factor: ln(|surface| surface.ln_a)?,
            b_factor: ln(|surface| surface.ln_b)?,
            alpha: of(|surface| surface.alpha)?,
            beta: of(|surface| surface.beta)?,
            a: of(Surface::n_exponent)?,
        })
    }

    /// Intervals at `c` FLOPs; `None` where fewer than half of the draws have a law.
    ///
    /// N*, D* and D*/N* are judged by their logarithms, L* as it is.
    pub fn at(&self, c: f64) -> Option<OptimumIntervals> {
        let ln =
            |value: fn(&Optimum) -> f64| self.interval(|law| value(&law.optimum(c)).ln()).map(exp);
        Some(OptimumIntervals {
            c,
            n: ln(|optimum| optimum.n)?,
            d: ln(|optimum| optimum.d)?,
            units_per_parameter: ln(Optimum::units_per_parameter)?,
            loss: self.interval(|law| law.optimum(c).loss)?,
        })
    }

    /// The interval of any quantity of a law, on the scale on which its error is
    /// most nearly symmetric; `None` where fewer than half of the draws have it.
    pub fn interval(&self, quantity: impl Fn(&Law) -> f64) -> Option<Interval> {
        let estimate = quantity(&self.law);
        let mut values: Vec<f64> = self.laws.iter().map(&quantity).collect();
        values.retain(|value| value.is_finite());
        if values.len() < FEWEST.max(self.asked / 2) || !estimate.is_finite() {
            return None;
        }
        values.sort_by(f64::total_cmp);
        Some(match self.scheme {
            Scheme::WildCluster => {
                let freedom = self
                    .responses
                    .as_deref()
                    .and_then(|responses| freedom::of(responses, &quantity))
                    .map_or(self.freedom, |freedom| freedom.min(self.freedom));
                let half_width = student::two_sided(freedom) * spread::standard_error(&values);
                Interval::symmetric(estimate, half_width)
            }
            Scheme::Pair => Interval {
                estimate,
                low: spread::quantile(&values, 0.025).min(estimate),
                high: spread::quantile(&values, 0.975).max(estimate),
            },
        })
    }
}

/// An interval of a logarithm, moved to the quantity.
fn exp(interval: Interval) -> Interval {
    Interval {
        estimate: interval.estimate.exp(),
        low: interval.low.exp(),
        high: interval.high.exp(),
    }
}
