//! Fitting a surface to a sample, and fitting it again.

use std::sync::Arc;

use nalgebra::SMatrix;

use super::frontier::SurfaceLaw;
use super::model::{SurfaceModel, Theta};
use super::polish::polish;
use super::seeds::seeds;
use super::{Bound, HUBER_DELTA, Objective, Surface, SurfaceParameters};
use crate::canonical::{joined, rounded};
use crate::eigenvalues::eigenvalues;
use crate::fit::{Diagnostics, Fit, Parameters, Refit};
use crate::frontier::Law;
use crate::interval::exp;
use crate::method::Method;
use crate::newton::{self, Limits, Model, Solution};
use crate::sample::Sample;
use crate::unfit::Unfit;

/// Fewest distinct configurations: one more than parameters.
const MIN_CONFIGURATIONS: usize = 6;
/// Fewest distinct values of N and of D: an exponent is a curvature.
const MIN_VALUES: usize = 3;
/// Starts that are polished.
const SEEDS: usize = 8;
/// Runs that the starts are polished on; the best go on with all.
const SCOUTS: usize = 512;
/// Share of the objective within which two optima are the same.
const SAME: f64 = 1e-6;

const FULL: Limits = Limits {
    steps: 200,
    gain: 1e-13,
};
/// From the best end of a search to the optimum.
const LAST: Limits = Limits {
    steps: 200,
    gain: 1e-15,
};
const AGAIN: Limits = Limits {
    steps: 60,
    gain: 1e-9,
};

/// A fitted surface.
#[derive(Debug, Clone, PartialEq)]
pub struct SurfaceFit {
    /// The surface.
    pub surface: Surface,
    /// Parameters and how they were found.
    pub parameters: SurfaceParameters,
    theta: Theta,
}

/// A surface that can be fitted again.
#[derive(Debug)]
pub(crate) struct SurfaceRefit {
    frame: Frame,
    pub(crate) objective: Objective,
    start: Theta,
}

/// The columns that a surface is fitted to.
#[derive(Debug)]
struct Frame {
    middle: (f64, f64),
    x: Vec<f64>,
    y: Vec<f64>,
    typical: f64,
}

impl Frame {
    fn new(ln_n: &[f64], ln_d: &[f64], sample: &Sample) -> Self {
        let total: f64 = sample.weight.iter().sum();
        let mean = |column: &[f64]| {
            let products = column.iter().zip(&sample.weight).map(|(v, w)| v * w);
            products.sum::<f64>() / total
        };
        let middle = (mean(ln_n), mean(ln_d));
        Self {
            middle,
            x: ln_n.iter().map(|v| v - middle.0).collect(),
            y: ln_d.iter().map(|v| v - middle.1).collect(),
            typical: mean(&sample.loss),
        }
    }

    fn model<'a>(&'a self, target: &'a [f64], objective: Objective) -> SurfaceModel<'a> {
        SurfaceModel {
            x: &self.x,
            y: &self.y,
            target,
            log: objective.is_log(),
            typical: self.typical,
        }
    }

    /// The rows that the starts are polished on: all, or evenly many of them along
    /// N, then D, then loss.
    fn scouts(&self, target: &[f64]) -> Vec<usize> {
        let n = self.x.len();
        let mut rows: Vec<usize> = (0..n).collect();
        if n > SCOUTS {
            let key = |&row: &usize| [self.x[row], self.y[row], target[row]];
            rows.sort_by(|a, b| {
                key(a)
                    .partial_cmp(&key(b))
                    .unwrap_or(std::cmp::Ordering::Equal)
            });
            rows = (0..SCOUTS).map(|i| rows[i * n / SCOUTS]).collect();
        }
        rows
    }

    fn part(&self, rows: &[usize]) -> Self {
        let pick = |column: &[f64]| rows.iter().map(|&row| column[row]).collect();
        Self {
            middle: self.middle,
            x: pick(&self.x),
            y: pick(&self.y),
            typical: self.typical,
        }
    }

    fn surface(&self, theta: &Theta) -> Surface {
        Surface {
            floor: theta[0],
            ln_a: theta[1] + theta[3] * self.middle.0,
            ln_b: theta[2] + theta[4] * self.middle.1,
            alpha: theta[3],
            beta: theta[4],
        }
    }
}

/// Rows as the search sees them, in [canonical](crate::canonical) form.
struct Rows {
    frame: Frame,
    loss: Vec<f64>,
    weight: Vec<f64>,
}

impl Rows {
    fn of(frame: &Frame, sample: &Sample) -> Self {
        let rows = (0..frame.x.len()).map(|i| {
            let (x, y) = (rounded(frame.x[i]), rounded(frame.y[i]));
            [x, y, sample.loss[i], sample.weight[i]]
        });
        let rows = joined(rows.collect());
        let column = |k: usize| -> Vec<f64> { rows.iter().map(|row| row[k]).collect() };
        let (loss, weight) = (column(2), column(3));
        let products = loss.iter().zip(&weight).map(|(loss, weight)| loss * weight);
        Self {
            frame: Frame {
                middle: frame.middle,
                x: column(0),
                y: column(1),
                typical: products.sum::<f64>() / weight.iter().sum::<f64>(),
            },
            loss,
            weight,
        }
    }
}

