//! The two demonstration sweeps as they were measured in eager PyTorch, before
//! this code existed: character models of two layers, on a novelist's prose and
//! on the invented language `stories`.

use flops_fit_scaling::Run;

/// N and training FLOPs per token of the demonstration model: two layers, 64
/// tokens of context; N leaves out the input embedding.
pub(crate) fn model(d_model: i64, vocabulary: f64) -> (f64, f64) {
    let (d, layers, context) = (d_model as f64, 2.0, 64.0);
    let n = 12.0 * layers * d * d + vocabulary * d;
    (n, 6.0 * n + 12.0 * layers * context * d)
}

/// Tokens of one step of those sweeps.
pub(crate) const TOKENS_PER_STEP: f64 = 512.0;

/// A budget's rows: `d_model` and the losses of seeds 0, 1, …
type Rows = &'static [(i64, &'static [f64])];

/// One measured sweep.
pub(crate) struct Sweep {
    pub(crate) vocabulary: f64,
    pub(crate) budgets: &'static [(f64, Rows)],
}

impl Sweep {
    /// The runs of all seeds up to and including `largest` FLOPs.
    pub(crate) fn runs(&self, largest: f64) -> Vec<Run> {
        let mut runs = Vec::new();
        for &(budget, rows) in self.budgets.iter().filter(|(c, _)| *c <= largest) {
            for &(d_model, losses) in rows {
                let (n, flops) = model(d_model, self.vocabulary);
                let d = (budget / (flops * TOKENS_PER_STEP)).round() * TOKENS_PER_STEP;
                for (seed, &loss) in losses.iter().enumerate() {
                    runs.push(Run {
                        budget: Some(budget),
                        seed: Some(seed as u64),
                        ..Run::new(n, d, d * flops, loss)
                    });
                }
            }
        }
        runs
    }

    /// The same, of one seed.
    pub(crate) fn runs_of_seed(&self, largest: f64, seed: u64) -> Vec<Run> {
        let mut runs = self.runs(largest);
        runs.retain(|run| run.seed == Some(seed));
        runs
    }
}

pub(crate) const NOVELS: Sweep = Sweep {
    vocabulary: 82.0,
    budgets: &[
        (
            1e10,
            &[
                (8, &[2.246, 2.240]),
                (16, &[2.212, 2.216]),
                (24, &[2.377, 2.394]),
                (32, &[2.525, 2.485]),
            ],
        ),
        (
            3e10,
            &[
                (8, &[2.134, 2.153]),
                (16, &[2.011, 2.002]),
                (24, &[2.031, 2.059]),
                (32, &[2.132, 2.170]),
                (40, &[2.254, 2.311]),
            ],
        ),
        (
            1e11,
            &[
                (16, &[1.867, 1.862]),
                (24, &[1.834, 1.831]),
                (32, &[1.850, 1.829]),
                (40, &[1.903, 1.910]),
                (56, &[2.067, 2.087]),
            ],
        ),
        (
            3e11,
            &[
                (24, &[1.703, 1.696]),
                (32, &[1.665, 1.666]),
                (40, &[1.704, 1.672]),
                (56, &[1.751, 1.742]),
                (72, &[1.889, 1.866]),
            ],
        ),
    ],
};

pub(crate) const STORIES: Sweep = Sweep {
    vocabulary: 64.0,
    budgets: &[
        (
            1e10,
            &[
                (8, &[1.827, 1.842]),
                (16, &[1.816, 1.815]),
                (24, &[1.945, 1.950]),
                (32, &[2.079, 2.094]),
            ],
        ),
        (
            3e10,
            &[
                (8, &[1.740, 1.736]),
                (16, &[1.589, 1.568]),
                (24, &[1.652, 1.598]),
                (32, &[1.707, 1.697]),
                (40, &[1.895, 1.872]),
            ],
        ),
        (
            1e11,
            &[
                (16, &[1.464, 1.421]),
                (24, &[1.395, 1.343]),
                (32, &[1.364, 1.387]),
                (40, &[1.448, 1.447]),
                (56, &[1.608, 1.652]),
            ],
        ),
        (
            3e11,
            &[
                (16, &[1.316, 1.325]),
                (24, &[1.258, 1.209]),
                (32, &[1.228, 1.213]),
                (40, &[1.204, 1.220]),
                (56, &[1.289, 1.285]),
                (72, &[1.366, 1.374]),
            ],
        ),
        (
            1e12,
            &[
                (32, &[1.100]),
                (40, &[1.087]),
                (56, &[1.074]),
                (72, &[1.129]),
            ],
        ),
    ],
};
