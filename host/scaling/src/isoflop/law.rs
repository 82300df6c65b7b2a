//! An `IsoFLOP` method as a law that can be fitted again to other losses.
//!
//! What a refit keeps: the curve that each budget contributed (its shape, its
//! rows, its scale), the sizes' D, and the noise level that the loss law is
//! weighed with. What it finds anew: every curve's coefficients and minimum, and
//! the lines through the minima. A budget whose curve has no minimum between its
//! ends under the new losses does not count there.

use serde::{Deserialize, Serialize};

use super::Method as Shape;
use super::curve::{Lowest, Point};
use super::fit::{Draft, DraftCurve, curvature_unit_se};
use super::{Curve, Minimum, Noise, UnitVariance};
use crate::fit::{Diagnostics, Fit, Parameters, Refit};
use crate::frontier::{Frontier, Law, Optimum};
use crate::laws::Laws;
use crate::loss_law::{LossLaw, LossMean, LossPoint};
use crate::method::Method;
use crate::power_law::{LogPoint, NoiseLevel};
use crate::sample::Sample;
use crate::unfit::Unfit;

/// Fewest budgets with a minimum that make a law.
const MIN_BUDGETS: usize = 2;

/// `N* = k·C^a`, `D* = k·C^b` and `L*(C)` through the minima.
#[derive(Debug, Clone)]
pub struct IsoflopLaw {
    n: Line,
    d: Line,
    loss: LossMean,
    /// Second derivative of the loss by ln N at the optimum over the slope of −L* by
    /// ln C: α + β on a surface.
    steepness: f64,
}

/// How sharply one budget's loss bends around its minimum.
#[derive(Debug, Clone, Copy)]
struct Bend {
    ln_c: f64,
    /// Second derivative of the loss by ln N.
    curvature: f64,
    /// Its variance for noise of variance 1.
    unit_variance: f64,
}

impl IsoflopLaw {
    /// The loss near the optimum: a parabola in ln N. Its bend is the slope of L* by
    /// ln C times a factor that is the same at every C. `None` where L* does not fall.
    pub(crate) fn loss_at(&self, ln_n: f64, ln_c: f64) -> Option<f64> {
        let curvature = -self.loss.slope(ln_c.exp()) * self.steepness;
        (curvature > 0.0 && curvature.is_finite()).then(|| {
            let off = ln_n - self.n.at(ln_c);
            self.loss.at(ln_c.exp()) + 0.5 * curvature * off * off
        })
    }
}

/// That factor, the weighted least-squares one over the budgets.
fn steepness(loss: &LossMean, bends: impl Iterator<Item = Bend>) -> f64 {
    let (mut cross, mut square) = (0.0, 0.0);
    for bend in bends {
        let fall = -loss.slope(bend.ln_c.exp());
        cross += fall * bend.curvature / bend.unit_variance;
        square += fall * fall / bend.unit_variance;
    }
    cross / square
}

/// A straight line in ln–ln.
#[derive(Debug, Clone, Copy)]
struct Line {
    ln_c: f64,
    ln_y: f64,
    slope: f64,
}

impl Line {
    fn through(points: &[LogPoint]) -> Self {
        let total: f64 = points.iter().map(|p| p.weight).sum();
        let mean = |value: fn(&LogPoint) -> f64| {
            points.iter().map(|p| p.weight * value(p)).sum::<f64>() / total
        };
        let (ln_c, ln_y) = (mean(|p| p.ln_c), mean(|p| p.ln_y));
        let (mut spread, mut cross) = (0.0, 0.0);
        for p in points {
            spread += p.weight * (p.ln_c - ln_c).powi(2);
            cross += p.weight * (p.ln_c - ln_c) * (p.ln_y - ln_y);
        }
        Self {
            ln_c,
            ln_y,
            slope: cross / spread,
        }
    }

    fn at(&self, ln_c: f64) -> f64 {
        self.ln_y + self.slope * (ln_c - self.ln_c)
    }
}

impl Frontier for IsoflopLaw {
    fn optimum(&self, c: f64) -> Optimum {
        Optimum {
            c,
            n: self.n.at(c.ln()).exp(),
            d: self.d.at(c.ln()).exp(),
            loss: self.loss.at(c),
        }
    }
}

/// The laws' parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IsoflopParameters {
    /// Exponent of N*(C).
    pub a: f64,
    /// Exponent of D*(C).
    pub b: f64,
    /// Prefactor of N*(C).
    pub k_n: f64,
    /// Prefactor of D*(C).
    pub k_d: f64,
    /// Floor E of L*(C): the best single value.
    #[serde(rename = "E")]
    pub floor: f64,
    /// Exponent of L*(C) − E at that floor.
    pub loss_exponent: f64,
    /// What the curves behind the laws minimise: their weighted squared residuals,
    /// summed over the runs.
    pub objective: f64,
    /// Scatter of the minima around each law, relative to what the noise explains.
    pub chi_square: ChiSquare,
    /// The minima behind the laws, smallest budget first.
    pub minima: Vec<IsoflopMinimum>,
}

