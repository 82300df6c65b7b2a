//! The laws through the minima of a sweep.
//!
//! D* has a law of its own. It is read off the runs, where D = C / (FLOPs per
//! unit), so it stays true when the FLOPs per unit are not 6·N; nothing here
//! assumes that C = 6·N·D.

use serde::{Deserialize, Serialize};

use crate::isoflop::{Minimum, Noise};
use crate::loss_law::{LossLaw, LossPoint};
use crate::power_law::{LogPoint, NoiseLevel, PowerLaw};

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
}
