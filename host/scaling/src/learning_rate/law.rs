//! From the best rates of a few points to those of all trials.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Open, Transfer};
use crate::interval::{Interval, exp};
use crate::{quantity, student};

/// Fewest minima that a law is fitted to: its three numbers, and one for the noise.
pub(super) const FEW: usize = 4;

/// Share of the spread in ln N and ln D that has to be left when one is explained by the
/// other, lest their exponents can't be told apart.
const APART: f64 = 0.01;

/// Largest exponent of a law, either way. Published ones are below 1 (Li et al. 2025,
/// arXiv 2503.04715: −0.71 in N and 0.31 in D); a few points that ask for more than this
/// ask for what is noise, and rates a decade further on would be absurd.
pub const STEEPEST: f64 = 3.0;

/// Factor by which the best rates of points may differ where one rate is said to serve
/// all: neighbouring rates are as far apart, and a loss is flat around its minimum.
const ALIKE: f64 = 2.0;

/// `η = η₀·(N/N₀)^a·(D/D₀)^b`; with exponents of 0 one rate for all.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RateLaw {
    /// η₀; > 0.
    pub lr: f64,
    /// N₀ in parameters; > 0.
    pub n: f64,
    /// D₀ in units of data; > 0.
    pub d: f64,
    /// a.
    pub n_exponent: f64,
    /// b.
    pub d_exponent: f64,
}

impl RateLaw {
    /// The rate of a trial with `n` parameters that sees `d` units.
    pub fn at(&self, n: f64, d: f64) -> f64 {
        let [x, y] = self.offset(n, d);
        self.lr * (self.n_exponent * x + self.d_exponent * y).exp()
    }

    fn is_steep(&self) -> bool {
        self.n_exponent.abs().max(self.d_exponent.abs()) > STEEPEST
    }

    fn offset(&self, n: f64, d: f64) -> [f64; 2] {
        [(n / self.n).ln(), (d / self.d).ln()]
    }
}

/// The best rate of a point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Minimum {
    /// Value of the size parameter.
    pub size: i64,
    /// FLOPs of a trial.
    pub budget: f64,
    /// Parameters N.
    pub n: f64,
    /// Units of data D.
    pub d: f64,
    /// The rate.
    pub lr: f64,
}

/// What the rates of all trials are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Basis {
    /// One rate serves all: the geometric mean.
    OneRate {
        /// The largest best rate over the smallest.
        ratio: f64,
    },
    /// A law was asked for, but the minima don't carry one: their geometric mean.
    NoLaw {
        /// How many minima there are.
        minima: usize,
        /// a and b of the law through them, where one is beyond [`STEEPEST`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        steep: Option<[f64; 2]>,
    },
    /// The law through the minima by least squares in the logarithms.
    Law {
        /// a with its 95 % interval.
        n_exponent: Interval,
        /// b with its 95 % interval.
        d_exponent: Interval,
        /// Covariance of (ln η₀, a, b).
        covariance: [[f64; 3]; 3],
        /// Degrees of freedom of the intervals.
        dof: f64,
    },
}

/// The learning rates of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settled {
    /// The rates.
    pub law: RateLaw,
    /// Where they come from.
    pub basis: Basis,
    /// The best rates that were found.
    pub minima: Vec<Minimum>,
    /// Points without one: their lowest loss stayed at an end of the rates.
    pub open: Vec<Open>,
}

impl Settled {
    /// `None` where there is no minimum at all.
    pub(super) fn of(transfer: Transfer, minima: Vec<Minimum>, open: Vec<Open>) -> Option<Self> {
        let count = minima.len() as f64;
        if minima.is_empty() {
            return None;
        }
        let mean = |value: &dyn Fn(&Minimum) -> f64| {
            (minima
                .iter()
                .map(|minimum| value(minimum).ln())
                .sum::<f64>()
                / count)
                .exp()
        };
        let middle = RateLaw {
            lr: mean(&|minimum| minimum.lr),
            n: mean(&|minimum| minimum.n),
            d: mean(&|minimum| minimum.d),
            n_exponent: 0.0,
            d_exponent: 0.0,
        };
        let (law, basis) = match transfer {
            Transfer::Law => {
                let none = |steep| {
                    let minima = minima.len();
                    (middle, Basis::NoLaw { minima, steep })
                };
                match fit(middle, &minima) {
                    Some((law, _)) if law.is_steep() => {
                        none(Some([law.n_exponent, law.d_exponent]))
                    }
                    Some(fitted) => fitted,
                    None => none(None),
                }
            }
            Transfer::OneRate => {
                let rates = || minima.iter().map(|minimum| minimum.lr);
                let (low, high) = (
                    rates().fold(f64::INFINITY, f64::min),
                    rates().fold(0.0, f64::max),
                );
                (middle, Basis::OneRate { ratio: high / low })
            }
        };
        Some(Self {
            law,
            basis,
            minima,
            open,
        })
    }

