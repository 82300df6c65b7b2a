//! The methods joined into one recommendation.
//!
//! Logarithms of N*, D* and D*/N*, and L* itself, are averaged with the weights of
//! the [selection](crate::selection), and so are the half-widths h of the methods'
//! intervals: their errors come from the same runs, as the weights do, and are taken
//! to move together.
//!
//! That knows what noise does to the average, not that the methods may all be of the
//! wrong form. How much farther they are apart than in the rehearsal is a measure of it:
//! with δ the distance of each from the average and v what δ² was on average in the
//! [rehearsal](crate::selection), the half-width becomes `√(h² + z²·Σ p·max(δ² − v, 0))`,
//! the shares p those of all methods, followed or not. It is the variance between the
//! models of a model average (Burnham and Anderson 2002, section 4.3), less what is
//! known of it already: the noise of a noisy method, and the bias of one that the runs
//! speak against.

mod opinion;

use std::collections::BTreeMap;

use crate::analysis::{Bounds, Prediction};
use crate::bootstrap::{Draws, OptimumIntervals};
use crate::fit::Fit;
use crate::frontier::{Frontier, Optimum};
use crate::interval::{self, Interval};
use crate::method::Method;
use crate::selection::{Errors, PowerLaws, Recommendation, Rehearsal, Shares, Weighed};
use crate::tolerance::{EXTRA, tolerance};

use opinion::{Joined, Opinion, join};

/// A fitted method with its draws.
#[derive(Debug)]
pub(crate) struct Member<'f, 's> {
    pub(crate) fit: &'f Fit<'s>,
    pub(crate) draws: &'f Draws,
}

/// All fitted methods with their weights.
pub(crate) struct Ensemble<'f, 's> {
    members: &'f [Member<'f, 's>],
    weighed: &'f Weighed,
    rehearsal: Option<&'f Rehearsal>,
}

/// What a method says about one compute.
struct Said {
    method: Method,
    optimum: Optimum,
    intervals: Option<OptimumIntervals>,
}

impl<'f, 's> Ensemble<'f, 's> {
    pub(crate) fn new(
        members: &'f [Member<'f, 's>],
        weighed: &'f Weighed,
        rehearsal: Option<&'f Rehearsal>,
    ) -> Self {
        Self {
            members,
            weighed,
            rehearsal,
        }
    }

    /// What is followed and why, from budgets between those of `measured`.
    pub(crate) fn recommendation(&self, measured: (f64, f64)) -> Recommendation {
        let Weighed {
            method,
            choice,
            size,
            loss,
            reason,
        } = self.weighed.clone();
        Recommendation {
            method,
            choice,
            weights: size.weights,
            loss_weights: loss.weights,
            plausibility: size.plausibility,
            expected_error: size.expected_error,
            reason,
            law: self.laws(measured),
        }
    }

    /// The recommendation at `c` FLOPs from budgets between those of `measured`.
    pub(crate) fn predict(&self, c: f64, measured: (f64, f64)) -> Prediction {
        let said: Vec<Said> = self
            .members
            .iter()
            .map(|member| Said {
                method: member.fit.method(),
                optimum: member.fit.optimum(c),
                intervals: member.draws.at(c),
            })
            .collect();
        let rehearsed = self.rehearsal.map(|rehearsal| rehearsal.at(c));
        let joined = |shares: &Shares,
                      value: &dyn Fn(&Optimum) -> f64,
                      bounds: &dyn Fn(&OptimumIntervals) -> [f64; 2]| {
            let errors = rehearsed.as_ref().map(|answers| answers.errors(value));
            let opinions = said.iter().map(|said| {
                let estimate = value(&said.optimum);
                let reach = said.intervals.as_ref().map(|at| {
                    let [low, high] = bounds(at);
                    [estimate - low, high - estimate]
                });
                opinion(shares, errors.as_ref(), said.method, estimate, reach)
            });
            join(&opinions.collect::<Vec<_>>())
        };
        let ln = |value: fn(&Optimum) -> f64, interval: fn(&OptimumIntervals) -> Interval| {
            let bounds = |at: &OptimumIntervals| {
                let Interval { low, high, .. } = interval(at);
                [low.ln(), high.ln()]
            };
            joined(&self.weighed.size, &|optimum| value(optimum).ln(), &bounds).exp()
        };
        let n = ln(|optimum| optimum.n, |at| at.n);
        let d = ln(|optimum| optimum.d, |at| at.d);
        let ratio = ln(Optimum::units_per_parameter, |at| at.units_per_parameter);
        let loss = joined(&self.weighed.loss, &|optimum| optimum.loss, &|at| {
            [at.loss.low, at.loss.high]
        });
        let bounds = |of: fn(&Joined) -> Option<[f64; 2]>| {
            Some(Bounds {
                n: of(&n)?,
                d: of(&d)?,
                units_per_parameter: of(&ratio)?,
                loss: of(&loss)?,
            })
        };
        let optimum = Optimum {
            c,
            n: n.value,
            d: d.value,
            loss: loss.value,
        };
        let (own, widened) = (bounds(|one| one.unwidened), bounds(|one| one.widened));
        Prediction::new(optimum, widened, own, measured).tolerating(self.tolerance(c, optimum.n))
    }

