//! Sweeps drawn from a law that is known, to see what a method makes of them.
//!
//! How often an interval holds the truth, and what a planned sweep would be worth,
//! are both answered by drawing many sweeps. A sweep's noise depends on its seed
//! and number alone, so any thread can draw it.

use serde::{Deserialize, Serialize};

use crate::frontier::{Frontier, Optimum};
use crate::random::{Purpose, Stream};
use crate::run::Run;

/// FLOPs per parameter and unit of data in simulated sweeps: C = 6·N·D (Kaplan et
/// al. 2020, arXiv 2001.08361).
pub const FLOPS: f64 = 6.0;

/// `L(N, D) = E + (A/N^α + B·g(D))^γ` with `g(D) = D^−β·(1 + D/D₀)^−δ`.
///
/// With γ = 1 and no bend it is the law of Hoffmann et al. (2022, arXiv
/// 2203.15556), Approach 3. The other two are ways in which the methods can be
/// wrong: γ couples size and data without moving the optimum; the bend δ lets data
/// count for more (δ > 0) or less from D₀ on, so that N* is no power law of C.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// E, the loss that neither size nor data removes.
    pub floor: f64,
    /// A.
    pub a: f64,
    /// α.
    pub alpha: f64,
    /// B.
    pub b: f64,
    /// β.
    pub beta: f64,
    /// γ; 1 for the usual law.
    pub coupling: f64,
    /// (D₀, δ), where data bends.
    pub bend: Option<(f64, f64)>,
}

impl Truth {
    /// The usual law.
    pub fn new(floor: f64, a: f64, alpha: f64, b: f64, beta: f64) -> Self {
        Self {
            floor,
            a,
            alpha,
            b,
            beta,
            coupling: 1.0,
            bend: None,
        }
    }

    /// The usual law with these exponents, E = 1.7, and at `c` FLOPs an optimum of
    /// 20 units a parameter and a reducible loss of `reducible`.
    pub fn with_exponents(alpha: f64, beta: f64, c: f64, reducible: f64) -> Self {
        let n = (c / (20.0 * FLOPS)).sqrt();
        let d = 20.0 * n;
        // At the optimum α·A/N^α = β·B/D^β.
        let from_n = reducible * beta / (alpha + beta);
        Self::new(
            1.7,
            from_n * n.powf(alpha),
            alpha,
            (reducible - from_n) * d.powf(beta),
            beta,
        )
    }

    /// The loss at `n` parameters and `d` units, without noise.
    pub fn loss(&self, n: f64, d: f64) -> f64 {
        let bent = self
            .bend
            .map_or(1.0, |(from, slope)| (1.0 + d / from).powf(-slope));
        let reducible = self.a * n.powf(-self.alpha) + self.b * d.powf(-self.beta) * bent;
        self.floor + reducible.powf(self.coupling)
    }

    /// The loss at `n` parameters and `d` units with normal noise of standard deviation
    /// `noise`: that of run `number` of those that `seed` makes. A loss that would not
    /// be positive is kept just above zero.
    pub fn noisy_loss(&self, n: f64, d: f64, noise: f64, seed: u64, number: u64) -> f64 {
        let mut stream = Stream::new(seed, Purpose::Simulation, number);
        add_noise(self.loss(n, d), noise, &mut stream)
    }

    /// The runs of a sweep without noise: at each budget `sizes` values of N in even
    /// steps of ln N, from a `reach`-th to `reach` times `off_center · N*`, each with
    /// `seeds` seeds.
    pub fn sweep(
        &self,
        budgets: &[f64],
        sizes: usize,
        reach: f64,
        off_center: f64,
        seeds: u64,
    ) -> Vec<Run> {
        let mut runs = Vec::new();
        for &budget in budgets {
            let center = self.optimum(budget).n * off_center;
            for size in 0..sizes {
                let step = 2.0 * size as f64 / (sizes - 1).max(1) as f64 - 1.0;
                let n = center * reach.powf(step);
                let d = budget / (FLOPS * n);
                runs.extend((0..seeds).map(|seed| Run {
                    budget: Some(budget),
                    seed: Some(seed),
                    ..Run::new(n, d, budget, self.loss(n, d))
                }));
            }
        }
        runs
    }
}

