//! Fitting all budgets with one noise level.

use super::curve::{Lowest, Point};
use super::{
    BudgetFit, CUBIC_POINTS, Curve, CurveFit, Diagnosis, Isoflop, MIN_POINTS, Method, Minimum,
    Noise, Outcome,
};
use crate::budget::Budget;
use crate::interval::Interval;
use crate::sample::Sample;
use crate::student;

/// Sizes within this factor of the lowest one are the window of the windowed
/// parabola.
const WINDOW: f64 = 4.0;
/// Share by which that factor may be exceeded: of sizes that are powers of two,
/// rounding in some unit of N must not decide.
const ROUNDING: f64 = 1e-9;

/// Fits every curve of every budget, pools the noise and judges the minima.
///
/// Budgets keep the order that they have in the sample.
pub(crate) fn fit(sample: &Sample) -> Isoflop {
    let drafts: Vec<Draft> = sample
        .budgets
        .iter()
        .map(|budget| Draft::new(sample, budget))
        .collect();
    let noise = pool(&drafts);
    Isoflop {
        noise,
        budgets: drafts.iter().map(|draft| draft.judge(noise)).collect(),
        drafts,
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
#[derive(Debug, Clone)]
pub(super) struct DraftCurve {
    pub(super) method: Method,
    pub(super) curve: Curve,
    /// Rows of the sample that it went through.
    pub(super) rows: Vec<usize>,
    sizes: usize,
    pub(super) rss: f64,
    dof: f64,
}

/// A budget before the noise is known.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    budget: f64,
    c: f64,
    runs: Vec<usize>,
    sizes: Vec<Size>,
    pub(super) curves: Vec<DraftCurve>,
    seed_rss: f64,
    seed_dof: f64,
}

impl Draft {
    fn new(sample: &Sample, budget: &Budget) -> Self {
        let (ln_n, ln_d) = (&sample.ln_n, &sample.ln_d);
        let mut rows = budget.rows.clone();
        rows.sort_by(|&a, &b| ln_n[a].total_cmp(&ln_n[b]).then(a.cmp(&b)));
        let mut sizes: Vec<Size> = Vec::new();
        let (mut seed_rss, mut seed_dof) = (0.0, 0.0);
        for same in rows.chunk_by(|&a, &b| ln_n[a].total_cmp(&ln_n[b]).is_eq()) {
            let total: f64 = same.iter().map(|&row| sample.weight[row]).sum();
            let mean = |column: &[f64]| {
                let products = same.iter().map(|&row| sample.weight[row] * column[row]);
                products.sum::<f64>() / total
            };
            let loss = mean(&sample.loss);
            let deviations = same
                .iter()
                .map(|&row| sample.weight[row] * (sample.loss[row] - loss).powi(2));
            seed_rss += deviations.sum::<f64>();
            seed_dof += (sample.distinct(same) - 1) as f64;
            sizes.push(Size {
                ln_n: ln_n[same[0]],
                ln_d: mean(ln_d),
                loss,
            });
        }
        Self {
            budget: budget.nominal,
            c: budget.c,
            runs: rows.iter().map(|&row| sample.runs[row]).collect(),
            curves: draft_curves(sample, &rows, &sizes),
            sizes,
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
        let unit_variance = curve.unit_variance(u);
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
    pub(super) fn ln_d_at(&self, ln_n: f64) -> (f64, f64) {
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

fn draft_curves(sample: &Sample, rows: &[usize], sizes: &[Size]) -> Vec<DraftCurve> {
    let mut curves = Vec::new();
    let mut push = |method, rows: Vec<usize>, sizes: usize, degree: usize| {
        let points: Vec<Point> = rows.iter().map(|&row| Point::of(sample, row)).collect();
        if let Some((curve, rss)) = Curve::fit(&points, degree) {
            curves.push(DraftCurve {
                method,
                curve,
                sizes,
                rss,
                dof: sample.distinct(&rows) as f64 - degree as f64 - 1.0,
                rows,
            });
        }
    };
    if sizes.len() >= CUBIC_POINTS {
        push(Method::Cubic, rows.to_vec(), sizes.len(), 3);
    }
    if sizes.len() >= MIN_POINTS {
        push(Method::Parabola, rows.to_vec(), sizes.len(), 2);
        let lowest = sizes
            .iter()
            .min_by(|a, b| a.loss.total_cmp(&b.loss))
            .map_or(f64::NAN, |size| size.ln_n);
        let near = |ln_n: f64| (ln_n - lowest).abs() <= WINDOW.ln() + ROUNDING;
        let near_sizes = sizes.iter().filter(|size| near(size.ln_n)).count();
        if (MIN_POINTS..sizes.len()).contains(&near_sizes) {
            let near: Vec<usize> = rows
                .iter()
                .copied()
                .filter(|&row| near(sample.ln_n[row]))
                .collect();
            push(Method::WindowedParabola, near, near_sizes, 2);
        }
    }
    curves
}

/// Standard error of the second derivative by ln N at the lowest point, for noise
/// of variance 1. In a cubic the point moves with the coefficients.
pub(super) fn curvature_unit_se(curve: &Curve, u: f64) -> f64 {
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