/// Squared residuals of the minima around a law over what the noise explains, per
/// degree of freedom. Well above 1: the minima do not lie on the law. Absent with too
/// few budgets or without noise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChiSquare {
    /// Of N*(C).
    pub n: Option<f64>,
    /// Of D*(C).
    pub d: Option<f64>,
    /// Of L*(C).
    pub loss: Option<f64>,
}

/// One budget's minimum.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct IsoflopMinimum {
    /// FLOPs as used.
    pub c: f64,
    /// N*.
    pub n: f64,
    /// D*.
    pub d: f64,
    /// L*.
    pub loss: f64,
    /// The curve it was read off.
    pub shape: Shape,
}

/// The curves of one method, prepared for refits.
#[derive(Debug)]
pub(crate) struct IsoflopRefit {
    curves: Vec<CurveRefit>,
    noise: NoiseLevel,
    loss: LossLaw,
    mean: LossMean,
}

/// One budget's curve.
#[derive(Debug)]
struct CurveRefit {
    ln_c: f64,
    draft: Draft,
    fitted: DraftCurve,
    /// For each row, what its loss adds to the coefficients.
    projection: Vec<Vec<f64>>,
}

/// One budget's minimum in a refit.
struct Vertex {
    ln_c: f64,
    ln_n: f64,
    ln_d: f64,
    loss: f64,
    unit_variance: UnitVariance,
    bend: Bend,
}

/// Fits one of the three methods.
pub(crate) fn fit(method: Method, sample: &Sample) -> Result<Fit<'_>, Unfit> {
    let isoflop = sample.isoflop();
    let (minima, curves): (Vec<(f64, &Minimum)>, Vec<CurveRefit>) = isoflop
        .budgets
        .iter()
        .zip(&isoflop.drafts)
        .filter_map(|(budget, draft)| {
            let minimum = super::minimum_by(method, budget)?;
            let fitted = draft.curves.iter().find(|c| c.method == minimum.method)?;
            let curve = CurveRefit::new(sample, budget.c.ln(), draft, fitted);
            Some(((budget.c, minimum), curve))
        })
        .unzip();
    let too_few = Unfit::TooFewMinima {
        found: minima.len(),
        budgets: isoflop.budgets.len(),
        needed: MIN_BUDGETS,
    };
    let noise = isoflop.noise.ok_or_else(|| too_few.clone())?;
    let laws = Laws::fit(&minima, &noise).ok_or(too_few)?;
    let own = match method {
        Method::IsoflopCubic => Shape::Cubic,
        Method::IsoflopWindowed => Shape::WindowedParabola,
        _ => Shape::Parabola,
    };
    if minima.iter().all(|(_, minimum)| minimum.method != own) {
        return Err(Unfit::SameAs {
            same_as: Method::IsoflopParabola,
        });
    }
    let refit = IsoflopRefit {
        curves,
        noise: level(noise),
        mean: laws.loss.mean(),
        loss: laws.loss.clone(),
    };
    let law = refit
        .law(&refit.vertices(&sample.loss))
        .ok_or(Unfit::NoOptimum)?;
    let (mut fitted, mut leverage) = (sample.loss.clone(), vec![0.0; sample.len()]);
    let mut used = vec![false; sample.len()];
    for curve in &refit.curves {
        for (&row, projection) in curve.fitted.rows.iter().zip(&curve.projection) {
            let u = (sample.ln_n[row] - curve.fitted.curve.center) / curve.fitted.curve.half_width;
            let basis = curve.fitted.curve.basis(u, 0);
            fitted[row] = curve.fitted.curve.derivative(u, 0);
            leverage[row] = basis.iter().zip(projection).map(|(a, b)| a * b).sum();
            used[row] = true;
        }
    }
    let parameters = IsoflopParameters {
        a: laws.n.exponent.estimate,
        b: laws.d.exponent.estimate,
        k_n: laws.n.k(),
        k_d: laws.d.k(),
        floor: laws.loss.floor.estimate,
        loss_exponent: laws.loss.exponent.estimate,
        objective: refit.curves.iter().map(|curve| curve.fitted.rss).sum(),
        chi_square: ChiSquare {
            n: laws.n.chi_square,
            d: laws.d.chi_square,
            loss: laws.loss.chi_square,
        },
        minima: minima
            .iter()
            .map(|(c, minimum)| IsoflopMinimum {
                c: *c,
                n: minimum.n.estimate,
                d: minimum.d.estimate,
                loss: minimum.loss.estimate,
                shape: minimum.method,
            })
            .collect(),
    };
    Ok(Fit {
        method,
        sample,
        law: Law::Isoflop(law),
        diagnostics: Diagnostics::of(method, sample, &fitted, &used),
        fitted,
        leverage,
        used,
        parameters: Parameters::Isoflop(parameters),
        refit: Refit::Isoflop(refit),
    })
}

