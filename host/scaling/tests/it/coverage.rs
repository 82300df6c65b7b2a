//! How often the intervals hold the truth, and a measurement of it, when sweeps
//! are drawn from known laws. docs/statistics.md quotes what this prints.

use flops_fit_scaling::{Bootstrap, Interval, Options, Quantity, Run, analyze};

use crate::simulation::{Draws, Truth};

const SWEEPS: usize = 40;
const BUDGETS: [f64; 4] = [1e10, 3e10, 1e11, 3e11];
const TARGETS: [f64; 2] = [1e12, 1e13];

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
    let points = Options {
        bootstrap: Bootstrap {
            draws: 0,
            ..Bootstrap::default()
        },
        ..Options::default()
    };
    let analysis = analyze(runs, &points).unwrap();
    let minimum = analysis.budgets[0].outcome.minimum()?;
    Some((minimum.n.estimate, minimum.loss.estimate))
}

/// What one target has seen.
#[derive(Default)]
struct Target {
    n: Tally,
    loss: Tally,
    n_measured: Tally,
    loss_measured: Tally,
    n_factors: Vec<f64>,
    loss_widths: Vec<f64>,
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn check(noise: f64, seeds: u64) {
    let mut draws = Draws(20_240_601);
    let options = Options {
        targets: TARGETS.to_vec(),
        bootstrap: Bootstrap {
            draws: 59,
            ..Bootstrap::default()
        },
        ..Options::default()
    };
    let mut targets = TARGETS.map(|_| Target::default());
    for _ in 0..SWEEPS {
        let truth = Truth::draw(&mut draws);
        let runs = truth.sweep(&BUDGETS, seeds, noise, &mut draws);
        let analysis = analyze(&runs, &options).unwrap();
        for (found, target) in analysis.predictions.iter().zip(&mut targets) {
            let interval = |quantity| found.interval(quantity);
            let (Some(n_found), Some(loss_found)) =
                (interval(Quantity::N), interval(Quantity::Loss))
            else {
                continue;
            };
            let (n, loss) = truth.optimum(found.c);
            target.n.add(&n_found, n);
            target.loss.add(&loss_found, loss);
            let again = truth.sweep(&[found.c], seeds, noise, &mut draws);
            if let Some((n, loss)) = measured(&again) {
                target.n_measured.add(&n_found, n);
                target.loss_measured.add(&loss_found, loss);
            }
            target.n_factors.push((n_found.high / n_found.low).sqrt());
            target.loss_widths.push(loss_found.half_width());
        }
    }
    for (c, mut target) in TARGETS.into_iter().zip(targets) {
        let (n_factor, loss_width) = (
            median(&mut target.n_factors),
            median(&mut target.loss_widths),
        );
        let percent = [
            &target.n,
            &target.n_measured,
            &target.loss,
            &target.loss_measured,
        ]
        .map(|tally| format!("{:.1} %", 100.0 * tally.share()));
        let [n, n_measured, loss, loss_measured] = percent;
        println!(
            "| {noise} | {seeds} | {c:e} | {n} | {n_measured} | ×/÷ {n_factor:.2} | {loss} | {loss_measured} | ± {loss_width:.3} |"
        );
        assert!(target.n.of >= SWEEPS * 9 / 10, "{} sweeps", target.n.of);
        // Nominal are 95 %; of 40 sweeps one in a hundred holds fewer than 34. Little noise and far targets are the hard case: what is
        // left then is that N* is no exact power law of C.
        for tally in [&target.n, &target.loss] {
            assert!(tally.share() >= 0.85, "{}", tally.share());
        }
        // Intervals that always hold would be of no use.
        assert!(n_factor < 1.0 + 60.0 * noise, "{n_factor}");
        assert!(loss_width < 10.0 * noise, "{loss_width}");
    }
}

#[test]
fn intervals_hold_what_they_promise() {
    println!("| noise | seeds | C | N* | N* measured | width | L* | L* measured | width |");
    for noise in [0.02, 0.005] {
        for seeds in [1, 2] {
            check(noise, seeds);
        }
    }
}
