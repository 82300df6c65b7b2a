//! Sweeps drawn from laws of the form L = E + A/N^α + B/D^β, which Chinchilla's
//! and every later fit have, laid out by the grid as a user's would be.

use flops_fit_scaling::batch::Batch;
use flops_fit_scaling::grid::{Budgets, MIN_STEPS, Spread};
use flops_fit_scaling::{Candidate, GridSpec, Layout, Run, plan};

use crate::sweeps::{TOKENS_PER_STEP, model};

/// splitmix64: seeded, and the same on every machine.
pub(crate) struct Draws(pub(crate) u64);

impl Draws {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Standard normal, by Box and Muller.
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform(f64::MIN_POSITIVE, 1.0).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform(0.0, 1.0)).cos()
    }
}

/// A true law.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Truth {
    floor: f64,
    a: f64,
    alpha: f64,
    b: f64,
    beta: f64,
}

impl Truth {
    /// A law as small language models have them: exponents of 0.25 to 0.5, at
    /// 3e10 FLOPs a reducible loss of 0.6 to 1.5 above a floor of 0.2 to 2, and an
    /// optimum there within a factor 2.5 of √(C/120).
    pub(crate) fn draw(draws: &mut Draws) -> Self {
        let (alpha, beta) = (draws.uniform(0.25, 0.5), draws.uniform(0.25, 0.5));
        let c: f64 = 3e10;
        let n = (c / 120.0).sqrt() * draws.uniform(-2.5_f64.ln(), 2.5_f64.ln()).exp();
        let d = c / (6.0 * n);
        let reducible = draws.uniform(0.6, 1.5);
        // At the optimum α·A/N^α = β·B/D^β.
        let from_n = reducible * beta / (alpha + beta);
        Self {
            floor: draws.uniform(0.2, 2.0),
            a: from_n * n.powf(alpha),
            alpha,
            b: (reducible - from_n) * d.powf(beta),
            beta,
        }
    }

    pub(crate) fn loss(&self, n: f64, d: f64) -> f64 {
        self.floor + self.a * n.powf(-self.alpha) + self.b * d.powf(-self.beta)
    }

    /// (N*, L*) at a budget, over all widths, whole or not, by golden section.
    pub(crate) fn optimum(&self, c: f64) -> (f64, f64) {
        let at = |ln_width: f64| {
            let width = ln_width.exp();
            let n = 24.0 * width * width + 64.0 * width;
            let flops = 6.0 * n + 1536.0 * width;
            (n, self.loss(n, c / flops))
        };
        let (mut low, mut high) = (0.1_f64.ln(), 1e5_f64.ln());
        let golden = 0.5 * (5_f64.sqrt() - 1.0);
        while high - low > 1e-9 {
            let (x, y) = (high - golden * (high - low), low + golden * (high - low));
            if at(x).1 < at(y).1 {
                high = y;
            } else {
                low = x;
            }
        }
        at(low)
    }

    /// The runs of a sweep over `budgets`, by the default grid rule.
    pub(crate) fn sweep(
        &self,
        budgets: &[f64],
        seeds: u64,
        noise: f64,
        draws: &mut Draws,
    ) -> Vec<Run> {
        let candidates: Vec<Candidate> = (1..=64)
            .map(|i| {
                let (n, flops_per_unit) = model(8 * i, 64.0);
                Candidate::Accepted {
                    size: 8 * i,
                    n,
                    flops_per_unit,
                }
            })
            .collect();
        let spec = GridSpec {
            layout: Layout::Around {
                budgets: Budgets::List(budgets.to_vec()),
                spread: Spread::default(),
            },
            batch: Batch::constant(TOKENS_PER_STEP as u64),
            min_steps: MIN_STEPS,
        };
        let grid = plan(&spec, &candidates).expect("a valid grid");
        let mut runs = Vec::new();
        for budget in &grid.budgets {
            for trial in &budget.trials {
                for seed in 0..seeds {
                    let loss = self.loss(trial.n, trial.d) + noise * draws.normal();
                    runs.push(Run {
                        budget: Some(budget.budget),
                        seed: Some(seed),
                        ..Run::new(trial.n, trial.d, trial.c, loss)
                    });
                }
            }
        }
        runs
    }
}
