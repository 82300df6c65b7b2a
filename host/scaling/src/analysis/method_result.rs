//! What one method makes of the runs.

use serde::{Deserialize, Serialize};

use super::Prediction;
use crate::bootstrap::{Draws, Scheme};
use crate::fit::{Diagnostics, Fit, Parameters};
use crate::frontier::{Frontier, Law, Optimum};
use crate::interval::Interval;
use crate::tolerance::{EXTRA, tolerance};
use crate::unfit::Unfit;

/// A method's law, or why it has none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MethodResult {
    /// It has a law.
    Fitted(Box<FittedMethod>),
    /// It has none.
    Unfit {
        /// Why.
        unfit: Unfit,
    },
}

impl MethodResult {
    /// The law, where there is one.
    pub fn fitted(&self) -> Option<&FittedMethod> {
        match self {
            Self::Fitted(fitted) => Some(fitted),
            Self::Unfit { .. } => None,
        }
    }

    /// Why there is no law.
    pub fn unfit(&self) -> Option<&Unfit> {
        match self {
            Self::Fitted(_) => None,
            Self::Unfit { unfit } => Some(unfit),
        }
    }
}

/// A method's law and what it says by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FittedMethod {
    /// The law's parameters, among them `objective`, what the fit minimises.
    #[serde(flatten)]
    pub parameters: Parameters,
    /// 95 % intervals of the parameters; absent where too few draws have a law.
    pub ci95: Option<ParameterIntervals>,
    /// How well the law describes its runs; absent for the envelope, which has no
    /// residuals.
    pub diagnostics: Option<Diagnostics>,
    /// The bootstrap's scheme: pair for the envelope, whatever was asked for.
    pub scheme: Scheme,
    /// Draws of the bootstrap that have a law.
    pub draws: usize,
    /// The law's own predictions at the target budgets.
    pub predictions: Vec<Prediction>,
    /// The law's optima on an even grid of ln C, the recommendation's: for plots.
    pub frontier: Vec<Optimum>,
    /// The law's loss of each run, by its position; `None` where the method does not
    /// use the run.
    pub fitted: Vec<Option<f64>>,
}

/// 95 % intervals of parameters, each by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParameterIntervals {
    /// Exponent of N*(C) over the measured budgets.
    pub a: [f64; 2],
    /// Exponent of D*(C) over the measured budgets.
    pub b: [f64; 2],
    /// E, in units of the loss.
    #[serde(rename = "E", default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<[f64; 2]>,
    /// A of a surface.
    #[serde(rename = "A", default, skip_serializing_if = "Option::is_none")]
    pub a_factor: Option<[f64; 2]>,
    /// B of a surface.
    #[serde(rename = "B", default, skip_serializing_if = "Option::is_none")]
    pub b_factor: Option<[f64; 2]>,
    /// α of a surface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpha: Option<[f64; 2]>,
    /// β of a surface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta: Option<[f64; 2]>,
    /// R_D* of the data-constrained law.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r_d: Option<[f64; 2]>,
    /// R_N*, where runs have parameters beyond what their data asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r_n: Option<[f64; 2]>,
}

fn bounds(interval: Interval) -> [f64; 2] {
    [interval.low, interval.high]
}

impl ParameterIntervals {
    fn of(draws: &Draws, parameters: &Parameters, (first, last): (f64, f64)) -> Option<Self> {
        let decays = draws.decays();
        let has_excess =
            matches!(parameters, Parameters::DataConstrained(found) if found.r_n.is_some());
        let slope = |value: fn(&Law, f64) -> f64| {
            let rise = |law: &Law| value(law, last).ln() - value(law, first).ln();
            draws.interval(|law| rise(law) / (last / first).ln())
        };
        let surface = draws.surface();
        let of_surface = |value: fn(&crate::bootstrap::SurfaceIntervals) -> Interval| {
            surface.as_ref().map(|surface| bounds(value(surface)))
        };
        Some(Self {
            a: bounds(slope(|law, c| law.optimum(c).n)?),
            b: bounds(slope(|law, c| law.optimum(c).d)?),
            floor: of_surface(|s| s.floor).or_else(|| draws.floor().map(bounds)),
            a_factor: of_surface(|s| s.a_factor),
            b_factor: of_surface(|s| s.b_factor),
            alpha: of_surface(|s| s.alpha),
            beta: of_surface(|s| s.beta),
            r_d: decays.map(|[r_d, _]| bounds(r_d)),
            r_n: decays.map(|[_, r_n]| bounds(r_n)).filter(|_| has_excess),
        })
    }
}

impl FittedMethod {
    /// The result of a fit to a list of `runs` runs with budgets between the two of
    /// `measured`, with predictions at `targets` and optima at `frontier`, all in FLOPs.
    pub(crate) fn new(
        fit: &Fit<'_>,
        draws: &Draws,
        runs: usize,
        measured: (f64, f64),
        targets: &[f64],
        frontier: &[f64],
    ) -> Self {
        let mut fitted = vec![None; runs];
        for row in (0..fit.sample().len()).filter(|&row| fit.used()[row]) {
            fitted[fit.sample().position(row)] = Some(fit.fitted()[row]);
        }
        let predict = |&c: &f64| {
            let bounds = draws.at(c).map(|at| at.bounds());
            let band = tolerance(fit.law(), c, EXTRA);
            Prediction::new(fit.optimum(c), bounds, None, measured)
                .tolerating(band.map(|band| [band.low, band.high]))
        };
        Self {
            parameters: fit.parameters().clone(),
            ci95: (measured.0 < measured.1)
                .then(|| ParameterIntervals::of(draws, fit.parameters(), measured))
                .flatten(),
            diagnostics: Some(fit.diagnostics())
                .filter(|diagnostics| diagnostics.runs > 0)
                .cloned(),
            scheme: draws.scheme(),
            draws: draws.laws().len(),
            predictions: targets.iter().map(predict).collect(),
            frontier: frontier.iter().map(|&c| fit.optimum(c)).collect(),
            fitted,
        }
    }
}
