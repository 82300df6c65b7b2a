//! The data-constrained law (Muennighoff et al. 2023): what is seen again counts
//! for less.
//!
//! With U distinct units of data, D beyond U is worth
//! `D' = U + U·R_D·(1 − exp(−(D/U − 1)/R_D))`, and likewise N beyond U_N, the size
//! that is optimal for U distinct units:
//! `N' = U_N + U_N·R_N·(1 − exp(−(N/U_N − 1)/R_N))`. The loss is the plain surface
//! at (N', D'). U_N follows from the surface, `N = G·(G·U)^(β/α)` by its frontier,
//! so all seven parameters are found at once, by the Huber loss of ln L. On
//! fresh data the law is the plain surface, and so is its frontier.

mod model;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::fit::{Diagnostics, Fit, Parameters, Refit};
use crate::frontier::Law;
use crate::interval::exp;
use crate::method::Method;
use crate::newton::{self, Limits, Solution};
use crate::sample::Sample;
use crate::surface::{Bound, HUBER_DELTA, Objective, Surface, SurfaceLaw, fit_surface};
use crate::unfit::Unfit;

use model::{Columns, DECAY, RepeatedModel, Rows, Theta};

/// Values of R_D and R_N that the search starts from; the published ones are 15.4
/// and 5.31.
const STARTS: [f64; 2] = [4.0, 40.0];
/// Starts are rounded to one part in so many.
const START: f64 = 256.0;
/// Fewest distinct configurations: one more than parameters.
const MIN_CONFIGURATIONS: usize = 8;

const FULL: Limits = Limits {
    steps: 100,
    gain: 1e-12,
};
const AGAIN: Limits = Limits {
    steps: 60,
    gain: 1e-8,
};

/// The law's parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataConstrainedParameters {
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
    /// R_D*: passes over the data after which a further one is worth 1/e of the
    /// first repeat.
    pub r_d: f64,
    /// R_N*, the same for parameters beyond what the distinct data asks for;
    /// absent where no run has any.
    pub r_n: Option<f64>,
    /// The Huber loss of ln L, summed over the runs.
    pub objective: f64,
    /// Starts that were searched from.
    pub seeds: usize,
    /// Those that ended at the optimum, within 1e-6 of the objective.
    pub seeds_at_optimum: usize,
    /// Whether the search ended because no step promised a gain.
    pub converged: bool,
    /// Parameters at a bound.
    #[serde(default)]
    pub bounds: Vec<Bound>,
    /// Runs that saw some data more than once.
    pub repeating: usize,
}

/// A law that can be fitted again.
#[derive(Debug)]
pub(crate) struct DataConstrainedRefit {
    columns: Columns,
    start: Theta,
}

/// Where the searches end that begin from the plain surface, on canonical rows.
fn search(columns: &Columns, sample: &Sample, plain: &Surface) -> Vec<Solution<7>> {
    let rows = Rows::of(columns, sample);
    let model = RepeatedModel {
        columns: &rows.columns,
        target: &rows.target,
    };
    let start = |r_d: f64, r_n: f64| {
        [
            plain.floor,
            plain.ln_a - plain.alpha * columns.middle.0,
            plain.ln_b - plain.beta * columns.middle.1,
            plain.alpha,
            plain.beta,
            r_d.ln(),
            r_n.ln(),
        ]
        // The plain surface's last digits are not to decide where the search ends.
        .map(|value| (value * START).round() / START)
    };
    STARTS
        .iter()
        .flat_map(|&r_d| STARTS.map(|r_n| start(r_d, r_n)))
        .map(|start| newton::minimise(&model, &rows.weight, HUBER_DELTA, start, FULL))
        .filter(|end| end.objective.is_finite())
        .collect()
}

/// Fits the law.
pub(crate) fn fit(sample: &Sample) -> Result<Fit<'_>, Unfit> {
    let repeats =
        |row: usize| sample.unique[row].is_some_and(|unique| sample.ln_d[row] > unique.ln() + 1e-9);
    let repeating = (0..sample.len()).filter(|&row| repeats(row)).count();
    if repeating == 0 {
        return Err(Unfit::NothingRepeats);
    }
    // The surface of what was seen once, or of all where that is too little.
    let huber = Objective::Huber { delta: HUBER_DELTA };
    let plain = fit_surface(&sample.subset(|row| !repeats(row)), huber)
        .or_else(|_| fit_surface(sample, huber))?
        .surface;
    let found = sample.configurations();
    if found < MIN_CONFIGURATIONS {
        return Err(Unfit::TooFewConfigurations {
            found,
            needed: MIN_CONFIGURATIONS,
        });
    }
    let total: f64 = sample.weight.iter().sum();
    let mean = |column: &[f64]| {
        let products = column.iter().zip(&sample.weight).map(|(v, w)| v * w);
        products.sum::<f64>() / total
    };
    let columns = Columns {
        middle: (mean(&sample.ln_n), mean(&sample.ln_d)),
        ln_n: sample.ln_n.clone(),
        ln_d: sample.ln_d.clone(),
        ln_unique: sample
            .unique
            .iter()
            .map(|unique| unique.map(f64::ln))
            .collect(),
        typical: mean(&sample.loss),
    };
    let target: Vec<f64> = sample.loss.iter().map(|loss| loss.ln()).collect();
    let model = RepeatedModel {
        columns: &columns,
        target: &target,
    };
    let ends = search(&columns, sample, &plain);
    let best = ends
        .iter()
        .min_by(|a, b| a.objective.total_cmp(&b.objective))
        .ok_or(Unfit::NoOptimum)?;
    let surface = columns.surface(&best.theta);
    let beyond = (0..sample.len()).any(|row| {
        columns.ln_unique[row].is_some_and(|ln| sample.ln_n[row] > Columns::ln_enough(&surface, ln))
    });
    let fitted: Vec<f64> = (0..sample.len())
        .map(|row| columns.ln_loss(&best.theta, row).exp())
        .collect();
    let used = vec![true; sample.len()];
    let resolution = f64::EPSILON * sample.weight.iter().sum::<f64>();
    let same =
        |end: &&Solution<7>| end.objective - best.objective <= 1e-6 * best.objective + resolution;
    Ok(Fit {
        method: Method::DataConstrained,
        sample,
        law: Law::Surface(law(surface, &best.theta, sample)),
        diagnostics: Diagnostics::of(Method::DataConstrained, sample, &fitted, &used),
        fitted,
        leverage: newton::leverage(&model, &sample.weight, &best.theta),
        used,
        parameters: Parameters::DataConstrained(DataConstrainedParameters {
            floor: surface.floor,
            a_factor: exp(surface.ln_a),
            b_factor: exp(surface.ln_b),
            alpha: surface.alpha,
            beta: surface.beta,
            r_d: best.theta[5].exp(),
            r_n: beyond.then_some(best.theta[6].exp()),
            objective: best.objective,
            seeds: STARTS.len() * STARTS.len(),
            seeds_at_optimum: ends.iter().filter(same).count(),
            converged: best.converged,
            bounds: at_bounds(&best.theta, beyond),
            repeating,
        }),
        refit: Refit::DataConstrained(DataConstrainedRefit {
            columns,
            start: best.theta,
        }),
    })
}