/// Fits a surface by any objective.
///
/// # Errors
/// [`Unfit`] where N, D or their combinations are too few, or where the loss does
/// not depend on one of them.
pub fn fit(sample: &Sample, objective: Objective) -> Result<SurfaceFit, Unfit> {
    check(sample)?;
    fit_frame(
        sample,
        &Frame::new(&sample.ln_n, &sample.ln_d, sample),
        objective,
    )
}

fn check(sample: &Sample) -> Result<(), Unfit> {
    let distinct = |key: &dyn Fn(usize) -> (u64, u64)| {
        let mut keys: Vec<(u64, u64)> = (0..sample.len()).map(key).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.len()
    };
    let (n, d) = (
        |row: usize| sample.ln_n[row].to_bits(),
        |row: usize| sample.ln_d[row].to_bits(),
    );
    let found = sample.configurations();
    if found < MIN_CONFIGURATIONS {
        return Err(Unfit::TooFewConfigurations {
            found,
            needed: MIN_CONFIGURATIONS,
        });
    }
    for (quantity, found) in [
        ('N', distinct(&|row| (n(row), 0))),
        ('D', distinct(&|row| (0, d(row)))),
    ] {
        if found < MIN_VALUES {
            return Err(Unfit::TooFewValues {
                quantity,
                found,
                needed: MIN_VALUES,
            });
        }
    }
    Ok(())
}

fn fit_frame(sample: &Sample, frame: &Frame, objective: Objective) -> Result<SurfaceFit, Unfit> {
    if !(frame.typical.is_finite() && frame.typical > 0.0) {
        return Err(Unfit::NoOptimum);
    }
    let target = target(&sample.loss, objective);
    let model = frame.model(&target, objective);
    let rows = Rows::of(frame, sample);
    let found = search(&rows, objective);
    let best = found.best.ok_or(Unfit::NoOptimum)?;
    if !best.objective.is_finite() {
        return Err(Unfit::NoOptimum);
    }
    let theta = best.theta;
    // Those of the search: the real rows' differ in the last digits.
    let bounds = rows.frame.model(&[], objective).bounds();
    for (quantity, k) in [('N', 1), ('D', 2)] {
        if theta[k] <= bounds[k].0 {
            return Err(Unfit::Flat { quantity });
        }
    }
    let surface = frame.surface(&theta);
    let hessian_width = match objective {
        Objective::Lad => f64::INFINITY,
        _ => objective.first_width(),
    };
    let hessian = newton::hessian(&model, &sample.weight, hessian_width, &theta);
    Ok(SurfaceFit {
        surface,
        parameters: SurfaceParameters {
            floor: surface.floor,
            a_factor: exp(surface.ln_a),
            b_factor: exp(surface.ln_b),
            alpha: surface.alpha,
            beta: surface.beta,
            loss: objective,
            objective: value(&model, &sample.weight, objective, &theta),
            a: surface.n_exponent(),
            b: 1.0 - surface.n_exponent(),
            seeds: found.seeds,
            seeds_at_optimum: found.at_optimum,
            converged: best.converged,
            bounds: Bound::of_surface(theta[0], theta[3], theta[4]),
            condition: condition(&hessian, &theta),
        },
        theta,
    })
}

fn target(losses: &[f64], objective: Objective) -> Vec<f64> {
    if objective.is_log() {
        losses.iter().map(|loss| loss.ln()).collect()
    } else {
        losses.to_vec()
    }
}

struct Search {
    best: Option<Solution<5>>,
    seeds: usize,
    at_optimum: usize,
}

