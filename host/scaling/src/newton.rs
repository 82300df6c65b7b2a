//! Newton's method for sums of Huber losses: a few parameters, many residuals.
//!
//! The objective is `F(θ) = Σ wᵢ·h(yᵢ − fᵢ(θ))` with Huber's h of width δ: least
//! squares for δ = ∞, least absolute deviations in the limit δ → 0. Where δ is
//! small against the residuals, F is nearly a polyhedron: Newton's method on F
//! itself crawls from kink to kink. So each step minimises a model that keeps the
//! kinks, `Σ w·h(r − G·p) + ½ pᵀMp` with G the slopes of f and M the curvature
//! that f contributes. The model costs no exponentials, its generalised Newton
//! steps have a line search to within 1 % of the promised slope, and near the optimum it agrees with F to
//! second order. Bounds are kept by fixing what a step would push beyond them;
//! a step that does not help is damped (Levenberg and Marquardt).

mod leverage;
mod line;

use nalgebra::{SMatrix, SVector};

pub(crate) use leverage::leverage;
use line::Line;

/// A function f(θ) per observation, with its derivatives.
pub(crate) trait Model<const K: usize> {
    /// Number of observations.
    fn len(&self) -> usize;
    /// Residuals y − f and, column after column, the slopes ∂f/∂θ.
    fn linearise(&self, theta: &[f64; K], residuals: &mut [f64], slopes: &mut [f64]);
    /// `Σ sᵢ·∂²fᵢ/∂θ²`, with the slopes at θ.
    fn curvature(&self, theta: &[f64; K], slopes: &[f64], s: &[f64]) -> SMatrix<f64, K, K>;
    /// Lowest and highest value of each parameter.
    fn bounds(&self) -> [(f64, f64); K];
}

/// Where the search ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Solution<const K: usize> {
    pub(crate) theta: [f64; K],
    pub(crate) objective: f64,
    /// Whether no step promised a further gain.
    pub(crate) converged: bool,
}

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Outer steps at most.
    pub(crate) steps: usize,
    /// Promised gain, relative to the objective, that is not worth a step.
    pub(crate) gain: f64,
}

/// Steps of the inner search at most.
const INNER: usize = 60;
/// Damping above which no step is tried.
const MAX_DAMPING: f64 = 1e12;

/// Huber's loss.
pub(crate) fn huber(r: f64, delta: f64) -> f64 {
    let size = r.abs();
    if size <= delta {
        0.5 * r * r
    } else {
        delta * (size - 0.5 * delta)
    }
}

/// `Σ w·h(r)`.
pub(crate) fn total(residuals: &[f64], weights: &[f64], delta: f64) -> f64 {
    let terms = residuals.iter().zip(weights);
    terms.map(|(&r, &w)| w * huber(r, delta)).sum()
}

/// `w·h'(r)`, what each observation pulls with.
fn influences(residuals: &[f64], weights: &[f64], delta: f64, out: &mut [f64]) {
    for (out, (r, w)) in out.iter_mut().zip(residuals.iter().zip(weights)) {
        *out = w * r.clamp(-delta, delta);
    }
}

/// Minimises the objective from `start`, which is moved into the bounds.
pub(crate) fn minimise<const K: usize>(
    model: &impl Model<K>,
    weights: &[f64],
    delta: f64,
    start: [f64; K],
    limits: Limits,
) -> Solution<K> {
    let n = model.len();
    let bounds = model.bounds();
    let mut theta = start;
    for (value, (low, high)) in theta.iter_mut().zip(bounds) {
        *value = value.clamp(low, high);
    }
    let (mut here, mut there) = (Linearised::new::<K>(n), Linearised::new::<K>(n));
    model.linearise(&theta, &mut here.residuals, &mut here.slopes);
    let mut objective = total(&here.residuals, weights, delta);
    let mut inner = Inner::<K>::new(n);
    let (mut damping, mut converged, mut steps) = (0.0, !objective.is_finite(), 0);
    while !converged && steps < limits.steps {
        steps += 1;
        inner.prepare(model, &theta, &here, weights, delta);
        let step = loop {
            let (step, gain) = inner.solve(&here, weights, delta, damping, &theta, &bounds);
            if gain.is_nan() || gain <= limits.gain * objective {
                converged = true;
                break None;
            }
            let mut trial = theta;
            for k in 0..K {
                trial[k] = (theta[k] + step[k]).clamp(bounds[k].0, bounds[k].1);
            }
            model.linearise(&trial, &mut there.residuals, &mut there.slopes);
            let value = total(&there.residuals, weights, delta);
            let kept = (objective - value) / gain;
            if kept > 0.0 {
                damping = match kept {
                    0.75.. => damping / 8.0,
                    ..0.25 => (damping * 4.0).max(1e-6),
                    _ => damping,
                };
                if damping < 1e-9 {
                    damping = 0.0;
                }
                break Some((trial, value));
            }
            damping = (damping * 8.0).max(1e-6);
            if damping > MAX_DAMPING {
                converged = true;
                break None;
            }
        };
        if let Some((trial, value)) = step {
            (theta, objective) = (trial, value);
            std::mem::swap(&mut here, &mut there);
        }
    }
    Solution {
        theta,
        objective,
        converged: converged && objective.is_finite(),
    }
}

