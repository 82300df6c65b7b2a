//! The loss beside the optimum: what a law says about sizes that are not the best.
//!
//! A surface knows the loss of every size at every compute. Power laws through
//! `IsoFLOP` minima know the valley near its floor, as a parabola in ln N whose bend
//! comes from the budgets' curves. Power laws through an envelope know no loss but
//! the best one.

use crate::frontier::{Frontier, Law};

/// Largest ratio of computes within which a size is still looked for on a parabola.
const REACH: f64 = 1e4;
/// Steps in ln C of that search.
const STEP: f64 = 0.05;
/// Halvings that take any bracket down to the resolution of its numbers.
const HALVINGS: usize = 80;

impl Law {
    /// The loss of a model of `n` parameters trained with `c` FLOPs; `None` where
    /// the law knows its optima alone.
    pub fn loss_at(&self, n: f64, c: f64) -> Option<f64> {
        match self {
            Self::Isoflop(law) => law.loss_at(n.ln(), c.ln()),
            Self::Surface(law) => {
                let ln_d = law.flops.ln_d(c.ln(), n.ln());
                Some(law.surface.loss_at(n.ln(), ln_d))
            }
            Self::Envelope(_) => None,
        }
    }

    /// FLOPs with which a model of `n` parameters reaches the loss that the best
    /// model reaches with `c`; at least `c`, within rounding. `None` where no
    /// compute is enough, or the law knows its optima alone.
    ///
    /// On a surface `D = (B / (L* − E − A/N^α))^(1/β)`, times the FLOPs per unit.
    /// On a parabola the answer is searched for up to 10⁴ times `c`.
    pub fn compute_for(&self, n: f64, c: f64) -> Option<f64> {
        let best = self.optimum(c).loss;
        match self {
            Self::Surface(law) => {
                let surface = &law.surface;
                let from_n = (surface.ln_a - surface.alpha * n.ln()).exp();
                let from_d = best - surface.floor - from_n;
                let ln_d = (surface.ln_b - from_d.ln()) / surface.beta;
                let c = (ln_d + law.flops.at(n.ln()).0).exp();
                (from_d > 0.0 && c.is_finite()).then_some(c)
            }
            Self::Isoflop(law) => {
                let above = |ln_c: f64| law.loss_at(n.ln(), ln_c).map(|loss| loss - best);
                let (mut low, last) = (c.ln(), c.ln() + REACH.ln());
                while low < last {
                    let high = low + STEP;
                    if above(high)? <= 0.0 {
                        let root = bisect(low, high, |ln_c| {
                            above(ln_c).is_none_or(|above| above > 0.0)
                        });
                        return Some(root.exp());
                    }
                    low = high;
                }
                None
            }
            Self::Envelope(_) => None,
        }
    }
}

/// Where `is_before` turns from true, as it is at `low`, to false, as it is at `high`.
pub(crate) fn bisect(mut low: f64, mut high: f64, is_before: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if is_before(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::simulate::Truth;
    use crate::{Method, Sample, fit};

    /// The laws of noiseless sweeps: the surface is the truth, the parabolas are
    /// through its own losses.
    fn check(alpha: f64, beta: f64, method: Method, tolerance: f64) {
        let truth = Truth::with_exponents(alpha, beta, 1e20, 0.9);
        let budgets = [1e18, 1e19, 1e20, 1e21];
        let sample = Sample::new(&truth.sweep(&budgets, 9, 2.0, 1.0, 1)).unwrap();
        let fitted = fit(method, &sample).unwrap();
        let law = fitted.law();
        for c in [1e19_f64, 3e21] {
            let best = truth.optimum(c);
            for factor in [0.6, 0.9, 1.0, 1.2, 1.7] {
                let n = factor * best.n;
                let excess = truth.loss(n, c / (6.0 * n)) - best.loss;
                let found = law.loss_at(n, c).unwrap() - law.optimum(c).loss;
                assert!(
                    (found - excess).abs() < tolerance * excess.max(0.002),
                    "{method} at {factor}: {found} for {excess}"
                );
                let needed = law.compute_for(n, c).unwrap();
                let reached = law.loss_at(n, needed).unwrap();
                assert!((reached / law.optimum(c).loss - 1.0).abs() < 1e-9);
                assert!(needed > c * (1.0 - 1e-9));
            }
        }
    }

    #[test]
    fn a_surface_knows_its_valley() {
        check(0.34, 0.28, Method::ParametricMse, 1e-3);
    }

    #[test]
    fn parabolas_know_the_floor_of_the_valley() {
        check(0.35, 0.35, Method::IsoflopParabola, 0.15);
        check(0.34, 0.28, Method::IsoflopCubic, 0.15);
    }

    #[test]
    fn a_size_that_is_too_small_never_gets_there() {
        let truth = Truth::with_exponents(0.34, 0.28, 1e20, 0.9);
        let sample = Sample::new(&truth.sweep(&[1e18, 1e19, 1e20], 7, 4.0, 1.0, 1)).unwrap();
        let fitted = fit(Method::ParametricMse, &sample).unwrap();
        let n = truth.optimum(1e20).n;
        assert_eq!(fitted.law().compute_for(n / 1000.0, 1e20), None);
        assert!(fitted.law().compute_for(n * 1000.0, 1e20).unwrap() > 1e22);
    }
}
