//! `IsoFLOP` curves (Approach 2 of Hoffmann et al. 2022): at one budget, the loss
//! against ln N, its minimum, and how well the minimum is known.
//!
//! Curves are weighted least-squares polynomials in ln N. One noise level serves
//! all budgets: the residual variance pooled over the default curve of every
//! budget, seeds included, with the pooled degrees of freedom. A minimum counts
//! only if the curve rises from it to both ends of the measured sizes and its
//! curvature is above zero at the one-sided 95 %
//! level; otherwise a [`Diagnosis`] says what
//! to train.

mod curve;
mod fit;
mod law;

pub use curve::Curve;
pub(crate) use curve::{Lowest, Point};
pub(crate) use fit::{Draft, fit};
pub use law::{ChiSquare, IsoflopLaw, IsoflopMinimum, IsoflopParameters};
pub(crate) use law::{IsoflopRefit, fit as fit_method};

use serde::{Deserialize, Serialize};

use crate::interval::Interval;

/// Fewest distinct sizes for any curve.
pub const MIN_POINTS: usize = 4;
/// Distinct sizes from which the default curve is a cubic.
pub const CUBIC_POINTS: usize = 6;

/// The shape that is fitted to one budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Degree 3 through all sizes; from six sizes on.
    Cubic,
    /// Degree 2 through all sizes; from four sizes on.
    Parabola,
    /// Degree 2 through the sizes within a factor 4 of the lowest one, where
    /// those are at least four and not all.
    WindowedParabola,
}

/// All budgets, fitted together.
#[derive(Debug, Clone)]
pub(crate) struct Isoflop {
    /// The pooled noise; absent when no budget has enough sizes for a curve.
    pub(crate) noise: Option<Noise>,
    /// One entry a budget, smallest first.
    pub(crate) budgets: Vec<BudgetFit>,
    /// The same budgets in the form that can be fitted again.
    pub(crate) drafts: Vec<Draft>,
}

/// Spread of a run's loss around its budget's curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Noise {
    /// Standard deviation of one run of weight 1, in units of the loss: what the
    /// default curves leave over, lack of fit included.
    pub sd: f64,
    /// Degrees of freedom behind it.
    pub dof: f64,
    /// Standard deviation between seeds of the same size and budget alone, and
    /// its degrees of freedom; absent without repeated sizes.
    pub between_seeds: Option<(f64, f64)>,
}

/// One budget's curves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetFit {
    /// FLOPs that the runs were planned for.
    pub budget: f64,
    /// FLOPs that they used: the geometric mean.
    pub c: f64,
    /// The runs, as positions in the list that was analysed.
    pub runs: Vec<usize>,
    /// Distinct sizes.
    pub sizes: usize,
    /// Four or five sizes: enough for a parabola, too few to test its shape.
    pub few_points: bool,
    /// Each curve that the number of sizes allows, best supported first.
    pub fits: Vec<CurveFit>,
    /// What the budget contributes to the laws by default: the minimum of the
    /// cubic where there is one, else the parabola's; or why it has none.
    pub outcome: Outcome,
}

impl BudgetFit {
    /// The curve of one method, where it was fitted.
    pub fn fit(&self, method: Method) -> Option<&CurveFit> {
        self.fits.iter().find(|fit| fit.method == method)
    }
}

/// The minimum that a budget contributes to a method's laws.
pub(crate) fn minimum_by(method: crate::Method, budget: &BudgetFit) -> Option<&Minimum> {
    let by = |shape| budget.fit(shape).and_then(|curve| curve.outcome.minimum());
    match method {
        crate::Method::IsoflopCubic => budget.outcome.minimum(),
        // Where all sizes are near the minimum the window is the whole curve.
        crate::Method::IsoflopWindowed => {
            by(Method::WindowedParabola).or_else(|| by(Method::Parabola))
        }
        _ => by(Method::Parabola),
    }
}