fn level(noise: Noise) -> NoiseLevel {
    NoiseLevel {
        variance: noise.sd.powi(2),
        dof: noise.dof,
    }
}

impl IsoflopRefit {
    pub(crate) fn loss_law(&self) -> &LossLaw {
        &self.loss
    }

    /// The law for other losses, and for other weights where they are given: each
    /// multiplies the run's own; 0 leaves the run out.
    pub(crate) fn refit(
        &self,
        sample: &Sample,
        losses: &[f64],
        weights: Option<&[f64]>,
    ) -> Option<IsoflopLaw> {
        let vertices = match weights {
            None => self.vertices(losses),
            Some(weights) => self.weighted_vertices(sample, losses, weights),
        };
        self.law(&vertices)
    }

    fn vertices(&self, losses: &[f64]) -> Vec<Vertex> {
        let vertex = |refit: &CurveRefit| {
            let mut curve = refit.fitted.curve.clone();
            curve.coefficients.fill(0.0);
            for (&row, projection) in refit.fitted.rows.iter().zip(&refit.projection) {
                for (coefficient, share) in curve.coefficients.iter_mut().zip(projection) {
                    *coefficient += share * losses[row];
                }
            }
            refit.vertex(&curve)
        };
        self.curves.iter().filter_map(vertex).collect()
    }

    fn weighted_vertices(&self, sample: &Sample, losses: &[f64], weights: &[f64]) -> Vec<Vertex> {
        let vertex = |refit: &CurveRefit| {
            let rows = refit.fitted.rows.iter().filter(|&&row| weights[row] > 0.0);
            let points: Vec<Point> = rows
                .map(|&row| Point {
                    ln_n: sample.ln_n[row],
                    loss: losses[row],
                    weight: sample.weight[row] * weights[row],
                })
                .collect();
            let degree = refit.fitted.curve.coefficients.len() - 1;
            let mut sizes: Vec<f64> = points.iter().map(|point| point.ln_n).collect();
            sizes.dedup();
            if sizes.len() <= degree {
                return None;
            }
            refit.vertex(&Curve::fit(&points, degree)?.0)
        };
        self.curves.iter().filter_map(vertex).collect()
    }

    fn law(&self, vertices: &[Vertex]) -> Option<IsoflopLaw> {
        if vertices.len() < MIN_BUDGETS {
            return None;
        }
        let line = |value: fn(&Vertex) -> f64| {
            let points: Vec<LogPoint> = vertices
                .iter()
                .map(|vertex| LogPoint {
                    ln_c: vertex.ln_c,
                    ln_y: value(vertex),
                    unit_variance: vertex.unit_variance.ln_n,
                    weight: 1.0 / vertex.unit_variance.ln_n,
                })
                .collect();
            Line::through(&points)
        };
        let losses: Vec<LossPoint> = vertices
            .iter()
            .map(|vertex| LossPoint {
                ln_c: vertex.ln_c,
                loss: vertex.loss,
                unit_variance: vertex.unit_variance.loss,
            })
            .collect();
        let loss = self.mean.refit(&losses, self.noise)?;
        Some(IsoflopLaw {
            n: line(|vertex| vertex.ln_n),
            d: line(|vertex| vertex.ln_d),
            steepness: steepness(&loss, vertices.iter().map(|vertex| vertex.bend)),
            loss,
        })
    }
}

impl CurveRefit {
    fn new(sample: &Sample, ln_c: f64, draft: &Draft, fitted: &DraftCurve) -> Self {
        let curve = &fitted.curve;
        let projection = fitted
            .rows
            .iter()
            .map(|&row| {
                let u = (sample.ln_n[row] - curve.center) / curve.half_width;
                let basis = curve.basis(u, 0);
                let share = |row_of_inverse: &Vec<f64>| {
                    let product = row_of_inverse.iter().zip(&basis).map(|(a, b)| a * b);
                    sample.weight[row] * product.sum::<f64>()
                };
                curve.unit_covariance.iter().map(share).collect()
            })
            .collect();
        Self {
            ln_c,
            draft: draft.clone(),
            fitted: fitted.clone(),
            projection,
        }
    }

    fn vertex(&self, curve: &Curve) -> Option<Vertex> {
        let Lowest::Inside(u) = curve.lowest() else {
            return None;
        };
        let ln_n = curve.center + curve.half_width * u;
        let loss = curve.derivative(u, 0);
        (loss > 0.0).then(|| Vertex {
            ln_c: self.ln_c,
            ln_n,
            ln_d: self.draft.ln_d_at(ln_n).0,
            loss,
            unit_variance: curve.unit_variance(u),
            bend: Bend {
                ln_c: self.ln_c,
                curvature: curve.derivative(u, 2) / curve.half_width.powi(2),
                unit_variance: curvature_unit_se(curve, u).powi(2),
            },
        })
    }
}
