//! The parametric surface (Approach 3): `L(N, D) = E + A/N^α + B/D^β`.
//!
//! Seeds come from variable projection over a grid of exponents, L-BFGS carries
//! each to the bottom of its basin, and Newton's method finishes the best to the
//! last digits. Which optimum that is depends on the objective: four of them are
//! defined here, each a *sum* over the runs.

mod fit;
mod frontier;
pub(crate) mod model;
mod polish;
mod seeds;

pub use fit::{SurfaceFit, fit as fit_surface};
pub(crate) use fit::{SurfaceRefit, fit_method};
pub use frontier::SurfaceLaw;

use std::fmt;

use serde::{Deserialize, Serialize};

/// δ of the Huber loss on ln L (Hoffmann et al. 2022).
pub const HUBER_DELTA: f64 = 1e-3;

/// A surface. A and B are kept as logarithms: with steep exponents they leave the
/// range of numbers long before the surface does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Surface {
    /// E, the loss that no N or D removes; >= 0.
    pub floor: f64,
    /// ln A.
    pub ln_a: f64,
    /// ln B.
    pub ln_b: f64,
    /// α; > 0.
    pub alpha: f64,
    /// β; > 0.
    pub beta: f64,
}

impl Surface {
    /// The loss at N parameters and D units.
    pub fn loss(&self, n: f64, d: f64) -> f64 {
        self.loss_at(n.ln(), d.ln())
    }

    /// The loss at ln N and ln D.
    pub fn loss_at(&self, ln_n: f64, ln_d: f64) -> f64 {
        self.floor + (self.ln_a - self.alpha * ln_n).exp() + (self.ln_b - self.beta * ln_d).exp()
    }

    /// The exponent of N*(C) where C is proportional to N·D: β/(α + β).
    pub fn n_exponent(&self) -> f64 {
        self.beta / (self.alpha + self.beta)
    }
}

/// What a fit minimises: a weighted sum over the runs of a function of the
/// residual r.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Objective {
    /// Huber's loss of ln L: r²/2 up to δ, δ·(|r| − δ/2) beyond.
    Huber {
        /// δ, in units of ln L.
        delta: f64,
    },
    /// |r| of ln L.
    Lad,
    /// r² of L.
    Mse,
    /// r² of ln L.
    MseLog,
}

impl Objective {
    /// Whether residuals are those of ln L.
    pub fn is_log(self) -> bool {
        !matches!(self, Self::Mse)
    }

    /// The widths of the Huber losses whose minima lead to this objective's, after
    /// the first.
    pub(crate) fn widths(self) -> &'static [f64] {
        match self {
            Self::Huber { .. } | Self::Mse | Self::MseLog => &[],
            // Each is so much below the residuals that the next starts close to
            // its end; the last is at the resolution of ln L.
            Self::Lad => &[1e-5, 1e-8, 1e-11],
        }
    }

    /// The width that a search begins with.
    pub(crate) fn first_width(self) -> f64 {
        match self {
            Self::Huber { delta } => delta,
            Self::Mse | Self::MseLog => f64::INFINITY,
            Self::Lad => HUBER_DELTA,
        }
    }

    /// The objective at given residuals.
    pub fn value(self, residuals: &[f64], weights: &[f64]) -> f64 {
        match self {
            Self::Huber { delta } => crate::newton::total(residuals, weights, delta),
            Self::Lad => residuals
                .iter()
                .zip(weights)
                .map(|(r, w)| w * r.abs())
                .sum(),
            Self::Mse | Self::MseLog => residuals.iter().zip(weights).map(|(r, w)| w * r * r).sum(),
        }
    }
}

/// A parameter that ended at its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// E = 0.
    FloorAtZero,
    /// α at its smallest value: the term of N is nearly constant.
    AlphaLow,
    /// α at its largest value.
    AlphaHigh,
    /// β at its smallest value: the term of D is nearly constant.
    BetaLow,
    /// β at its largest value.
    BetaHigh,
    /// R_D at its smallest value: data seen again is worth nothing.
    RepeatedDataWorthless,
    /// R_D at its largest value: data seen again is worth as much as new data, as far
    /// as these runs can tell.
    RepeatedDataAsNew,
    /// R_N at its smallest value: parameters beyond what the data asks for are worth
    /// nothing.
    ExcessParametersWorthless,
    /// R_N at its largest value.
    ExcessParametersAsNew,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FloorAtZero => "E is 0, the least it may be",
            Self::AlphaLow => "α is the least it may be: the term of N is nearly constant",
            Self::AlphaHigh => "α is the most it may be",
            Self::BetaLow => "β is the least it may be: the term of D is nearly constant",
            Self::BetaHigh => "β is the most it may be",
            Self::RepeatedDataWorthless => "data seen again is worth nothing (R_D at its least)",
            Self::RepeatedDataAsNew => "data seen again is worth as much as new (R_D at its most)",
            Self::ExcessParametersWorthless => {
                "parameters beyond what the data asks for are worth nothing (R_N at its least)"
            }
            Self::ExcessParametersAsNew => {
                "parameters beyond what the data asks for are worth as much as others (R_N at its most)"
            }
        })
    }
}

impl Bound {
    /// Of E, α and β, those that are at a bound.
    pub(crate) fn of_surface(floor: f64, alpha: f64, beta: f64) -> Vec<Self> {
        let (low, high) = model::EXPONENTS;
        let all = [
            (Self::FloorAtZero, floor <= 0.0),
            (Self::AlphaLow, alpha <= low),
            (Self::AlphaHigh, alpha >= high),
            (Self::BetaLow, beta <= low),
            (Self::BetaHigh, beta >= high),
        ];
        let hit = all.into_iter().filter(|(_, hit)| *hit);
        hit.map(|(bound, _)| bound).collect()
    }
}

/// A surface and how it was found, as `analysis.json` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SurfaceParameters {
    /// E, in units of the loss.
    #[serde(rename = "E")]
    pub floor: f64,
    /// A.
    #[serde(rename = "A")]
    pub a_factor: f64,
    /// B.
    #[serde(rename = "B")]
    pub b_factor: f64,
    /// α.
    pub alpha: f64,
    /// β.
    pub beta: f64,
    /// What was minimised.
    pub loss: Objective,
    /// Its value at the optimum, summed over the runs.
    pub objective: f64,
    /// Exponent of N*(C) where C is proportional to N·D: β/(α + β).
    pub a: f64,
    /// Exponent of D*(C) there: α/(α + β).
    pub b: f64,
    /// Starts that were polished.
    pub seeds: usize,
    /// Those that ended at the optimum, within 1e-6 of the objective.
    pub seeds_at_optimum: usize,
    /// Whether Newton's method ended because no step promised a gain.
    pub converged: bool,
    /// Parameters at a bound.
    pub bounds: Vec<Bound>,
    /// Largest over smallest eigenvalue of the objective's Hessian by E,
    /// ln A', ln B', α and β, with A' and B' the terms in the middle of the data.
    /// Least absolute deviations have no Hessian: that of least squares stands in.
    /// Absent where the Hessian is not positive definite.
    pub condition: Option<f64>,
}