/// A fitted curve and its minimum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurveFit {
    /// The curve's shape.
    pub method: Method,
    /// The curve.
    pub curve: Curve,
    /// Distinct sizes that it went through.
    pub sizes: usize,
    /// Weighted sum of squared residuals.
    pub rss: f64,
    /// Runs less coefficients.
    pub dof: f64,
    /// The minimum, or why it does not count.
    pub outcome: Outcome,
}

/// The result at one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A minimum that counts.
    Minimum(Minimum),
    /// No minimum that counts.
    Undetermined(Diagnosis),
}

impl Outcome {
    /// The minimum, where there is one.
    pub fn minimum(&self) -> Option<&Minimum> {
        match self {
            Self::Minimum(minimum) => Some(minimum),
            Self::Undetermined(_) => None,
        }
    }
}

/// The lowest point of a curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Minimum {
    /// The curve's shape.
    pub method: Method,
    /// Parameters N* with their interval.
    pub n: Interval,
    /// Units of data D* at N*, read between the neighbouring runs.
    pub d: Interval,
    /// Loss L* at N*.
    pub loss: Interval,
    /// Second derivative of the loss by ln N at N*.
    pub curvature: Interval,
    /// Standard error of ln N*.
    pub ln_n_se: f64,
    /// Standard error of L*.
    pub loss_se: f64,
    /// Slope of ln D against ln N at the minimum (−1 when C = 6·N·D).
    pub ln_d_slope: f64,
    /// Variances of ln N* and L* for noise of variance 1: they order the budgets
    /// in the laws even where the noise is zero.
    pub unit_variance: UnitVariance,
}

/// Variances for noise of variance 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct UnitVariance {
    /// Of ln N*.
    pub ln_n: f64,
    /// Of L*.
    pub loss: f64,
}

/// Why a budget has no minimum that counts, with the sizes (values of N) that
/// would settle it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Diagnosis {
    /// The curve still falls at the smallest size.
    #[error("loss still falls towards small models at N = {}; add N ≈ {}", count(*lowest), counts(add))]
    NotBracketedLow {
        /// The smallest N measured.
        lowest: f64,
        /// Sizes to add.
        add: Vec<f64>,
    },
    /// The curve still falls at the largest size.
    #[error("loss still falls towards large models at N = {}; add N ≈ {}", count(*highest), counts(add))]
    NotBracketedHigh {
        /// The largest N measured.
        highest: f64,
        /// Sizes to add.
        add: Vec<f64>,
    },
    /// The curve is not bent upwards beyond the noise.
    #[error(
        "no upward bend beyond the noise (curvature {curvature:.4}, standard error {se:.4}); add N ≈ {}",
        counts(add)
    )]
    NotConvex {
        /// Second derivative by ln N where the curve is lowest.
        curvature: f64,
        /// Its standard error.
        se: f64,
        /// Sizes to add.
        add: Vec<f64>,
    },
    /// Too few distinct sizes for a curve.
    #[error("{found} distinct size{}, {needed} needed; add N ≈ {}", if *found == 1 { "" } else { "s" }, counts(add))]
    TooFewPoints {
        /// Distinct sizes.
        found: usize,
        /// Fewest that are fitted.
        needed: usize,
        /// Sizes to add.
        add: Vec<f64>,
    },
}

impl Diagnosis {
    /// Sizes (values of N) to add.
    pub fn add(&self) -> &[f64] {
        match self {
            Self::NotBracketedLow { add, .. }
            | Self::NotBracketedHigh { add, .. }
            | Self::NotConvex { add, .. }
            | Self::TooFewPoints { add, .. } => add,
        }
    }
}

fn count(n: f64) -> String {
    crate::quantity::count(n)
}

fn counts(sizes: &[f64]) -> String {
    let texts: Vec<String> = sizes.iter().map(|&n| count(n)).collect();
    texts.join(", ")
}