/// Residuals and slopes at one θ.
struct Linearised {
    residuals: Vec<f64>,
    slopes: Vec<f64>,
}

impl Linearised {
    fn new<const K: usize>(n: usize) -> Self {
        Self {
            residuals: vec![0.0; n],
            slopes: vec![0.0; n * K],
        }
    }
}

/// The model of one step, and the room to minimise it in.
struct Inner<const K: usize> {
    /// −Σ w·ψ·∂²f.
    curvature: SMatrix<f64, K, K>,
    /// The diagonal of the matrix that bounds the Hessian from above.
    scale: [f64; K],
    residuals: Vec<f64>,
    shares: Vec<f64>,
    change: Vec<f64>,
    within: Vec<usize>,
}

impl<const K: usize> Inner<K> {
    fn new(n: usize) -> Self {
        Self {
            curvature: SMatrix::zeros(),
            scale: [0.0; K],
            residuals: vec![0.0; n],
            shares: vec![0.0; n],
            change: vec![0.0; n],
            within: Vec::with_capacity(n),
        }
    }

    fn prepare(
        &mut self,
        model: &impl Model<K>,
        theta: &[f64; K],
        here: &Linearised,
        weights: &[f64],
        delta: f64,
    ) {
        let n = here.residuals.len();
        influences(&here.residuals, weights, delta, &mut self.shares);
        self.curvature = -model.curvature(theta, &here.slopes, &self.shares);
        let parts = here.residuals.iter().zip(weights);
        for (share, (r, w)) in self.shares.iter_mut().zip(parts) {
            *share = w * (delta / r.abs()).min(1.0);
        }
        for (scale, column) in self
            .scale
            .iter_mut()
            .zip(here.slopes.chunks_exact(n.max(1)))
        {
            *scale = column
                .iter()
                .zip(&self.shares)
                .map(|(g, w)| w * g * g)
                .sum();
        }
    }

    /// The step that minimises the model, and the gain that it promises.
    fn solve(
        &mut self,
        here: &Linearised,
        weights: &[f64],
        delta: f64,
        damping: f64,
        theta: &[f64; K],
        bounds: &[(f64, f64); K],
    ) -> ([f64; K], f64) {
        let n = here.residuals.len();
        self.residuals.copy_from_slice(&here.residuals);
        let mut step = SVector::<f64, K>::zeros();
        let mut quadratic = self.quadratic(damping);
        let before = total(&here.residuals, weights, delta);
        for round in 0..INNER {
            let mut gradient = quadratic * step;
            influences(&self.residuals, weights, delta, &mut self.shares);
            for (k, column) in here.slopes.chunks_exact(n).enumerate() {
                gradient[k] -= dot(column, &self.shares);
            }
            let fixed = std::array::from_fn(|k| {
                let value = theta[k] + step[k];
                // A parameter that nothing depends on stays where it is.
                self.scale[k] <= 0.0
                    || (value <= bounds[k].0 && gradient[k] > 0.0)
                    || (value >= bounds[k].1 && gradient[k] < 0.0)
            });
            let normal = self.normal(&here.slopes, weights, delta);
            let (direction, definite) = self.direction(&normal, &quadratic, &gradient, &fixed);
            if !definite && round == 0 {
                // Without f's curvature the model is convex.
                quadratic = SMatrix::from_diagonal(&SVector::from(self.scale.map(|s| s * damping)));
                if step.norm_squared() > 0.0 {
                    break;
                }
            }
            let promised = -gradient.dot(&direction);
            if promised.is_nan() || promised <= 1e-14 * before {
                break;
            }
            self.change.fill(0.0);
            for (column, &part) in here.slopes.chunks_exact(n).zip(direction.iter()) {
                for (change, slope) in self.change.iter_mut().zip(column) {
                    *change += part * slope;
                }
            }
            let reach = reach(theta, &step, &direction, bounds);
            let line = Line {
                residuals: &self.residuals,
                change: &self.change,
                weights,
                delta,
                start: direction.dot(&(quadratic * step)),
                bend: direction.dot(&(quadratic * direction)),
            };
            let length = line.search(promised, reach);
            step += direction * length;
            for (residual, change) in self.residuals.iter_mut().zip(&self.change) {
                *residual -= length * change;
            }
            let unchanged = self.within.len()
                == (0..n).filter(|&i| self.residuals[i].abs() < delta).count()
                && self.within.iter().all(|&i| self.residuals[i].abs() < delta);
            if unchanged && (length - 1.0).abs() < 1e-9 {
                break;
            }
        }
        let model = total(&self.residuals, weights, delta) + 0.5 * step.dot(&(quadratic * step));
        (step.into(), before - model)
    }

