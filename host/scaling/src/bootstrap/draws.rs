//! The laws of all draws, and intervals read off them.

use serde::{Deserialize, Serialize};

use super::freedom::{self, Response};
use super::{Scheme, errors, spread};
use crate::analysis::Bounds;
use crate::fit::Fit;
use crate::frontier::{Frontier, Law, Optimum};
use crate::interval::{self, Interval};
use crate::loss_law::LossLaw;
use crate::student;
use crate::surface::Surface;

/// Fewest draws with a law that an interval is read off.
pub const FEWEST_DRAWS: usize = 20;

/// The laws that a bootstrap found.
#[derive(Debug, Clone)]
pub struct Draws {
    scheme: Scheme,
    law: Law,
    laws: Vec<Law>,
    asked: usize,
    responses: Option<Vec<Response>>,
    freedom: f64,
    /// A law of L* through a few minima does not know its floor, and refits of it
    /// share that ignorance: its own interval, over all floors, is the least.
    loss_law: Option<LossLaw>,
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

impl OptimumIntervals {
    /// The intervals without their estimates.
    pub(crate) fn bounds(&self) -> Bounds {
        let bounds = |interval: Interval| [interval.low, interval.high];
        Bounds {
            n: bounds(self.n),
            d: bounds(self.d),
            units_per_parameter: bounds(self.units_per_parameter),
            loss: bounds(self.loss),
        }
    }
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
            loss_law: fit.loss_law().cloned(),
            law: fit.law().clone(),
            asked: laws.len(),
            laws: laws.into_iter().flatten().collect(),
            responses,
            freedom: (errors::clusters(fit).len() as f64 - parameters).max(1.0),
        }
    }

    /// How the runs of each draw came about.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The interval of E of a law through minima, over all floors that they allow;
    /// `None` for other laws.
    pub fn floor(&self) -> Option<Interval> {
        self.loss_law.as_ref().map(|law| law.floor)
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
            self.interval(|law| {
                if let Law::Surface(law) = law {
                    value(law.surface())
                } else {
                    f64::NAN
                }
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

    /// Intervals of R_D and R_N, judged by their logarithms; `None` where the law is no
    /// data-constrained one, or fewer than half of the draws have one.
    pub fn decays(&self) -> Option<[Interval; 2]> {
        let of = |index: usize| {
            let interval = self.interval(|law| match law {
                Law::Surface(law) => law.decays().map_or(f64::NAN, |decays| decays[index]),
                _ => f64::NAN,
            });
            interval.map(exp)
        };
        Some([of(0)?, of(1)?])
    }

    /// Intervals at `c` FLOPs; `None` where fewer than half of the draws have a law.
    ///
    /// N*, D* and D*/N* are judged by their logarithms, L* as it is.
    pub fn at(&self, c: f64) -> Option<OptimumIntervals> {
        // An optimum may take a search: once a law, for all four quantities.
        let optima = self.map(|law| law.optimum(c));
        let ln = |value: fn(&Optimum) -> f64| self.judge(&optima, |o| value(o).ln()).map(exp);
        let mut loss = self.judge(&optima, |optimum| optimum.loss)?;
        if let Some(law) = &self.loss_law {
            let own = law.predict(c);
            loss.low = loss.low.min(own.low);
            loss.high = loss.high.max(own.high);
        }
        Some(OptimumIntervals {
            c,
            loss,
            n: ln(|optimum| optimum.n)?,
            d: ln(|optimum| optimum.d)?,
            units_per_parameter: ln(Optimum::units_per_parameter)?,
        })
    }

    /// The interval of any quantity of a law, on the scale on which its error is
    /// most nearly symmetric; `None` where fewer than half of the draws have it.
    pub fn interval(&self, quantity: impl Fn(&Law) -> f64) -> Option<Interval> {
        self.judge(&self.map(quantity), |value| *value)
    }

    fn map<T>(&self, of: impl Fn(&Law) -> T) -> Answers<T> {
        Answers {
            estimate: of(&self.law),
            draws: self.laws.iter().map(&of).collect(),
            responses: self.responses.as_deref().map(|responses| {
                let laws = responses.iter().map(Response::laws);
                laws.map(|laws| laws.each_ref().map(&of)).collect()
            }),
        }
    }

    fn judge<T>(&self, answers: &Answers<T>, value: impl Fn(&T) -> f64) -> Option<Interval> {
        let estimate = value(&answers.estimate);
        let mut values: Vec<f64> = answers.draws.iter().map(&value).collect();
        values.retain(|value| value.is_finite());
        if values.len() < FEWEST_DRAWS.max(self.asked / 2) || !estimate.is_finite() {
            return None;
        }
        values.sort_by(f64::total_cmp);
        Some(match self.scheme {
            Scheme::WildCluster => {
                let freedom = self.responses.as_deref().zip(answers.responses.as_deref());
                let freedom = freedom
                    .and_then(|(responses, pairs)| {
                        let changes = pairs.iter().map(|[up, down]| value(up) - value(down));
                        freedom::of(responses, changes)
                    })
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

/// What the fit's law, every draw's and every response's answer to one question.
struct Answers<T> {
    estimate: T,
    draws: Vec<T>,
    responses: Option<Vec<[T; 2]>>,
}

/// An interval of a logarithm, moved to the quantity.
fn exp(interval: Interval) -> Interval {
    Interval {
        estimate: interval::exp(interval.estimate),
        low: interval::exp(interval.low),
        high: interval::exp(interval.high),
    }
}
