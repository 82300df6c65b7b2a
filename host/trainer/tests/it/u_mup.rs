//! What u-μP promises: activations and the best learning rate do not move with
//! the width; under the standard parametrisation they do.

#![expect(clippy::print_stdout, reason = "a study shows its figures")]

use crate::study::{Finding, Study};

/// Slope of ln y against ln x by least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let logs: Vec<_> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let (mx, my) = (
        logs.iter().map(|p| p.0).sum::<f64>() / n,
        logs.iter().map(|p| p.1).sum::<f64>() / n,
    );
    let covariance: f64 = logs.iter().map(|(x, y)| (x - mx) * (y - my)).sum();
    covariance / logs.iter().map(|(x, _)| (x - mx).powi(2)).sum::<f64>()
}

/// Trains a reference model as a study says.
pub(crate) type Run = fn(&Study) -> Finding;

fn coordinate_slope(run: Run, parametrization: &'static str, lr: f64) -> f64 {
    const SEEDS: u64 = 4;
    let points = [32, 64, 128, 256].map(|width| {
        let of_seed = |seed| {
            let study = Study {
                width,
                parametrization,
                lr,
                steps: 10,
                seed,
            };
            run(&study).logits
        };
        let mean = (0..SEEDS).map(of_seed).sum::<f64>() / SEEDS as f64;
        (width as f64, mean)
    });
    println!(
        "{parametrization}: RMS of the logits' change in 10 steps, over {SEEDS} seeds {points:.3?}"
    );
    slope(&points)
}

pub(crate) fn logits_keep_their_scale(run: Run) {
    let ours = coordinate_slope(run, "u-mup", 1.0);
    assert!(ours.abs() < 0.15, "u-mup: slope {ours}");
    let standard = coordinate_slope(run, "standard", 0.0003);
    assert!(
        standard > 0.4,
        "the check can't fail: slope {standard} under the standard parametrisation"
    );
}

/// Where the mean loss over two seeds is lowest among `rates`, by their number.
fn best(run: Run, width: i64, parametrization: &'static str, rates: &[f64], steps: u64) -> usize {
    let losses: Vec<f64> = rates
        .iter()
        .map(|&lr| {
            let of_seed = |seed| {
                let study = Study {
                    width,
                    parametrization,
                    lr,
                    steps,
                    seed,
                };
                run(&study).loss
            };
            f64::midpoint(of_seed(0), of_seed(1))
        })
        .collect();
    println!("{parametrization}, d {width}: {losses:.3?} at {rates:?}");
    let lowest = losses.iter().enumerate();
    let lowest = lowest.filter(|(_, loss)| loss.is_finite());
    let (at, _) = lowest.min_by(|a, b| a.1.total_cmp(b.1)).expect("a loss");
    at
}

/// The best of `rates`, which ascend by factors of 2 and enclose it, is the same or its
/// neighbour at d 32 and at d 128.
pub(crate) fn the_best_learning_rate_transfers(run: Run, rates: &[f64], steps: u64) {
    let [narrow, wide] = [32, 128].map(|width| {
        let best = best(run, width, "u-mup", rates, steps);
        let inside = 1..rates.len() - 1;
        assert!(
            inside.contains(&best),
            "d {width}: best at the end, {}",
            rates[best]
        );
        best
    });
    assert!(
        narrow.abs_diff(wide) <= 1,
        "best η {} at d 32, {} at d 128",
        rates[narrow],
        rates[wide]
    );
}
