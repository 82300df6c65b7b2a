//! Held-out loss against the learning rate, at one size.

use flops_fit_scaling::learning_rate::{self, End, Tried, lowest, open_end};
use serde::Serialize;

/// One size at several rates.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curve {
    /// Value of the size parameter.
    pub size: i64,
    /// Parameters N.
    pub n: f64,
    /// The rates, ascending.
    pub rates: Vec<Rate>,
    /// The best rate; absent where the lowest loss stands at an end of them.
    pub best: Option<Best>,
    /// How much higher the loss at `train.lr` is than at the best rate; absent where one
    /// of the two is not known.
    pub lost: Option<f64>,
}

/// One rate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rate {
    /// The peak rate η.
    pub lr: f64,
    /// Held-out loss of each seed; absent where it diverged.
    pub losses: Vec<Option<f64>>,
}

/// Where a curve is lowest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Best {
    /// The rate: the vertex of the parabola in ln η through the lowest point and its
    /// two neighbours, of the means over seeds.
    pub lr: f64,
    /// The same of each seed alone, the lowest and the highest.
    pub between: [f64; 2],
    /// The loss there.
    pub loss: f64,
}

impl Rate {
    /// The mean over seeds; absent where one of them diverged.
    pub fn loss(&self) -> Option<f64> {
        let losses: Option<Vec<f64>> = self.losses.iter().copied().collect();
        let losses = losses.filter(|losses| !losses.is_empty())?;
        Some(losses.iter().sum::<f64>() / losses.len() as f64)
    }
}

impl Curve {
    /// Of `rates`, which ascend; `lr` is the rate of the sweep.
    pub(super) fn new(size: i64, n: f64, rates: Vec<Rate>, lr: f64) -> Self {
        let mut curve = Self {
            size,
            n,
            rates,
            best: None,
            lost: None,
        };
        curve.best = curve.best();
        let at_sweeps = curve
            .rates
            .iter()
            .find(|rate| rate.lr.total_cmp(&lr).is_eq());
        curve.lost = at_sweeps
            .and_then(Rate::loss)
            .zip(curve.best)
            .map(|(loss, best)| loss - best.loss);
        curve
    }

    /// At which end rates have to be added before there is a minimum between them.
    pub(super) fn open_end(&self) -> Option<End> {
        open_end(&self.means())
    }

    fn means(&self) -> Vec<Tried> {
        let tried = |rate: &Rate| Tried {
            lr: rate.lr,
            loss: rate.loss(),
        };
        self.rates.iter().map(tried).collect()
    }

    fn best(&self) -> Option<Best> {
        let learning_rate::Best { lr, loss } = learning_rate::best(&self.means())?;
        let seeds = self.rates.first().map_or(0, |rate| rate.losses.len());
        let mut between = [lr, lr];
        for seed in 0..seeds {
            let tried = |rate: &Rate| Tried {
                lr: rate.lr,
                loss: rate.losses[seed],
            };
            let own: Vec<Tried> = self.rates.iter().map(tried).collect();
            let at = match learning_rate::best(&own) {
                Some(best) => best.lr,
                None => own[lowest(&own)?].lr,
            };
            between = [between[0].min(at), between[1].max(at)];
        }
        Some(Best { lr, between, loss })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(rates: &[(f64, &[Option<f64>])]) -> Curve {
        let rates = rates.iter().map(|(lr, losses)| Rate {
            lr: *lr,
            losses: losses.to_vec(),
        });
        Curve::new(8, 100.0, rates.collect(), 1.0)
    }

    /// Exactly a parabola in ln η.
    fn parabola(lr: f64, best: f64) -> f64 {
        2.0 + 0.1 * (lr / best).ln().powi(2)
    }

    #[test]
    fn the_vertex_of_a_parabola_is_found_exactly() {
        for best in [0.5, 0.8, 1.3] {
            let rates = [0.25, 0.5, 1.0, 2.0, 4.0];
            let losses = rates.map(|lr| [best, 1.1 * best].map(|best| Some(parabola(lr, best))));
            let losses = losses.iter().map(|losses| &losses[..]);
            let found = curve(&rates.into_iter().zip(losses).collect::<Vec<_>>());
            assert_eq!(found.open_end(), None);
            let mean = best * 1.1_f64.sqrt();
            let at = found.best.expect("a minimum");
            assert!((at.lr / mean - 1.0).abs() < 1e-9, "{at:?}");
            assert!((at.between[0] / best - 1.0).abs() < 1e-9, "{at:?}");
            assert!((at.between[1] / (1.1 * best) - 1.0).abs() < 1e-9, "{at:?}");
            let lost = 0.1 * mean.ln().powi(2);
            assert!((found.lost.expect("known") - lost).abs() < 1e-9);
        }
    }

    #[test]
    fn a_minimum_at_an_end_asks_for_more_rates() {
        let falls = curve(&[(1.0, &[Some(3.0)]), (2.0, &[Some(2.0)])]);
        assert_eq!((falls.open_end(), falls.best), (Some(End::High), None));
        let rises = curve(&[(1.0, &[Some(2.0)]), (2.0, &[Some(3.0)])]);
        assert_eq!((rises.open_end(), rises.best), (Some(End::Low), None));
        let nothing = curve(&[(1.0, &[None]), (2.0, &[None])]);
        assert_eq!((nothing.open_end(), nothing.best), (Some(End::Low), None));
    }

    #[test]
    fn a_rate_at_which_a_seed_diverges_bounds_the_best_one() {
        let seeds: [&[Option<f64>]; 3] = [
            &[Some(2.5), Some(2.5)],
            &[Some(2.0), Some(2.2)],
            &[Some(1.9), None],
        ];
        let found = curve(&[(0.5, seeds[0]), (1.0, seeds[1]), (2.0, seeds[2])]);
        let best = found.best.expect("a minimum");
        assert!((best.lr - 1.0).abs() < 1e-12 && (best.loss - 2.1).abs() < 1e-12);
        // The first seed alone is best at the highest rate.
        assert!((best.between[1] - 2.0).abs() < 1e-12, "{best:?}");
    }
}
