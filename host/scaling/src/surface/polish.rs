//! From a seed to the bottom of its basin: L-BFGS on the summed loss.
//!
//! The variables are (ln E, a, b, ln α, ln β), so no step leaves the law's domain.
//! The cost is divided by its value at the seed, which makes the tolerances
//! relative; the *sum* is minimised, never a mean whose small gradient would stop
//! the search early. The line search has no limit of its own and can go round in circles
//! where the cost is no smooth number, so the evaluations are counted.

use std::cell::{Cell, RefCell};

use argmin::core::{CostFunction, Error, Executor, Gradient};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;

use super::model::{EXPONENTS, SurfaceModel, Theta};
use crate::newton::{self, Model};

/// Steps at most; Newton's method finishes what is left.
const STEPS: u64 = 80;
/// Evaluations of cost and gradient at most; a step takes two or three.
const EVALUATIONS: u32 = 1000;
/// Past steps that the inverse Hessian is built from.
const MEMORY: usize = 7;
/// Relative gain of one step that ends the search.
const GAIN: f64 = 1e-9;

/// Runs L-BFGS from `seed`; gives the best θ that it saw.
pub(super) fn polish(model: &SurfaceModel<'_>, weights: &[f64], delta: f64, seed: Theta) -> Theta {
    let floor = model.typical * 1e-6;
    let start = vec![
        seed[0].max(floor).ln(),
        seed[1],
        seed[2],
        seed[3].ln(),
        seed[4].ln(),
    ];
    let n = model.len();
    let best = RefCell::new(Best {
        cost: f64::INFINITY,
        at: start.clone(),
    });
    let problem = Problem {
        model,
        weights,
        delta,
        unit: 1.0,
        left: Cell::new(EVALUATIONS),
        best: &best,
        last: RefCell::new(Evaluation {
            at: Vec::new(),
            cost: f64::NAN,
            gradient: vec![0.0; 5],
            residuals: vec![0.0; n],
            slopes: vec![0.0; 5 * n],
        }),
    };
    let unit = problem.evaluate(&start).unwrap_or(f64::NAN);
    if !(unit.is_finite() && unit > 0.0) {
        return seed;
    }
    best.borrow_mut().cost = 1.0;
    let problem = Problem {
        unit,
        last: RefCell::new(Evaluation {
            at: Vec::new(),
            ..problem.last.into_inner()
        }),
        ..problem
    };
    let solver = LBFGS::new(MoreThuenteLineSearch::new(), MEMORY)
        .with_tolerance_cost(GAIN)
        .and_then(|solver| solver.with_tolerance_grad(GAIN));
    let Ok(solver) = solver else { return seed };
    // However it ends, the best point that was seen is a start for Newton's method.
    let _ = Executor::new(problem, solver)
        .configure(|state| state.param(start).max_iters(STEPS))
        .run();
    let best = theta(&best.into_inner().at);
    if best.iter().all(|value| value.is_finite()) {
        best
    } else {
        seed
    }
}

fn theta(variables: &[f64]) -> Theta {
    let exponent = |ln: f64| ln.exp().clamp(EXPONENTS.0, EXPONENTS.1);
    [
        variables[0].exp(),
        variables[1],
        variables[2],
        exponent(variables[3]),
        exponent(variables[4]),
    ]
}

struct Problem<'a> {
    model: &'a SurfaceModel<'a>,
    weights: &'a [f64],
    delta: f64,
    unit: f64,
    left: Cell<u32>,
    best: &'a RefCell<Best>,
    last: RefCell<Evaluation>,
}

/// The best point that was seen.
struct Best {
    cost: f64,
    at: Vec<f64>,
}

/// Cost and gradient at one point; the line search asks for both in turn.
struct Evaluation {
    at: Vec<f64>,
    cost: f64,
    gradient: Vec<f64>,
    residuals: Vec<f64>,
    slopes: Vec<f64>,
}

impl Problem<'_> {
    /// # Errors
    /// Once there were as many as are allowed.
    fn evaluate(&self, variables: &[f64]) -> Result<f64, Error> {
        let mut last = self.last.borrow_mut();
        if last.at == variables {
            return Ok(last.cost);
        }
        let left = self.left.get().checked_sub(1);
        self.left
            .set(left.ok_or_else(|| Error::msg("too many evaluations"))?);
        let last = &mut *last;
        let theta = theta(variables);
        self.model
            .linearise(&theta, &mut last.residuals, &mut last.slopes);
        last.cost = newton::total(&last.residuals, self.weights, self.delta) / self.unit;
        for (residual, weight) in last.residuals.iter_mut().zip(self.weights) {
            *residual = weight * residual.clamp(-self.delta, self.delta) / self.unit;
        }
        let by_variable = [theta[0], 1.0, 1.0, theta[3], theta[4]];
        let n = last.residuals.len();
        for (k, factor) in by_variable.into_iter().enumerate() {
            let column = &last.slopes[k * n..(k + 1) * n];
            let sum: f64 = column.iter().zip(&last.residuals).map(|(g, s)| g * s).sum();
            last.gradient[k] = -factor * sum;
        }
        last.at.clear();
        last.at.extend_from_slice(variables);
        let mut best = self.best.borrow_mut();
        if last.cost < best.cost {
            best.cost = last.cost;
            best.at.clear();
            best.at.extend_from_slice(variables);
        }
        Ok(last.cost)
    }
}

impl CostFunction for Problem<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, variables: &Vec<f64>) -> Result<f64, Error> {
        self.evaluate(variables)
    }
}

impl Gradient for Problem<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, variables: &Vec<f64>) -> Result<Vec<f64>, Error> {
        self.evaluate(variables)?;
        Ok(self.last.borrow().gradient.clone())
    }
}
