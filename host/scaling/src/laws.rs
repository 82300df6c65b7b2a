//! The laws through the minima of a sweep, and predictions from them.
//!
//! D* has a law of its own. It is read off the runs, where D = C / (FLOPs per
//! unit), so it stays true when the FLOPs per unit are not 6·N; nothing here
//! assumes that C = 6·N·D.

use serde::{Deserialize, Serialize};

use crate::interval::Interval;
use crate::isoflop::{Minimum, Noise};
use crate::loss_law::{LossLaw, LossPoint};
use crate::power_law::{LogPoint, NoiseLevel, PowerLaw};

/// Decades of C beyond the measured budgets up to which a prediction is made
/// without a warning.
pub const FAR: f64 = 2.0;

/// N*, D*, D*/N* and L* as functions of C.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Laws {
    /// N*(C), parameters.
    pub n: PowerLaw,
    /// D*(C), units of data.
    pub d: PowerLaw,
    /// D*(C) / N*(C), units per parameter.
    pub units_per_parameter: PowerLaw,
    /// L*(C).
    pub loss: LossLaw,
    /// The budgets behind the laws, ascending, in FLOPs as used.
    pub budgets: Vec<f64>,
}

/// What to expect at one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
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
    /// Decades of C between `c` and the nearest measured budget; 0 within them.
    pub decades_beyond: f64,
}

impl Prediction {
    /// Whether the prediction reaches more than two decades beyond the data.
    pub fn is_far(&self) -> bool {
        // Budgets as used miss their round numbers by the rounding of steps.
        self.decades_beyond > FAR + 0.02
    }
}

impl Laws {
    /// Fits the laws to minima `(C, minimum)` at two or more distinct budgets;
    /// `None` below that.
    pub fn fit(minima: &[(f64, &Minimum)], noise: &Noise) -> Option<Self> {
        let mut budgets: Vec<f64> = minima.iter().map(|(c, _)| *c).collect();
        budgets.sort_by(f64::total_cmp);
        let (first, last) = (budgets.first()?, budgets.last()?);
        if first >= last {
            return None;
        }
        let level = NoiseLevel {
            variance: noise.sd.powi(2),
            dof: noise.dof,
        };
        // `slope` is d ln y / d ln N along the budget: it carries the vertex's
        // uncertainty over to the other quantities.
        let law = |value: fn(&Minimum) -> f64, slope: fn(&Minimum) -> f64| {
            let points: Vec<LogPoint> = minima
                .iter()
                .map(|(c, minimum)| LogPoint {
                    ln_c: c.ln(),
                    ln_y: value(minimum).ln(),
                    unit_variance: minimum.unit_variance.ln_n * slope(minimum).powi(2),
                    weight: 1.0 / minimum.unit_variance.ln_n,
                })
                .collect();
            PowerLaw::fit(&points, level)
        };
        let losses: Vec<LossPoint> = minima
            .iter()
            .map(|(c, minimum)| LossPoint {
                ln_c: c.ln(),
                loss: minimum.loss.estimate,
                unit_variance: minimum.unit_variance.loss,
            })
            .collect();
        Some(Self {
            n: law(|m| m.n.estimate, |_| 1.0),
            d: law(|m| m.d.estimate, |m| m.ln_d_slope),
            units_per_parameter: law(|m| m.d.estimate / m.n.estimate, |m| m.ln_d_slope - 1.0),
            loss: LossLaw::fit(&losses, level),
            budgets,
        })
    }

    /// Predicts every quantity at `c` FLOPs; `c` is finite and > 0.
    pub fn predict(&self, c: f64) -> Prediction {
        let (first, last) = (self.budgets[0], self.budgets[self.budgets.len() - 1]);
        Prediction {
            c,
            n: self.n.predict(c),
            d: self.d.predict(c),
            units_per_parameter: self.units_per_parameter.predict(c),
            loss: self.loss.predict(c),
            decades_beyond: (c / last).log10().max((first / c).log10()).max(0.0),
        }
    }
}