    /// The factor either way within which the best rate at `n` parameters and `d` units
    /// is known, with 95 %; `None` where no law was fitted.
    pub fn factor(&self, n: f64, d: f64) -> Option<f64> {
        let Basis::Law {
            covariance, dof, ..
        } = &self.basis
        else {
            return None;
        };
        let [x, y] = self.law.offset(n, d);
        let at = [1.0, x, y];
        let variance: f64 = (0..3)
            .flat_map(|i| (0..3).map(move |j| (i, j)))
            .map(|(i, j)| at[i] * covariance[i][j] * at[j])
            .sum();
        Some(exp(student::two_sided(*dof) * variance.max(0.0).sqrt()))
    }

    /// What a user should know before trusting the rates.
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts: Vec<String> = self.open.iter().map(ToString::to_string).collect();
        match self.basis {
            Basis::OneRate { ratio } if ratio > ALIKE => doubts.push(format!(
                "the best rates of the points differ by a factor of {ratio:.1}: one rate may not serve all sizes; train.lr.transfer = \"law\" fits how it moves"
            )),
            Basis::NoLaw {
                minima,
                steep: Some([a, b]),
            } => doubts.push(format!(
                "the law through the {minima} best rates would have the exponents {a:+.1} in N and {b:+.1} in D, of which one is beyond {STEEPEST} and neither is believed: their mean is taken for all trials; tune more rates, closer together, or set train.lr to a law"
            )),
            Basis::NoLaw { minima, .. } => doubts.push(format!(
                "{minima} best rates carry no law in N and D, which needs {FEW} of sizes and data that vary independently: their mean is taken for all trials; tune more rates, or set train.lr.transfer = \"one_rate\" if it is meant"
            )),
            _ => {}
        }
        doubts
    }
}

/// Least squares in the logarithms around `middle`; `None` where the minima don't carry
/// three numbers and their noise.
fn fit(middle: RateLaw, minima: &[Minimum]) -> Option<(RateLaw, Basis)> {
    if minima.len() < FEW {
        return None;
    }
    // ln(N/N₀), ln(D/D₀) and ln(η/η₀).
    let rows: Vec<[f64; 3]> = minima
        .iter()
        .map(|minimum| {
            let [x, y] = middle.offset(minimum.n, minimum.d);
            [x, y, (minimum.lr / middle.lr).ln()]
        })
        .collect();
    let product = |i: usize, j: usize| rows.iter().map(|row| row[i] * row[j]).sum::<f64>();
    let (xx, yy, xy) = (product(0, 0), product(1, 1), product(0, 1));
    let determinant = xx * yy - xy * xy;
    if determinant.is_nan() || determinant <= APART * xx * yy {
        return None;
    }
    let (xe, ye) = (product(0, 2), product(1, 2));
    let a = (yy * xe - xy * ye) / determinant;
    let b = (xx * ye - xy * xe) / determinant;
    let residuals = rows.iter().map(|[x, y, e]| e - a * x - b * y);
    let misfit: f64 = residuals.map(|residual| residual.powi(2)).sum();
    let dof = rows.len() as f64 - 3.0;
    let variance = misfit / dof;
    let covariance = [
        [variance / rows.len() as f64, 0.0, 0.0],
        [
            0.0,
            variance * yy / determinant,
            -variance * xy / determinant,
        ],
        [
            0.0,
            -variance * xy / determinant,
            variance * xx / determinant,
        ],
    ];
    let t = student::two_sided(dof);
    let interval =
        |estimate, of: usize| Interval::symmetric(estimate, t * f64::sqrt(covariance[of][of]));
    let basis = Basis::Law {
        n_exponent: interval(a, 1),
        d_exponent: interval(b, 2),
        covariance,
        dof,
    };
    let law = RateLaw {
        n_exponent: a,
        d_exponent: b,
        ..middle
    };
    Some((law, basis))
}

/// Three significant digits.
pub(super) fn short(lr: f64) -> String {
    let rounded: f64 = format!("{lr:.2e}").parse().unwrap_or(lr);
    rounded.to_string()
}

impl fmt::Display for RateLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&short(self.lr))?;
        if self.n_exponent == 0.0 && self.d_exponent == 0.0 {
            return Ok(());
        }
        write!(
            f,
            "·(N/{})^{:+.2}·(D/{})^{:+.2}",
            quantity::count(self.n),
            self.n_exponent,
            quantity::count(self.d),
            self.d_exponent
        )
    }
}

impl fmt::Display for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let points = self.minima.len();
        match &self.basis {
            Basis::OneRate { ratio } => write!(
                f,
                "{} for all trials, the mean of the best rates of {points} points, which differ by a factor of {ratio:.2}",
                self.law
            ),
            Basis::NoLaw { .. } => write!(
                f,
                "{} for all trials, the mean of the best rates of {points} points",
                self.law
            ),
            Basis::Law {
                n_exponent: a,
                d_exponent: b,
                ..
            } => write!(
                f,
                "{}, a law through the best rates of {points} points (exponents {:+.2} to {:+.2} and {:+.2} to {:+.2})",
                self.law, a.low, a.high, b.low, b.high
            ),
        }
    }
}