    /// Sizes that cost little more: the methods' bands around their own N*, averaged
    /// over those that have one, around `n`.
    fn tolerance(&self, c: f64, n: f64) -> Option<[f64; 2]> {
        let (mut total, mut low, mut high) = (0.0, 0.0, 0.0);
        for member in self.members {
            let weights = self.weighed.weights();
            let weight = weights.get(&member.fit.method()).copied().unwrap_or(0.0);
            let law = member.fit.law();
            if weight > 0.0
                && let Some(band) = tolerance(law, c, EXTRA)
            {
                let own = law.optimum(c).n;
                total += weight;
                low += weight * (band.low / own).ln();
                high += weight * (band.high / own).ln();
            }
        }
        (total > 0.0).then(|| [low, high].map(|ln| n * (ln / total).exp()))
    }

    /// The recommendation's power laws between the budgets of `measured`.
    fn laws(&self, (first, last): (f64, f64)) -> Option<PowerLaws> {
        let reach = (last / first).ln();
        let exponent = |value: fn(&Optimum) -> f64| {
            let slope = |law: &dyn Frontier| {
                (value(&law.optimum(last)) / value(&law.optimum(first))).ln() / reach
            };
            let errors = self.rehearsal.map(|all| all.errors(|law| slope(law)));
            let opinions = self.members.iter().map(|member| {
                let interval = member.draws.interval(|law| slope(law));
                let sides = interval.map(|i| [i.estimate - i.low, i.high - i.estimate]);
                let (method, value) = (member.fit.method(), slope(member.fit));
                opinion(&self.weighed.size, errors.as_ref(), method, value, sides)
            });
            let Joined { value, widened, .. } = join(&opinions.collect::<Vec<_>>());
            let [low, high] = widened.unwrap_or([value; 2]);
            Interval {
                estimate: value,
                low,
                high,
            }
        };
        if reach <= 0.0 {
            return None;
        }
        let middle = first * (reach / 2.0).exp();
        let at = self.predict(middle, (first, last));
        let (a, b) = (exponent(|optimum| optimum.n), exponent(|optimum| optimum.d));
        Some(PowerLaws {
            k_n: interval::exp(at.n.ln() - a.estimate * middle.ln()),
            k_d: interval::exp(at.d.ln() - b.estimate * middle.ln()),
            a,
            b,
        })
    }
}

fn opinion(
    shares: &Shares,
    errors: Option<&Errors>,
    method: Method,
    value: f64,
    reach: Option<[f64; 2]>,
) -> Opinion {
    let share = |of: &BTreeMap<Method, f64>| of.get(&method).copied().unwrap_or(0.0);
    Opinion {
        weight: share(&shares.weights),
        plausibility: share(&shares.plausibility),
        usual: errors
            .and_then(|errors| errors.distance(method, &shares.weights))
            .unwrap_or(0.0),
        value,
        reach,
    }
}
