//! The demonstration sweep as rows, with the losses that were measured once: two
//! seeds of a character model on novels.

use super::analysis::{Analysis, Subject};
use super::runs::{Row, Status};

const VOCABULARY: f64 = 82.0;
const WINDOW: f64 = 64.0;
const LAYERS: f64 = 2.0;

/// Width, loss of seed 0, loss of seed 1.
type Measured = (i64, f64, f64);

/// Budgets with what was measured at each.
const MEASURED: [(f64, &[Measured]); 4] = [
    (
        1e10,
        &[
            (8, 2.246, 2.240),
            (16, 2.212, 2.216),
            (24, 2.377, 2.394),
            (32, 2.525, 2.485),
        ],
    ),
    (
        3e10,
        &[
            (8, 2.134, 2.153),
            (16, 2.011, 2.002),
            (24, 2.031, 2.059),
            (32, 2.132, 2.170),
            (40, 2.254, 2.311),
        ],
    ),
    (
        1e11,
        &[
            (16, 1.867, 1.862),
            (24, 1.834, 1.831),
            (32, 1.850, 1.829),
            (40, 1.903, 1.910),
            (56, 2.067, 2.087),
        ],
    ),
    (
        3e11,
        &[
            (24, 1.703, 1.696),
            (32, 1.665, 1.666),
            (40, 1.704, 1.672),
            (56, 1.751, 1.742),
            (72, 1.889, 1.866),
        ],
    ),
];

pub(super) fn subject() -> Subject {
    Subject {
        sweep: "novels".to_owned(),
        unit: "tokens".to_owned(),
    }
}

/// A completed row of the model at one width.
pub(super) fn row(budget: f64, size: i64, seed: u64, loss: f64) -> Row {
    let width = size as f64;
    let n = 12.0 * LAYERS * width * width + VOCABULARY * width;
    let flops_per_token = 3.0 * (2.0 * n + 4.0 * LAYERS * WINDOW * width);
    let d = (budget / flops_per_token / 512.0).round() * 512.0;
    Row {
        trial: Some(format!(
            "{:016x}",
            (budget as u64) + 1000 * size as u64 + seed
        )),
        budget: Some(budget),
        size: Some(size),
        seed: Some(seed),
        n: Some(n),
        d: Some(d),
        c: Some(d * flops_per_token),
        spent: Some(d * flops_per_token),
        unique: Some(3.8e6),
        loss: Some(loss),
        loss_se: Some(0.004),
        lr: Some(1.0),
        group: Some(format!("{budget:e}/{size}")),
        attempt: Some(0),
        steps: Some((d / 512.0) as u64),
        seconds: Some(4.25),
        counts: [("all".to_owned(), n + VOCABULARY * width)].into(),
        ..Row::new(Status::Completed)
    }
}

/// The sweep with `seeds` seeds, one or two.
pub(super) fn rows(seeds: u64) -> Vec<Row> {
    let mut rows = Vec::new();
    for (budget, sizes) in MEASURED {
        for (size, first, second) in sizes {
            let losses = [*first, *second];
            rows.extend(
                (0..seeds)
                    .zip(losses)
                    .map(|(seed, loss)| row(budget, *size, seed, loss)),
            );
        }
    }
    rows
}

pub(super) fn analysis(seeds: u64) -> Analysis {
    Analysis::of(
        &rows(seeds),
        subject(),
        &flops_fit_scaling::Options::default(),
    )
    .expect("the sample can be fitted")
}
