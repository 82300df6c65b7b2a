//! The envelope (Approach 1 of Hoffmann et al. 2022): the lowest loss that any size
//! reached at each C, and power laws through the winners.
//!
//! It takes losses on the way of training for those of finished runs, so it is
//! fitted only where they are: to runs with a `curve` of honest points, and to the
//! branches of a trunk. At each C on a grid the curves that reach it are read
//! between their points, in ln C and ln L. A winner counts when larger and
//! smaller sizes were there to beat it.
//!
//! The envelope has no residuals: a run lies on its own curve. So no run counts as
//! used, and only a bootstrap over runs (weights) finds its spread.

use serde::{Deserialize, Serialize};

use crate::fit::{Diagnostics, Fit, Parameters, Refit};
use crate::frontier::{Frontier, Law, Optimum};
use crate::interval::exp;
use crate::loss_law::{LossLaw, LossPoint};
use crate::method::Method;
use crate::power_law::NoiseLevel;
use crate::sample::{LossCurve, Sample};
use crate::unfit::Unfit;

/// Values of C at which the winner is sought.
const GRID: usize = 200;
/// Points that the law of the loss goes through: neighbours on the grid say the
/// same.
const LOSS_POINTS: usize = 8;
/// Fewest distinct sizes among the winners.
const MIN_WINNERS: usize = 2;

/// Power laws through the envelope.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EnvelopeLaw {
    /// ln N* at C = 1, and its slope.
    n: (f64, f64),
    /// ln D* at C = 1, and its slope.
    d: (f64, f64),
    /// E, ln k and c of L* = E + k·C^−c.
    loss: (f64, f64, f64),
}

impl Frontier for EnvelopeLaw {
    fn optimum(&self, c: f64) -> Optimum {
        let (floor, ln_k, exponent) = self.loss;
        Optimum {
            c,
            n: (self.n.0 + self.n.1 * c.ln()).exp(),
            d: (self.d.0 + self.d.1 * c.ln()).exp(),
            loss: floor + (ln_k - exponent * c.ln()).exp(),
        }
    }
}

/// The laws' parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnvelopeParameters {
    /// Exponent of N*(C).
    pub a: f64,
    /// Exponent of D*(C).
    pub b: f64,
    /// Prefactor of N*(C).
    pub k_n: f64,
    /// Prefactor of D*(C).
    pub k_d: f64,
    /// Floor E of L*(C).
    #[serde(rename = "E")]
    pub floor: f64,
    /// Exponent of L*(C) − E.
    pub loss_exponent: f64,
    /// Loss curves that the envelope is over.
    pub curves: usize,
    /// Values of C whose winner counts.
    pub points: usize,
    /// Distinct sizes among the winners.
    pub winners: usize,
}

/// The best of the curves at one C.
struct Winner {
    ln_c: f64,
    ln_n: f64,
    ln_d: f64,
    loss: f64,
}

/// Fits the envelope.
pub(crate) fn fit(sample: &Sample) -> Result<Fit<'_>, Unfit> {
    if sample.curves.is_empty() {
        return Err(Unfit::NoHonestCurves);
    }
    let winners = winners(&sample.curves);
    let sizes = distinct(&winners);
    let law = law(&winners).ok_or(Unfit::TooFewValues {
        quantity: 'N',
        found: sizes,
        needed: MIN_WINNERS,
    })?;
    let used = vec![false; sample.len()];
    Ok(Fit {
        method: Method::Envelope,
        sample,
        law: Law::Envelope(law),
        diagnostics: Diagnostics::of(Method::Envelope, sample, &sample.loss, &used),
        fitted: sample.loss.clone(),
        leverage: vec![0.0; sample.len()],
        used,
        parameters: Parameters::Envelope(EnvelopeParameters {
            a: law.n.1,
            b: law.d.1,
            k_n: exp(law.n.0),
            k_d: exp(law.d.0),
            floor: law.loss.0,
            loss_exponent: law.loss.2,
            curves: sample.curves.len(),
            points: winners.len(),
            winners: sizes,
        }),
        refit: Refit::Envelope,
    })
}

/// The law where each run's curve is scaled as its final loss is; runs of weight 0
/// are left out.
pub(crate) fn refit(
    sample: &Sample,
    losses: &[f64],
    weights: Option<&[f64]>,
) -> Option<EnvelopeLaw> {
    let mut curves = sample.curves.clone();
    for curve in &mut curves {
        curve
            .points
            .retain(|point| weights.is_none_or(|w| w[point.row] > 0.0));
        for point in &mut curve.points {
            point.loss *= losses[point.row] / sample.loss[point.row];
            point.weight *= weights.map_or(1.0, |w| w[point.row]);
        }
    }
    law(&winners(&curves))
}

fn winners(curves: &[LossCurve]) -> Vec<Winner> {
    let curves: Vec<LossCurve> = curves.iter().filter_map(LossCurve::merged).collect();
    let ends = |curve: &LossCurve| {
        (
            curve.points[0].ln_c,
            curve.points[curve.points.len() - 1].ln_c,
        )
    };
    let low = curves
        .iter()
        .map(|c| ends(c).0)
        .fold(f64::INFINITY, f64::min);
    let high = curves
        .iter()
        .map(|c| ends(c).1)
        .fold(f64::NEG_INFINITY, f64::max);
    (0..GRID)
        .filter_map(|i| {
            let ln_c = low + (high - low) * i as f64 / (GRID - 1) as f64;
            let present: Vec<Winner> = curves
                .iter()
                .filter_map(|curve| read(curve, ln_c))
                .collect();
            let best = present.iter().min_by(|a, b| a.loss.total_cmp(&b.loss))?;
            let bracketed = present.iter().any(|other| other.ln_n < best.ln_n)
                && present.iter().any(|other| other.ln_n > best.ln_n);
            bracketed.then_some(Winner { ..*best })
        })
        .collect()
}

