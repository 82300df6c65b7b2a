//! How often the intervals hold the truth, and a measurement of it, when sweeps
//! are drawn from known laws. docs/statistics.md quotes what this prints.

use flops_fit_scaling::{Interval, Options, Run, analyze};

use crate::simulation::{Draws, Truth};

const SWEEPS: usize = 400;
const BUDGETS: [f64; 4] = [1e10, 3e10, 1e11, 3e11];

/// Counts of intervals and of those that held the value.
#[derive(Default)]
struct Tally {
    held: usize,
    of: usize,
}

impl Tally {
    fn add(&mut self, interval: &Interval, value: f64) {
        self.of += 1;
        self.held += usize::from(interval.contains(value));
    }

    fn share(&self) -> f64 {
        self.held as f64 / self.of as f64
    }
}

/// (N*, L*) as a sweep of that one budget finds them.
fn measured(runs: &[Run]) -> Option<(f64, f64)> {
    let analysis = analyze(runs, &Options::default()).unwrap();
    let minimum = analysis.budgets[0].outcome.minimum()?;
    Some((minimum.n.estimate, minimum.loss.estimate))
}

fn check(noise: f64, seeds: u64, target: f64) {
    let mut draws = Draws(20_240_601);
    let options = Options {
        targets: vec![target],
        ..Options::default()
    };
    let mut tallies: [Tally; 4] = Default::default();
    let (mut n_factors, mut loss_widths) = (Vec::new(), Vec::new());
    for _ in 0..SWEEPS {
        let truth = Truth::draw(&mut draws);
        let runs = truth.sweep(&BUDGETS, seeds, noise, &mut draws);
        let again = truth.sweep(&[target], seeds, noise, &mut draws);
        let analysis = analyze(&runs, &options).unwrap();
        let Some(estimate) = analysis.recommended() else {
            continue;
        };
        let found = &estimate.predictions[0];
        let (n, loss) = truth.optimum(target);
        tallies[0].add(&found.n, n);
        tallies[1].add(&found.loss, loss);
        if let Some((n, loss)) = measured(&again) {
            tallies[2].add(&found.n, n);
            tallies[3].add(&found.loss, loss);
        }
        n_factors.push((found.n.high / found.n.low).sqrt());
        loss_widths.push(found.loss.half_width());
    }
    let median = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let [n, loss, n_measured, loss_measured] = tallies.each_ref().map(Tally::share);
    println!(
        "| {noise} | {seeds} | {target:e} | {:.1} % | {:.1} % | ×{:.2} | {:.1} % | {:.1} % | ±{:.3} | {} |",
        100.0 * n,
        100.0 * n_measured,
        median(&mut n_factors),
        100.0 * loss,
        100.0 * loss_measured,
        median(&mut loss_widths),
        tallies[0].of,
    );
    assert!(tallies[0].of >= SWEEPS * 9 / 10, "{} sweeps", tallies[0].of);
    // Three standard errors of 400 draws at 95 % are 3.3 points.
    for share in [n, loss] {
        assert!(share >= 0.917, "{share}");
    }
    // Intervals that always hold would be of no use.
    assert!(median(&mut n_factors) < 1.0 + 60.0 * noise && median(&mut loss_widths) < 7.0 * noise);
}

#[test]
fn intervals_hold_what_they_promise() {
    println!(
        "| noise | seeds | C | N* | N* measured | width | L* | L* measured | width | sweeps |"
    );
    for noise in [0.02, 0.005] {
        for seeds in [1, 2] {
            for target in [1e12, 1e13] {
                check(noise, seeds, target);
            }
        }
    }
}
