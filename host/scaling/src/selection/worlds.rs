//! Laws that the runs may have come from, and how much the runs speak for each.
//!
//! Three worlds are thought of: the runs lie on one surface; each budget has a parabola
//! of its own; each has a cubic of its own. Each has more coefficients than the one
//! before, and what the smaller can say of the sizes at hand the larger can nearly say
//! too, so they are treated as nested. Of a smaller model with k₀ coefficients and
//! residuals RSS₀ and a larger one with k₁ and RSS₁ on the same n runs, the odds on the
//! larger are
//!
//! `(1 + n)^((n − k₁)/2) / (1 + n·RSS₁/RSS₀)^((n − k₀)/2)`,
//!
//! the Bayes factor of nested linear models under Zellner's g-prior with g = n, the
//! weight of one run (Liang et al. 2008, JASA 103, equation 6).

use crate::fit::Fit;
use crate::method::Method;

/// Surfaces, the first that fits counts.
const SURFACES: [Method; 4] = [
    Method::DataConstrained,
    Method::ParametricMse,
    Method::ParametricHuber,
    Method::ParametricLad,
];
/// Curves by budget, from few coefficients to many.
const CURVES: [Method; 2] = [Method::IsoflopParabola, Method::IsoflopCubic];
/// Residuals of this share of the loss are none.
const RESOLUTION: f64 = 1e-6;

/// The fits that the runs may have come from, with their shares, which add up to 1.
pub(super) fn worlds<'f, 's>(fits: &[&'f Fit<'s>]) -> Vec<(&'f Fit<'s>, f64)> {
    let of = |method: &Method| fits.iter().copied().find(|fit| fit.method() == *method);
    let surface = SURFACES.iter().find_map(of);
    let curves = CURVES.iter().filter_map(of);
    let mut odds: Vec<(&Fit<'_>, f64)> = Vec::new();
    for fit in surface.into_iter().chain(curves) {
        let ln_odds = odds
            .last()
            .map_or(0.0, |&(smaller, ln_odds)| ln_odds + ln_factor(smaller, fit));
        odds.push((fit, ln_odds));
    }
    let most = odds.iter().map(|(_, odds)| *odds).fold(f64::MIN, f64::max);
    let total: f64 = odds.iter().map(|(_, odds)| (odds - most).exp()).sum();
    odds.into_iter()
        .map(|(fit, odds)| (fit, (odds - most).exp() / total))
        .collect()
}

/// ln of the odds on the larger model, on the runs that both use; 0 without any.
fn ln_factor(smaller: &Fit<'_>, larger: &Fit<'_>) -> f64 {
    let sample = smaller.sample();
    let rows: Vec<usize> = (0..sample.len())
        .filter(|&row| smaller.used()[row] && larger.used()[row])
        .collect();
    let count = sample.distinct(&rows) as f64;
    let of = |fit: &Fit<'_>| {
        let squares = rows.iter().map(|&row| {
            let loss = sample.loss[row];
            let off = (loss - fit.fitted()[row]).powi(2) + (RESOLUTION * loss).powi(2);
            sample.weight[row] * off
        });
        let coefficients: f64 = rows.iter().map(|&row| fit.leverage()[row]).sum();
        (coefficients, squares.sum::<f64>())
    };
    if rows.is_empty() {
        return 0.0;
    }
    let ((few, loose), (many, tight)) = (of(smaller), of(larger));
    0.5 * ((count - many) * count.ln_1p() - (count - few) * (count * tight / loose).ln_1p())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::fit::fit;
    use crate::run::Run;
    use crate::sample::Sample;
    use crate::simulate::{Truth, noisy};

    const BUDGETS: [f64; 5] = [1e18, 3e18, 1e19, 3e19, 1e20];

    /// Shares of surface, parabolas and cubics.
    fn shares(runs: &[Run]) -> [f64; 3] {
        let sample = Sample::new(runs).unwrap();
        let methods = [SURFACES[1], CURVES[0], CURVES[1]];
        let fits = methods.map(|method| fit(method, &sample).unwrap());
        let worlds = worlds(&fits.each_ref());
        assert!((worlds.iter().map(|(_, share)| share).sum::<f64>() - 1.0).abs() < 1e-12);
        [0, 1, 2].map(|index| worlds[index].1)
    }

    fn plan(reach: f64) -> Vec<Run> {
        Truth::with_exponents(0.34, 0.28, 1e19, 0.9).sweep(&BUDGETS, 8, reach, 1.0, 1)
    }

    #[test]
    fn runs_on_a_surface_speak_for_it() {
        for noise in [0.0, 0.005, 0.02] {
            let [surface, ..] = shares(&noisy(&plan(4.0), noise, 5, 0));
            assert!(surface > 0.99, "{noise}: {surface}");
        }
    }

    /// Budgets moved by turns, which no surface follows, and made lopsided.
    fn bent(noise: f64, lopsided: f64) -> Vec<Run> {
        let mut runs = noisy(&plan(4.0), noise, 5, 1);
        for run in &mut runs {
            let budget = run.budget.unwrap();
            let off = (run.n / (budget / 120.0).sqrt()).ln();
            let shift = if [3e18, 3e19].contains(&budget) {
                0.05
            } else {
                0.0
            };
            run.loss += shift + lopsided * off.powi(3);
        }
        runs
    }

    #[test]
    fn budgets_moved_by_turns_speak_against_a_surface() {
        let [surface, parabolas, cubics] = shares(&bent(0.01, 0.0));
        assert!(
            surface < 0.01 && parabolas > 0.9,
            "{surface} {parabolas} {cubics}"
        );
    }

    #[test]
    fn lopsided_budgets_speak_for_cubics() {
        let [surface, parabolas, cubics] = shares(&bent(0.002, 0.03));
        assert!(cubics > 0.99, "{surface} {parabolas} {cubics}");
    }
}
