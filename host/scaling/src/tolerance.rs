//! How far N may be off its optimum before it matters.
//!
//! Valleys are flat: around N* there is a range of sizes that reach L*(C) with no
//! more than a little extra compute, and a single number hides it. Near the floor of
//! a surface's valley the range is `ln N* ± √(2·ln(1 + ε)/(α + β))` for a share ε of
//! extra compute, whatever C is: the bend of the loss by ln N is α·β·(L* − E), the
//! slope of L* by ln C −α·β/(α + β)·(L* − E).

use serde::{Deserialize, Serialize};

use crate::frontier::{Frontier, Law};
use crate::valley::bisect;

/// Extra compute that hardly matters: one per cent.
pub const EXTRA: f64 = 0.01;

/// First step in ln N away from the optimum; it doubles until it is outside.
const FIRST_STEP: f64 = 0.02;
/// Steps at most: a side that is not left by then has no end.
const STEPS: usize = 16;

/// Sizes that reach the optimal loss with little more compute.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tolerance {
    /// FLOPs at which the best size reaches that loss.
    pub c: f64,
    /// Extra compute, as a share of `c`.
    pub extra: f64,
    /// Smallest N that gets by with it.
    pub low: f64,
    /// Largest N.
    pub high: f64,
}

/// The range of N around the optimum at `c` FLOPs that needs at most `1 + extra`
/// times the compute for the same loss; `extra` is above 0. `None` where the law
/// knows its optima alone, or the valley has no sides.
///
/// On a surface the range is exact. On `IsoFLOP` laws it is that of a parabola.
pub fn tolerance(law: &Law, c: f64, extra: f64) -> Option<Tolerance> {
    let enough = c * (1.0 + extra);
    let best = law.optimum(c).loss;
    let ln_n = law.optimum(enough).n.ln();
    let inside = |ln_n: f64| {
        law.loss_at(ln_n.exp(), enough)
            .is_some_and(|loss| loss <= best)
    };
    let side = |sign: f64| {
        let mut near = 0.0;
        for doublings in 0..STEPS {
            let far = FIRST_STEP * f64::from(1_u32 << doublings);
            if !inside(ln_n + sign * far) {
                let off = bisect(near, far, |off| inside(ln_n + sign * off));
                return Some((ln_n + sign * off).exp());
            }
            near = far;
        }
        None
    };
    if !inside(ln_n) {
        return None;
    }
    Some(Tolerance {
        c,
        extra,
        low: side(-1.0)?,
        high: side(1.0)?,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::run::Run;
    use crate::simulate::{FLOPS, Truth, noisy};
    use crate::{Method, Sample, fit};

    const BUDGETS: [f64; 4] = [1e18, 1e19, 1e20, 1e21];

    fn sweep(truth: &Truth, reach: f64) -> Vec<Run> {
        truth.sweep(&BUDGETS, 9, reach, 1.0, 1)
    }

    fn of(method: Method, runs: &[Run], c: f64, extra: f64) -> Tolerance {
        let sample = Sample::new(runs).unwrap();
        let fitted = fit(method, &sample).unwrap();
        tolerance(fitted.law(), c, extra).unwrap()
    }

    /// The compute that a size needs for a loss, by bisection in D.
    fn needed(truth: &Truth, n: f64, loss: f64) -> f64 {
        let ln_d = bisect(0.0, 100.0, |ln_d| truth.loss(n, ln_d.exp()) > loss);
        FLOPS * n * ln_d.exp()
    }

    #[test]
    fn the_ends_of_a_surface_cost_exactly_that_much_more() {
        let truth = Truth::with_exponents(0.34, 0.28, 1e20, 0.9);
        for (c, extra) in [(1e19, 0.01), (1e23, 0.01), (1e20, 0.3)] {
            let found = of(Method::ParametricMse, &sweep(&truth, 4.0), c, extra);
            let best = truth.optimum(c);
            assert!(found.low < best.n && best.n < found.high);
            for n in [found.low, found.high] {
                let more = needed(&truth, n, best.loss) / c - 1.0;
                assert!(
                    (more / extra - 1.0).abs() < 1e-3,
                    "{c:e}: {more} for {extra}"
                );
            }
        }
    }

    #[test]
    fn a_little_more_compute_gives_the_closed_form_at_any_budget() {
        let truth = Truth::with_exponents(0.3, 0.4, 1e20, 0.9);
        let expected = (2.0 * 1.0001_f64.ln() / 0.7).sqrt();
        for c in [1e18, 1e22] {
            let found = of(Method::ParametricMse, &sweep(&truth, 4.0), c, 1e-4);
            let half = (found.high / found.low).ln() / 2.0;
            assert!(
                (half / expected - 1.0).abs() < 0.01,
                "{half} for {expected}"
            );
        }
    }

    #[test]
    fn isoflop_curves_give_the_surfaces_range() {
        let truth = Truth::with_exponents(0.35, 0.35, 1e20, 0.9);
        let expected = of(Method::ParametricMse, &sweep(&truth, 2.0), 1e22, EXTRA);
        for method in [Method::IsoflopParabola, Method::IsoflopCubic] {
            let found = of(method, &sweep(&truth, 2.0), 1e22, EXTRA);
            for (found, expected) in [(found.low, expected.low), (found.high, expected.high)] {
                assert!(
                    (found / expected).ln().abs() < 0.02,
                    "{found} for {expected}"
                );
            }
        }
    }

    #[test]
    fn noise_moves_a_range_little() {
        let truth = Truth::with_exponents(0.35, 0.35, 1e20, 0.9);
        let runs = noisy(&sweep(&truth, 4.0), 0.005, 3, 0);
        let found = of(Method::IsoflopParabola, &runs, 1e21, EXTRA);
        let width = (found.high / found.low).ln() / 2.0;
        let expected = (2.0 * (1.0 + EXTRA).ln() / 0.7).sqrt();
        assert!(
            (width / expected - 1.0).abs() < 0.25,
            "{width} for {expected}"
        );
    }
}