fn search(all: &Rows, objective: Objective) -> Search {
    let frame = &all.frame;
    let target = &target(&all.loss, objective);
    let rows = frame.scouts(target);
    let part = frame.part(&rows);
    let pick = |column: &[f64]| -> Vec<f64> { rows.iter().map(|&row| column[row]).collect() };
    let (weights, part_target) = (pick(&all.weight), pick(target));
    let scout = part.model(&part_target, objective);
    // Squared residuals of ln L are those of L over L².
    let seed_weights: Vec<f64> = if objective.is_log() {
        let parts = all.weight.iter().zip(&all.loss);
        parts.map(|(w, loss)| w / (loss * loss)).collect()
    } else {
        all.weight.clone()
    };
    let starts = seeds(&frame.x, &frame.y, &all.loss, &seed_weights, SEEDS);
    let mut ends: Vec<(f64, Solution<5>)> = starts
        .iter()
        .map(|seed| {
            let near = polish(&scout, &weights, objective.first_width(), seed.theta);
            let end = descend(&scout, &weights, objective, near, FULL);
            (value(&scout, &weights, objective, &end.theta), end)
        })
        .filter(|(value, _)| value.is_finite())
        .collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = weights.iter().sum();
    let resolution = f64::EPSILON * total;
    let same = |a: f64, b: f64| a - b <= SAME * b + resolution;
    let at_optimum = ends.iter().filter(|end| same(end.0, ends[0].0)).count();
    // The best basin or, where not all runs were scouts, the best two, on all runs.
    let mut basins = ends;
    basins.dedup_by(|later, earlier| same(later.0, earlier.0));
    basins.truncate(if rows.len() == all.loss.len() { 1 } else { 2 });
    let model = frame.model(target, objective);
    let best = basins
        .iter()
        .map(|(_, end)| descend(&model, &all.weight, objective, end.theta, LAST))
        .min_by(|a, b| a.objective.total_cmp(&b.objective));
    Search {
        best,
        seeds: starts.len(),
        at_optimum,
    }
}

/// Newton's method from a start near the optimum.
fn descend(
    model: &SurfaceModel<'_>,
    weights: &[f64],
    objective: Objective,
    start: Theta,
    limits: Limits,
) -> Solution<5> {
    let first = newton::minimise(model, weights, objective.first_width(), start, limits);
    objective.widths().iter().fold(first, |before, &width| {
        newton::minimise(model, weights, width, before.theta, limits)
    })
}

fn value(model: &SurfaceModel<'_>, weights: &[f64], objective: Objective, theta: &Theta) -> f64 {
    let (mut residuals, mut slopes) = (vec![0.0; model.len()], vec![0.0; 5 * model.len()]);
    model.linearise(theta, &mut residuals, &mut slopes);
    objective.value(&residuals, weights)
}

/// The condition over the parameters that are free.
fn condition(hessian: &SMatrix<f64, 5, 5>, theta: &Theta) -> Option<f64> {
    let mut hessian = *hessian;
    if theta[0] <= 0.0 {
        // E is fixed; its place takes a value between the others'.
        let typical = hessian[(1, 1)];
        hessian.row_mut(0).fill(0.0);
        hessian.column_mut(0).fill(0.0);
        hessian[(0, 0)] = typical;
    }
    let values = eigenvalues(hessian)?;
    let (low, high) = (values.min(), values.max());
    (low > 0.0 && (high / low).is_finite()).then(|| high / low)
}

/// Fits one of the three parametric methods.
pub(crate) fn fit_method(method: Method, sample: &Sample) -> Result<Fit<'_>, Unfit> {
    let objective = match method {
        Method::ParametricLad => Objective::Lad,
        Method::ParametricMse => Objective::Mse,
        _ => Objective::Huber { delta: HUBER_DELTA },
    };
    check(sample)?;
    let frame = Frame::new(&sample.ln_n, &sample.ln_d, sample);
    let found = fit_frame(sample, &frame, objective)?;
    let rows = 0..sample.len();
    let fitted: Vec<f64> = rows
        .map(|row| found.surface.loss_at(sample.ln_n[row], sample.ln_d[row]))
        .collect();
    let used = vec![true; sample.len()];
    let losses = target(&sample.loss, objective);
    let leverage = newton::leverage(
        &frame.model(&losses, objective),
        &sample.weight,
        &found.theta,
    );
    Ok(Fit {
        method,
        sample,
        law: Law::Surface(SurfaceLaw::new(found.surface, Arc::clone(&sample.flops))),
        diagnostics: Diagnostics::of(method, sample, &fitted, &used),
        fitted,
        leverage,
        used,
        parameters: Parameters::Surface(found.parameters),
        refit: Refit::Surface(SurfaceRefit {
            frame,
            objective,
            start: found.theta,
        }),
    })
}

impl SurfaceRefit {
    /// The law for other losses and weights, by Newton's method from the fit.
    pub(crate) fn refit(
        &self,
        sample: &Sample,
        losses: &[f64],
        weights: Option<&[f64]>,
    ) -> Option<SurfaceLaw> {
        let target = target(losses, self.objective);
        let combined: Vec<f64>;
        let weights = match weights {
            None => &sample.weight,
            Some(factors) => {
                combined = factors
                    .iter()
                    .zip(&sample.weight)
                    .map(|(a, b)| a * b)
                    .collect();
                &combined
            }
        };
        let model = self.frame.model(&target, self.objective);
        let end = descend(&model, weights, self.objective, self.start, AGAIN);
        let bounds = model.bounds();
        let depends = (1..3).all(|k| end.theta[k] > bounds[k].0);
        (end.objective.is_finite() && depends)
            .then(|| SurfaceLaw::new(self.frame.surface(&end.theta), Arc::clone(&sample.flops)))
    }
}