    fn quadratic(&self, damping: f64) -> SMatrix<f64, K, K> {
        let mut quadratic = self.curvature;
        for k in 0..K {
            quadratic[(k, k)] += damping * self.scale[k];
        }
        quadratic
    }

    /// Σ w·g·gᵀ over the residuals within δ.
    fn normal(&mut self, slopes: &[f64], weights: &[f64], delta: f64) -> SMatrix<f64, K, K> {
        let n = self.residuals.len();
        self.within.clear();
        let residuals = &self.residuals;
        self.within
            .extend((0..n).filter(|&i| residuals[i].abs() < delta));
        let mut normal = SMatrix::<f64, K, K>::zeros();
        for &i in &self.within {
            for a in 0..K {
                let weighted = weights[i] * slopes[a * n + i];
                for b in a..K {
                    normal[(a, b)] += weighted * slopes[b * n + i];
                }
            }
        }
        for a in 0..K {
            for b in 0..a {
                normal[(a, b)] = normal[(b, a)];
            }
        }
        normal
    }

    /// Newton's direction among the parameters that are not fixed, and whether the
    /// Hessian was positive definite with f's curvature in it.
    fn direction(
        &self,
        normal: &SMatrix<f64, K, K>,
        quadratic: &SMatrix<f64, K, K>,
        gradient: &SVector<f64, K>,
        fixed: &[bool; K],
    ) -> (SVector<f64, K>, bool) {
        let mut right = -gradient;
        let reduce = |matrix: &mut SMatrix<f64, K, K>| {
            for k in (0..K).filter(|&k| fixed[k]) {
                for j in 0..K {
                    matrix[(k, j)] = 0.0;
                    matrix[(j, k)] = 0.0;
                }
                matrix[(k, k)] = 1.0;
            }
        };
        for k in (0..K).filter(|&k| fixed[k]) {
            right[k] = 0.0;
        }
        let mut full = normal + quadratic;
        reduce(&mut full);
        if let Some(factors) = full.cholesky()
            && well_conditioned(&factors.l_dirty().diagonal(), &self.scale, fixed)
        {
            return (factors.solve(&right), true);
        }
        let mut ridge = 1e-9;
        loop {
            let mut convex = *normal;
            for k in 0..K {
                convex[(k, k)] += ridge * self.scale[k] + f64::MIN_POSITIVE;
            }
            reduce(&mut convex);
            if let Some(factors) = convex.cholesky() {
                return (factors.solve(&right), false);
            }
            ridge *= 100.0;
            if ridge > 1e6 {
                return (SVector::zeros(), false);
            }
        }
    }
}

/// Whether no pivot of a Cholesky factor is lost in rounding.
fn well_conditioned<const K: usize>(
    pivots: &SVector<f64, K>,
    scale: &[f64; K],
    fixed: &[bool; K],
) -> bool {
    (0..K).all(|k| fixed[k] || pivots[k] * pivots[k] > 1e-13 * scale[k])
}

/// The longest step along a direction within the bounds.
fn reach<const K: usize>(
    theta: &[f64; K],
    step: &SVector<f64, K>,
    direction: &SVector<f64, K>,
    bounds: &[(f64, f64); K],
) -> f64 {
    let mut reach = f64::INFINITY;
    for k in 0..K {
        let value = theta[k] + step[k];
        let bound = if direction[k] < 0.0 {
            bounds[k].0
        } else {
            bounds[k].1
        };
        if direction[k] != 0.0 {
            reach = reach.min(((bound - value) / direction[k]).max(0.0));
        }
    }
    reach
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// The objective's second derivatives at θ.
pub(crate) fn hessian<const K: usize>(
    model: &impl Model<K>,
    weights: &[f64],
    delta: f64,
    theta: &[f64; K],
) -> SMatrix<f64, K, K> {
    let mut here = Linearised::new::<K>(model.len());
    model.linearise(theta, &mut here.residuals, &mut here.slopes);
    let mut inner = Inner::<K>::new(model.len());
    inner.prepare(model, theta, &here, weights, delta);
    inner.residuals.copy_from_slice(&here.residuals);
    inner.normal(&here.slopes, weights, delta) + inner.curvature
}