impl DataConstrainedRefit {
    /// The law for other losses and weights.
    pub(crate) fn refit(
        &self,
        sample: &Sample,
        losses: &[f64],
        weights: Option<&[f64]>,
    ) -> Option<SurfaceLaw> {
        let target: Vec<f64> = losses.iter().map(|loss| loss.ln()).collect();
        let model = RepeatedModel {
            columns: &self.columns,
            target: &target,
        };
        let factors = |row: usize| weights.map_or(1.0, |factors| factors[row]);
        let weights: Vec<f64> = (0..sample.len())
            .map(|row| factors(row) * sample.weight[row])
            .collect();
        let end = newton::minimise(&model, &weights, HUBER_DELTA, self.start, AGAIN);
        let surface = self.columns.surface(&end.theta);
        end.objective
            .is_finite()
            .then(|| law(surface, &end.theta, sample))
    }
}

fn law(surface: Surface, theta: &Theta, sample: &Sample) -> SurfaceLaw {
    SurfaceLaw::new(surface, Arc::clone(&sample.flops)).repeating([theta[5], theta[6]])
}

/// The parameters of a search's end at their bounds; R_N counts where runs have
/// parameters beyond what their data asks for.
fn at_bounds(theta: &Theta, beyond: bool) -> Vec<Bound> {
    let surface = Bound::of_surface(theta[0], theta[3], theta[4]);
    let (low, high) = (DECAY.0.ln(), DECAY.1.ln());
    let decays = [
        (Bound::RepeatedDataWorthless, theta[5] <= low),
        (Bound::RepeatedDataAsNew, theta[5] >= high),
        (Bound::ExcessParametersWorthless, beyond && theta[6] <= low),
        (Bound::ExcessParametersAsNew, beyond && theta[6] >= high),
    ];
    let decays = decays
        .into_iter()
        .filter_map(|(bound, hit)| hit.then_some(bound));
    surface.into_iter().chain(decays).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::run::Run;

    /// Runs by the published form, some on the same data up to 40 times.
    fn runs() -> Vec<Run> {
        let theta: Theta = [1.87, 6.2, 7.3, 0.35, 0.35, 15.4_f64.ln(), 5.3_f64.ln()];
        let mut runs = Vec::new();
        for (size, length, share) in
            (0..6).flat_map(|n| (0..6).flat_map(move |d| (0..4).map(move |u| (n, d, u))))
        {
            let n = 1e7 * 2.5_f64.powi(size);
            let d = 2e8 * 2.5_f64.powi(length);
            let unique = d / [0.5, 2.0, 8.0, 40.0][share];
            let columns = Columns {
                middle: (0.0, 0.0),
                ln_n: vec![n.ln()],
                ln_d: vec![d.ln()],
                ln_unique: vec![Some(unique.ln())],
                typical: 1.0,
            };
            runs.push(Run {
                unique: Some(unique),
                ..Run::new(n, d, 6.0 * n * d, columns.ln_loss(&theta, 0).exp())
            });
        }
        runs
    }

    #[test]
    fn the_law_of_noiseless_runs_is_found() {
        let sample = Sample::new(&runs()).unwrap();
        let fitted = fit(&sample).unwrap();
        let Parameters::DataConstrained(found) = fitted.parameters() else {
            panic!("the data-constrained law");
        };
        let close = |value: f64, truth: f64| (value / truth - 1.0).abs() < 1e-4;
        assert!(
            close(found.floor, 1.87) && close(found.alpha, 0.35) && close(found.beta, 0.35),
            "{found:?}"
        );
        assert!(
            close(found.a_factor.ln(), 6.2) && close(found.b_factor.ln(), 7.3),
            "{found:?}"
        );
        assert!(
            close(found.r_d, 15.4) && close(found.r_n.unwrap(), 5.3),
            "{found:?}"
        );
    }

    #[test]
    fn fresh_data_has_no_such_law() {
        let runs: Vec<Run> = runs()
            .into_iter()
            .filter(|run| run.repeats() < Some(1.0))
            .collect();
        assert_eq!(
            fit(&Sample::new(&runs).unwrap()).unwrap_err(),
            Unfit::NothingRepeats
        );
    }
}
