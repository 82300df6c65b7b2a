//! The cost of being wrong: extra compute when one method's size is trained and
//! another method's law holds.
//!
//! Methods disagree about N*, and often that costs nothing, because valleys are
//! flat. So the disagreement is told in FLOPs: with the size that one method asks
//! for, how much more compute reaches the loss that the best size would have
//! reached? Given a price, it is told in money.

mod price;

use serde::{Deserialize, Serialize};

pub use price::{Price, PriceError};

use crate::frontier::{Frontier, Law};
use crate::method::Method;

/// One method's size under another method's law.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detour {
    /// The method whose law holds.
    pub truth: Method,
    /// The method whose size is trained; absent for the recommendation's.
    pub followed: Option<Method>,
    /// FLOPs that the best size needs.
    pub c: f64,
    /// The size that is trained, N.
    pub n: f64,
    /// The best size, N.
    pub best: f64,
    /// FLOPs beyond `c` for the same loss; absent where no compute is enough.
    pub extra: Option<f64>,
    /// The same as a share of `c`.
    pub share: Option<f64>,
    /// The same in money, where a price is known.
    pub money: Option<f64>,
}

/// What it costs at `c` FLOPs to train each of `sizes` (N, with the method that asks
/// for it; none for the recommendation) while the law of each other method holds. A
/// law that knows its optima alone is followed, but not believed.
pub fn detours(
    laws: &[(Method, &Law)],
    sizes: &[(Option<Method>, f64)],
    c: f64,
    price: Option<&Price>,
) -> Vec<Detour> {
    let mut detours = Vec::new();
    for &(truth, law) in laws {
        let best = law.optimum(c).n;
        if law.loss_at(best, c).is_none() {
            continue;
        }
        for &(followed, n) in sizes.iter().filter(|(who, _)| *who != Some(truth)) {
            let extra = law.compute_for(n, c).map(|needed| (needed - c).max(0.0));
            detours.push(Detour {
                truth,
                followed,
                c,
                n,
                best,
                extra,
                share: extra.map(|extra| extra / c),
                money: extra.zip(price).map(|(extra, price)| price.of(extra)),
            });
        }
    }
    detours
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::flops::FlopsPerUnit;
    use crate::surface::{Surface, SurfaceLaw};

    fn law(ln_a: f64, alpha: f64, beta: f64) -> Law {
        let surface = Surface {
            floor: 1.7,
            ln_a,
            ln_b: 7.0,
            alpha,
            beta,
        };
        let flops = FlopsPerUnit::Proportional { ln_k: 6_f64.ln() };
        Law::Surface(SurfaceLaw::new(surface, Arc::new(flops)))
    }

    /// With α = β the loss at N*·e^x is E + R·cosh(αx), and D can make up for it:
    /// with N fixed, R = ½R·e^−αx + ½R·(D*/D)^α gives D = D*·(2 − e^−αx)^(−1/α).
    #[test]
    fn the_closed_form_of_equal_exponents() {
        let (alpha, off) = (0.35, 0.4);
        // N* of the other law is e^off times as large: G grows with A^(1/(α + β)).
        let (one, other) = (
            law(6.0, alpha, alpha),
            law(6.0 + 2.0 * alpha * off, alpha, alpha),
        );
        let laws = [
            (Method::ParametricHuber, &one),
            (Method::ParametricLad, &other),
        ];
        let price: Price = "2.5 EUR per 1e18".parse().unwrap();
        let sizes = laws.map(|(method, law)| (Some(method), law.optimum(1e22).n));
        let found = detours(&laws, &sizes, 1e22, Some(&price));
        assert_eq!(found.len(), 2);
        for (detour, off) in found.iter().zip([off, -off]) {
            assert_ne!(Some(detour.truth), detour.followed);
            assert!(((detour.n / detour.best).ln() - off).abs() < 1e-9);
            let more = off.exp() * (2.0 - (-alpha * off).exp()).powf(-1.0 / alpha) - 1.0;
            assert!(
                (detour.share.unwrap() / more - 1.0).abs() < 1e-9,
                "{detour:?} {more}"
            );
            assert!((detour.extra.unwrap() / (1e22 * more) - 1.0).abs() < 1e-9);
            assert!((detour.money.unwrap() / (2.5e4 * more) - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn the_size_of_an_agreeing_method_costs_nothing() {
        let (one, same) = (law(6.0, 0.34, 0.28), law(6.0, 0.34, 0.28));
        let laws = [
            (Method::ParametricHuber, &one),
            (Method::ParametricMse, &same),
        ];
        let found = detours(&laws, &[(None, same.optimum(1e22).n)], 1e22, None);
        assert_eq!(found.len(), 2);
        for detour in found {
            assert!(detour.share.unwrap() < 1e-9 && detour.money.is_none());
        }
    }
}