impl Frontier for Truth {
    /// The optimum along C = 6·N·D, by golden section in ln N.
    fn optimum(&self, c: f64) -> Optimum {
        let loss = |ln_n: f64| self.loss(ln_n.exp(), (c.ln() - FLOPS.ln() - ln_n).exp());
        let golden = (5_f64.sqrt() - 1.0) / 2.0;
        let (mut low, mut high) = (0.0, (c / FLOPS).ln());
        let (mut x, mut y) = (high - golden * (high - low), low + golden * (high - low));
        let (mut at_x, mut at_y) = (loss(x), loss(y));
        while high - low > 1e-7 {
            if at_x < at_y {
                (high, y, at_y) = (y, x, at_x);
                x = high - golden * (high - low);
                at_x = loss(x);
            } else {
                (low, x, at_x) = (x, y, at_y);
                y = low + golden * (high - low);
                at_y = loss(y);
            }
        }
        let n = f64::midpoint(low, high).exp();
        let d = c / (FLOPS * n);
        Optimum {
            c,
            n,
            d,
            loss: self.loss(n, d),
        }
    }
}

/// The runs of `plan` with independent normal noise of standard deviation `noise`
/// added to their losses: sweep number `number` of those that `seed` makes. A loss
/// that would not be positive is kept just above zero.
pub fn noisy(plan: &[Run], noise: f64, seed: u64, number: u64) -> Vec<Run> {
    let mut stream = Stream::new(seed, Purpose::Simulation, number);
    plan.iter()
        .map(|run| Run {
            loss: add_noise(run.loss, noise, &mut stream),
            ..run.clone()
        })
        .collect()
}

fn add_noise(loss: f64, noise: f64, stream: &mut Stream) -> f64 {
    (loss + noise * stream.normal()).max(loss * 1e-3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_optimum_is_the_closed_form() {
        let truth = Truth::new(1.69, 406.4, 0.34, 410.7, 0.28);
        let Truth {
            a, alpha, b, beta, ..
        } = truth;
        for c in [1e15_f64, 1e20, 1e25] {
            let g = (alpha * a / (beta * b)).powf(1.0 / (alpha + beta));
            let n = g * (c / 6.0).powf(beta / (alpha + beta));
            let found = truth.optimum(c);
            assert!((found.n / n - 1.0).abs() < 1e-5, "{found:?} {n}");
            assert!((6.0 * found.n * found.d / c - 1.0).abs() < 1e-12);
            let coupled = Truth {
                coupling: 1.4,
                ..truth
            };
            assert!((coupled.optimum(c).n / n - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn a_bend_moves_the_exponent() {
        let truth = Truth {
            bend: Some((1e10, 0.2)),
            ..Truth::with_exponents(0.35, 0.35, 1e20, 1.0)
        };
        let slope = |c: f64| (truth.optimum(1.1 * c).n / truth.optimum(c).n).ln() / 1.1_f64.ln();
        assert!((slope(1e12) - 0.5).abs() < 0.02, "{}", slope(1e12));
        assert!((slope(1e26) - 0.55 / 0.9).abs() < 0.02, "{}", slope(1e26));
    }

    #[test]
    fn sweeps_are_repeatable_and_unlike() {
        let plan = Truth::with_exponents(0.3, 0.4, 1e20, 1.0).sweep(&[1e19, 1e20], 5, 4.0, 1.0, 2);
        assert_eq!(plan.len(), 20);
        assert_eq!(noisy(&plan, 0.01, 1, 5), noisy(&plan, 0.01, 1, 5));
        assert_ne!(noisy(&plan, 0.01, 1, 5), noisy(&plan, 0.01, 1, 6));
        let squares: f64 = (0..500)
            .flat_map(|number| noisy(&plan, 0.01, 2, number))
            .zip(plan.iter().cycle())
            .map(|(run, exact)| (run.loss - exact.loss).powi(2))
            .sum();
        assert!(((squares / 10_000.0).sqrt() / 0.01 - 1.0).abs() < 0.05);
    }
}