/// The curve at `ln_c`, where it reaches that far.
fn read(curve: &LossCurve, ln_c: f64) -> Option<Winner> {
    let right = curve.points.partition_point(|point| point.ln_c < ln_c);
    let after = curve.points.get(right)?;
    let before = if right == 0 {
        (after.ln_c <= ln_c).then_some(after)?
    } else {
        &curve.points[right - 1]
    };
    let width = after.ln_c - before.ln_c;
    let t = if width > 0.0 {
        (ln_c - before.ln_c) / width
    } else {
        0.0
    };
    let between = |a: f64, b: f64| a + t * (b - a);
    Some(Winner {
        ln_c,
        ln_n: curve.ln_n,
        ln_d: between(before.ln_d, after.ln_d),
        loss: between(before.loss.ln(), after.loss.ln()).exp(),
    })
}

fn distinct(winners: &[Winner]) -> usize {
    let mut sizes: Vec<f64> = winners.iter().map(|winner| winner.ln_n).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    sizes.len()
}

fn law(winners: &[Winner]) -> Option<EnvelopeLaw> {
    if distinct(winners) < MIN_WINNERS {
        return None;
    }
    let step = (winners.len() / LOSS_POINTS).max(1);
    let points: Vec<LossPoint> = winners
        .iter()
        .step_by(step)
        .map(|winner| LossPoint {
            ln_c: winner.ln_c,
            loss: winner.loss,
            unit_variance: 1.0,
        })
        .collect();
    // Only the best fit is taken from it, and that does not depend on the noise.
    let noise = NoiseLevel {
        variance: 0.0,
        dof: 1.0,
    };
    let loss = LossLaw::fit(&points, noise);
    let law = EnvelopeLaw {
        n: line(winners, |winner| winner.ln_n),
        d: line(winners, |winner| winner.ln_d),
        loss: (loss.floor.estimate, loss.k.ln(), loss.exponent.estimate),
    };
    let numbers = [law.n.0, law.n.1, law.d.0, law.d.1, law.loss.1, law.loss.2];
    numbers
        .iter()
        .all(|number| number.is_finite())
        .then_some(law)
}

/// The straight line through the winners by least squares: value at ln C = 0, slope.
fn line(winners: &[Winner], value: fn(&Winner) -> f64) -> (f64, f64) {
    let count = winners.len() as f64;
    let x = winners.iter().map(|winner| winner.ln_c).sum::<f64>() / count;
    let y = winners.iter().map(value).sum::<f64>() / count;
    let (mut spread, mut cross) = (0.0, 0.0);
    for winner in winners {
        spread += (winner.ln_c - x).powi(2);
        cross += (winner.ln_c - x) * (value(winner) - y);
    }
    (y - cross / spread * x, cross / spread)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::run::{CurvePoint, Run};
    use crate::surface::Surface;

    const SURFACE: Surface = Surface {
        floor: 1.7,
        ln_a: 6.0,
        ln_b: 7.6,
        alpha: 0.34,
        beta: 0.28,
    };

    /// Branches of 16 trunks, each cooled down at 24 lengths.
    fn trunks() -> Vec<Run> {
        let of_size = |size: u32| {
            let n = 1e6 * 1.6_f64.powi(size as i32);
            (0..24).map(move |length| {
                let d = 2e7 * 1.5_f64.powi(length);
                Run {
                    group: Some(format!("trunk {size}")),
                    ..Run::new(n, d, 6.0 * n * d, SURFACE.loss(n, d))
                }
            })
        };
        (0..16).flat_map(of_size).collect()
    }

    fn check(runs: &[Run]) {
        let sample = Sample::new(runs).unwrap();
        let fitted = fit(&sample).unwrap();
        let Parameters::Envelope(parameters) = fitted.parameters() else {
            panic!("an envelope");
        };
        assert!(
            (parameters.a - SURFACE.n_exponent()).abs() < 0.02,
            "{parameters:?}"
        );
        assert!((parameters.a + parameters.b - 1.0).abs() < 0.02);
        let c: f64 = 1e19;
        let ln_n = SURFACE.ln_n_closed(c.ln(), 6_f64.ln());
        let truth = SURFACE.loss_at(ln_n, (c / 6.0).ln() - ln_n);
        let found = fitted.optimum(c);
        assert!((found.n.ln() - ln_n).abs() < 0.15, "{found:?}");
        assert!((found.loss - truth).abs() < 0.01, "{found:?} {truth}");
        let again = fitted.refit(&sample.loss, None).unwrap().optimum(c);
        assert!((again.n / found.n - 1.0).abs() < 1e-9);
    }

    #[test]
    fn branches_of_trunks_give_the_exponents() {
        check(&trunks());
    }

    #[test]
    fn curves_of_single_runs_give_the_same() {
        let runs = trunks();
        let joined: Vec<Run> = runs
            .chunk_by(|a, b| a.group == b.group)
            .map(|trunk| {
                let (last, earlier) = trunk.split_last().unwrap();
                let point = |run: &Run| CurvePoint {
                    d: run.d,
                    c: run.c,
                    loss: run.loss,
                };
                Run {
                    group: None,
                    curve: earlier.iter().map(point).collect(),
                    ..last.clone()
                }
            })
            .collect();
        check(&joined);
    }

    #[test]
    fn runs_that_only_ended_have_no_envelope() {
        let mut runs = trunks();
        for run in &mut runs {
            run.group = None;
        }
        assert_eq!(
            fit(&Sample::new(&runs).unwrap()).unwrap_err(),
            Unfit::NoHonestCurves
        );
    }
}
