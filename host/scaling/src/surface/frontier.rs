//! The compute-optimal frontier of a surface.
//!
//! Along a budget the loss is E + A/N^α + B/D^β with D = C / φ(N), φ the FLOPs
//! per unit. At its minimum `αA·N^−α = βB·D^−β·(d ln φ / d ln N)`. With φ = k·N
//! that solves in closed form, `N* = G·(C/k)^(β/(α+β))` with
//! `G = (αA/βB)^(1/(α+β))` (Hoffmann et al. 2022, eq. 4); otherwise N* is the root
//! of the logarithm of that equation.

use std::sync::Arc;

use crate::flops::FlopsPerUnit;
use crate::frontier::{Frontier, Optimum};

use super::Surface;

/// A surface with the FLOPs that its models cost.
#[derive(Debug, Clone)]
pub struct SurfaceLaw {
    pub(crate) surface: Surface,
    pub(crate) flops: Arc<FlopsPerUnit>,
    decays: Option<[f64; 2]>,
}

impl SurfaceLaw {
    pub(crate) fn new(surface: Surface, flops: Arc<FlopsPerUnit>) -> Self {
        Self {
            surface,
            flops,
            decays: None,
        }
    }

    /// The same as the law of fresh data where repeats lose their worth at these rates.
    pub(crate) fn repeating(self, decays: [f64; 2]) -> Self {
        Self {
            decays: Some(decays),
            ..self
        }
    }

    /// ln R_D and ln R_N of a data-constrained law.
    pub(crate) fn decays(&self) -> Option<[f64; 2]> {
        self.decays
    }

    /// The surface.
    pub fn surface(&self) -> &Surface {
        &self.surface
    }
}

impl Frontier for SurfaceLaw {
    fn optimum(&self, c: f64) -> Optimum {
        let ln_n = match &*self.flops {
            FlopsPerUnit::Proportional { ln_k } => self.surface.ln_n_closed(c.ln(), *ln_k),
            flops @ FlopsPerUnit::Interpolated(_) => self.surface.ln_n_numeric(c.ln(), flops),
        };
        let ln_d = self.flops.ln_d(c.ln(), ln_n);
        Optimum {
            c,
            n: ln_n.exp(),
            d: ln_d.exp(),
            loss: self.surface.loss_at(ln_n, ln_d),
        }
    }
}

impl Surface {
    /// ln N* where the FLOPs per unit are k·N.
    pub(crate) fn ln_n_closed(&self, ln_c: f64, ln_k: f64) -> f64 {
        let ln_ratio = (self.alpha / self.beta).ln() + self.ln_a - self.ln_b;
        (ln_ratio + self.beta * (ln_c - ln_k)) / (self.alpha + self.beta)
    }

    /// ln N* for any count of FLOPs, by bisection and regula falsi (ITP).
    pub(crate) fn ln_n_numeric(&self, ln_c: f64, flops: &FlopsPerUnit) -> f64 {
        // Positive while a larger model would lower the loss.
        let pull = |ln_n: f64| {
            let (ln_flops, slope) = flops.at(ln_n);
            (self.alpha / self.beta).ln() + self.ln_a - self.ln_b - self.alpha * ln_n
                + self.beta * (ln_c - ln_flops)
                - slope.max(1e-6).ln()
        };
        let around = |ln_n: f64| self.ln_n_closed(ln_c, flops.at(ln_n).0 - ln_n);
        let middle = around(around(0.5 * ln_c));
        let (mut low, mut high) = (middle, middle);
        let mut reach = 1.0;
        while pull(low) < 0.0 && reach < 1e4 {
            low -= reach;
            reach *= 2.0;
        }
        reach = 1.0;
        while pull(high) > 0.0 && reach < 1e4 {
            high += reach;
            reach *= 2.0;
        }
        let (mut at_low, mut at_high) = (pull(low), pull(high));
        for round in 0..100 {
            if high - low <= 1e-13 * high.abs().max(1.0) || at_low <= at_high {
                break;
            }
            let chord = low + (high - low) * at_low / (at_low - at_high);
            // Every third step halves, so that a bent curve can't stall the chord.
            let next = if round % 3 == 2 || !(low < chord && chord < high) {
                f64::midpoint(low, high)
            } else {
                chord
            };
            let value = pull(next);
            if value > 0.0 {
                (low, at_low) = (next, value);
            } else {
                (high, at_high) = (next, value);
            }
            if value == 0.0 {
                return next;
            }
        }
        f64::midpoint(low, high)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn surface(alpha: f64, beta: f64, ln_a: f64, ln_b: f64) -> Surface {
        Surface {
            floor: 1.7,
            ln_a,
            ln_b,
            alpha,
            beta,
        }
    }

    proptest! {
        #[test]
        fn the_closed_form_is_the_numerical_minimum(
            alpha in 0.05..1.2, beta in 0.05..1.2, ln_a in 0.0..10.0, ln_b in 0.0..10.0,
            ln_c in 20.0..70.0, ln_k in -1.0..3.0,
        ) {
            // Without E, beside which the terms can be too small to compare.
            let surface = Surface { floor: 0.0, ..surface(alpha, beta, ln_a, ln_b) };
            let closed = surface.ln_n_closed(ln_c, ln_k);
            let flops = FlopsPerUnit::Proportional { ln_k };
            let numeric = surface.ln_n_numeric(ln_c, &flops);
            prop_assert!((closed - numeric).abs() < 1e-9, "{closed} {numeric}");
            let loss = |ln_n: f64| surface.loss_at(ln_n, flops.ln_d(ln_c, ln_n));
            for step in [-0.01, 0.01] {
                prop_assert!(loss(closed) <= loss(closed + step) * (1.0 + 4.0 * f64::EPSILON));
            }
        }
    }

    #[test]
    fn attention_and_embeddings_move_the_optimum() {
        let surface = surface(0.34, 0.36, 6.0, 8.0);
        let count = |ln_n: f64| (6.0 * ln_n.exp() + 3e4 * (ln_n / 2.0).exp()).ln();
        let pairs = (0..24)
            .map(|i| 12.0 + 0.5 * f64::from(i))
            .map(|x| (x, count(x)));
        let flops = FlopsPerUnit::of(pairs.collect());
        for ln_c in [40.0, 44.0, 48.0] {
            let found = surface.ln_n_numeric(ln_c, &flops);
            let loss = |ln_n: f64| surface.loss_at(ln_n, flops.ln_d(ln_c, ln_n));
            let best = (0..4000)
                .map(|i| 12.0 + 0.003 * f64::from(i))
                .min_by(|a, b| loss(*a).total_cmp(&loss(*b)))
                .expect("a range");
            assert!((found - best).abs() < 0.004, "{found} {best}");
        }
    }
}
