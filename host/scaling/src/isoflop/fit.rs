//! Fitting all budgets with one noise level.

use super::curve::{Lowest, Sample};
use super::{
    BudgetFit, CUBIC_POINTS, Curve, CurveFit, Diagnosis, Isoflop, MIN_POINTS, Method, Minimum,
    Noise, Outcome, UnitVariance,
};
use crate::interval::Interval;
use crate::run::Run;
use crate::student;

/// The runs of one budget.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BudgetRuns<'a> {
    /// FLOPs that they were planned for.
    pub(crate) budget: f64,
    /// Each run with its position in the list that is being analysed; not empty.
    pub(crate) runs: Vec<(usize, &'a Run)>,
}

/// Sizes within this factor of the lowest one are the window of the windowed
/// parabola.
const WINDOW: f64 = 4.0;

/// Fits every curve of every budget, pools the noise and judges the minima.
///
/// All numbers of the runs have to be finite and positive.
pub(crate) fn fit(budgets: &[BudgetRuns<'_>]) -> Isoflop {
    let mut drafts: Vec<Draft> = budgets.iter().map(Draft::new).collect();
    drafts.sort_by(|a, b| a.budget.total_cmp(&b.budget));
    let noise = pool(&drafts);
    Isoflop {
        noise,
        budgets: drafts.iter().map(|draft| draft.judge(noise)).collect(),
    }
}

/// All runs of one size, averaged by weight.
#[derive(Debug, Clone, Copy)]
struct Size {
    ln_n: f64,
    ln_d: f64,
    loss: f64,
}

/// A curve before the noise is known.
struct DraftCurve {
    method: Method,
    curve: Curve,
    sizes: usize,
    rss: f64,
    dof: f64,
}

/// A budget before the noise is known.
struct Draft {
    budget: f64,
    c: f64,
    runs: Vec<usize>,
    sizes: Vec<Size>,
    curves: Vec<DraftCurve>,
    seed_rss: f64,
    seed_dof: f64,
}

impl Draft {
    fn new(group: &BudgetRuns<'_>) -> Self {
        let mut runs = group.runs.clone();
        runs.sort_by(|a, b| a.1.n.total_cmp(&b.1.n).then(a.0.cmp(&b.0)));
        let samples: Vec<Sample> = runs
            .iter()
            .map(|(_, run)| Sample {
                ln_n: run.n.ln(),
                loss: run.loss,
                weight: run.weight.unwrap_or(1.0),
            })
            .collect();
        let mut sizes: Vec<Size> = Vec::new();
        let (mut seed_rss, mut seed_dof) = (0.0, 0.0);
        for same in runs.chunk_by(|a, b| a.1.n.total_cmp(&b.1.n).is_eq()) {
            let total: f64 = same.iter().map(|(_, r)| r.weight.unwrap_or(1.0)).sum();
            let mean = |value: &dyn Fn(&Run) -> f64| {
                let sum: f64 = same
                    .iter()
                    .map(|(_, run)| run.weight.unwrap_or(1.0) * value(run))
                    .sum();
                sum / total
            };
            let loss = mean(&|run| run.loss);
            let deviations = same
                .iter()
                .map(|(_, run)| run.weight.unwrap_or(1.0) * (run.loss - loss).powi(2));
            seed_rss += deviations.sum::<f64>();
            seed_dof += (same.len() - 1) as f64;
            sizes.push(Size {
                ln_n: same[0].1.n.ln(),
                ln_d: mean(&|run| run.d.ln()),
                loss,
            });
        }
        let ln_c: f64 = runs.iter().map(|(_, run)| run.c.ln()).sum::<f64>() / runs.len() as f64;
        let curves = draft_curves(&samples, &sizes);
        Self {
            budget: group.budget,
            c: ln_c.exp(),
            runs: runs.iter().map(|(index, _)| *index).collect(),
            sizes,
            curves,
            seed_rss,
            seed_dof,
        }
    }

    fn judge(&self, noise: Option<Noise>) -> BudgetFit {
        let fits: Vec<CurveFit> = match noise {
            None => Vec::new(),
            Some(noise) => self
                .curves
                .iter()
                .map(|c| self.judge_curve(c, noise))
                .collect(),
        };
        let in_full = || fits.iter().filter(|f| f.method != Method::WindowedParabola);
        let outcome = in_full()
            .find(|fit| fit.outcome.minimum().is_some())
            .or_else(|| in_full().next())
            .map_or_else(
                || {
                    Outcome::Undetermined(Diagnosis::TooFewPoints {
                        found: self.sizes.len(),
                        needed: MIN_POINTS,
                        add: self.missing_sizes(),
                    })
                },
                |fit| fit.outcome.clone(),
            );
        BudgetFit {
            budget: self.budget,
            c: self.c,
            runs: self.runs.clone(),
            sizes: self.sizes.len(),
            few_points: (MIN_POINTS..CUBIC_POINTS).contains(&self.sizes.len()),
            fits,
            outcome,
        }
    }

    fn judge_curve(&self, draft: &DraftCurve, noise: Noise) -> CurveFit {
        let curve = &draft.curve;
        let t = student::two_sided(noise.dof);
        let step = self.step();
        let (lowest, highest) = curve.range();
        let outcome = match curve.lowest() {
            Lowest::AtLowEnd => Outcome::Undetermined(Diagnosis::NotBracketedLow {
                lowest,
                add: vec![lowest / step],
            }),
            Lowest::AtHighEnd => Outcome::Undetermined(Diagnosis::NotBracketedHigh {
                highest,
                add: vec![highest * step],
            }),
            Lowest::Nowhere => Outcome::Undetermined(Diagnosis::NotConvex {
                curvature: curve.derivative(0.0, 2) / curve.half_width.powi(2),
                se: noise.sd * curvature_unit_se(curve, 0.0),
                add: vec![lowest / step, highest * step],
            }),
            Lowest::Inside(u) => {
                let curvature = curve.derivative(u, 2) / curve.half_width.powi(2);
                let se = noise.sd * curvature_unit_se(curve, u);
                if curvature > student::one_sided(noise.dof) * se {
                    let curvature = Interval::symmetric(curvature, t * se);
                    Outcome::Minimum(self.minimum(draft, u, curvature, noise.sd, t))
                } else {
                    Outcome::Undetermined(Diagnosis::NotConvex {
                        curvature,
                        se,
                        add: vec![lowest / step, highest * step],
                    })
                }
            }
        };
        CurveFit {
            method: draft.method,
            curve: curve.clone(),
            sizes: draft.sizes,
            rss: draft.rss,
            dof: draft.dof,
            outcome,
        }
    }

    fn minimum(&self, draft: &DraftCurve, u: f64, curvature: Interval, sd: f64, t: f64) -> Minimum {
        let curve = &draft.curve;
        // Delta method: du*/dβ = −φ'(u*)/p''(u*); L* does not move with u*.
        let slope = curve.basis(u, 1);
        let value = curve.basis(u, 0);
        let in_ln_n = curve.half_width / curve.derivative(u, 2);
        let unit_variance = UnitVariance {
            ln_n: curve.unit_cov(&slope, &slope) * in_ln_n.powi(2),
            loss: curve.unit_cov(&value, &value),
        };
        let ln_n_se = sd * unit_variance.ln_n.sqrt();
        let loss_se = sd * unit_variance.loss.sqrt();
        let n = curve.n_at(u);
        let (ln_d, ln_d_slope) = self.ln_d_at(n.ln());
        Minimum {
            method: draft.method,
            n: Interval::from_log(n.ln(), t * ln_n_se),
            d: Interval::from_log(ln_d, t * ln_n_se * ln_d_slope.abs()),
            loss: Interval::symmetric(curve.derivative(u, 0), t * loss_se),
            curvature,
            ln_n_se,
            loss_se,
            ln_d_slope,
            unit_variance,
        }
    }

    /// ln D and its slope at a size between two measured ones. At one budget D is
    /// C over FLOPs per unit, a smooth and nearly straight function of ln N.
    fn ln_d_at(&self, ln_n: f64) -> (f64, f64) {
        let right = self
            .sizes
            .partition_point(|size| size.ln_n < ln_n)
            .clamp(1, self.sizes.len() - 1);
        let (a, b) = (self.sizes[right - 1], self.sizes[right]);
        let slope = (b.ln_d - a.ln_d) / (b.ln_n - a.ln_n);
        (a.ln_d + slope * (ln_n - a.ln_n), slope)
    }

    /// The typical ratio between neighbouring sizes.
    fn step(&self) -> f64 {
        match self.sizes.as_slice() {
            [first, .., last] => ((last.ln_n - first.ln_n) / (self.sizes.len() - 1) as f64).exp(),
            _ => 2.0,
        }
    }

    /// Sizes that make [`MIN_POINTS`] of too few, in turn above and below.
    fn missing_sizes(&self) -> Vec<f64> {
        let step = self.step();
        let (low, high) = (
            self.sizes[0].ln_n.exp(),
            self.sizes[self.sizes.len() - 1].ln_n.exp(),
        );
        let mut add: Vec<f64> = (0..MIN_POINTS - self.sizes.len().min(MIN_POINTS))
            .map(|i| {
                let reach = step.powi((i / 2 + 1) as i32);
                if i % 2 == 0 {
                    high * reach
                } else {
                    low / reach
                }
            })
            .collect();
        add.sort_by(f64::total_cmp);
        add
    }
}

fn draft_curves(samples: &[Sample], sizes: &[Size]) -> Vec<DraftCurve> {
    let mut curves = Vec::new();
    let mut push = |method, samples: &[Sample], sizes: usize, degree: usize| {
        if let Some((curve, rss)) = Curve::fit(samples, degree) {
            curves.push(DraftCurve {
                method,
                curve,
                sizes,
                rss,
                dof: (samples.len() - degree - 1) as f64,
            });
        }
    };
    if sizes.len() >= CUBIC_POINTS {
        push(Method::Cubic, samples, sizes.len(), 3);
    }
    if sizes.len() >= MIN_POINTS {
        push(Method::Parabola, samples, sizes.len(), 2);
        let lowest = sizes
            .iter()
            .min_by(|a, b| a.loss.total_cmp(&b.loss))
            .map_or(f64::NAN, |size| size.ln_n);
        let near = |ln_n: f64| (ln_n - lowest).abs() <= WINDOW.ln();
        let near_sizes = sizes.iter().filter(|size| near(size.ln_n)).count();
        if (MIN_POINTS..sizes.len()).contains(&near_sizes) {
            let near: Vec<Sample> = samples.iter().copied().filter(|s| near(s.ln_n)).collect();
            push(Method::WindowedParabola, &near, near_sizes, 2);
        }
    }
    curves
}

/// Standard error of the second derivative by ln N at the lowest point, for noise
/// of variance 1. In a cubic the point moves with the coefficients.
fn curvature_unit_se(curve: &Curve, u: f64) -> f64 {
    let moves = curve.derivative(u, 3) / curve.derivative(u, 2);
    let gradient: Vec<f64> = curve
        .basis(u, 2)
        .iter()
        .zip(curve.basis(u, 1))
        .map(|(second, first)| second - moves * first)
        .collect();
    curve.unit_cov(&gradient, &gradient).sqrt() / curve.half_width.powi(2)
}

/// The residual variance of each budget's default curve, pooled.
fn pool(drafts: &[Draft]) -> Option<Noise> {
    let defaults = || drafts.iter().filter_map(|draft| draft.curves.first());
    let dof: f64 = defaults().map(|curve| curve.dof).sum();
    if dof < 1.0 {
        return None;
    }
    let rss: f64 = defaults().map(|curve| curve.rss).sum();
    let seed_dof: f64 = drafts.iter().map(|draft| draft.seed_dof).sum();
    let seed_rss: f64 = drafts.iter().map(|draft| draft.seed_rss).sum();
    Some(Noise {
        sd: (rss / dof).sqrt(),
        dof,
        between_seeds: (seed_dof >= 1.0).then(|| ((seed_rss / seed_dof).sqrt(), seed_dof)),
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
