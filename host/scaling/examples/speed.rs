//! How long a fit and a refit take, for each method, on simulated runs.
//!
//!     cargo run --release -p flops-fit-scaling --example speed -- [runs] [refits]
#![expect(clippy::print_stdout, reason = "a measurement")]

use std::time::Instant;

use flops_fit_scaling::{Frontier, Method, Run, Sample, fit};

/// splitmix64 as a number in [0, 1).
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let mut next = |default| arguments.next().and_then(Result::ok).unwrap_or(default);
    let (count, refits) = (next(240), next(1000));
    let mut state = 1;
    // Ten budgets, sizes within a factor 8 of each one's middle, Laplace noise.
    let runs: Vec<Run> = (0..count)
        .map(|i| {
            let c = 1e18 * 10_f64.powf(0.4 * (i % 10) as f64);
            let n = (c / 120.0).sqrt() * 8_f64.powf(2.0 * uniform(&mut state) - 1.0);
            let d = c / (6.0 * n);
            let noise = 0.005 * (uniform(&mut state) - 0.5).signum() * -uniform(&mut state).ln();
            let loss = 1.8 + 480.0 * n.powf(-0.35) + 2100.0 * d.powf(-0.37);
            Run::new(n, d, c, loss * noise.exp())
        })
        .collect();
    let sample = Sample::new(&runs).expect("positive numbers");
    println!("{count} runs, {refits} refits");
    for method in Method::ALL {
        let started = Instant::now();
        let Ok(fit) = fit(method, &sample) else {
            continue;
        };
        let fitted = started.elapsed();
        let started = Instant::now();
        let mut spread = 0.0;
        for _ in 0..refits {
            let losses: Vec<f64> = (0..sample.len())
                .map(|row| {
                    fit.perturbed(
                        row,
                        fit.residual(row) * (uniform(&mut state) - 0.5).signum(),
                    )
                })
                .collect();
            if let Some(law) = fit.refit(&losses, None) {
                spread += (law.optimum(1e23).n / fit.optimum(1e23).n).ln().powi(2);
            }
        }
        println!(
            "{:18} fit {:8.2} ms, refit {:8.4} ms, spread of ln N* {:.3}",
            method.name(),
            1e3 * fitted.as_secs_f64(),
            1e3 * started.elapsed().as_secs_f64() / refits as f64,
            (spread / refits as f64).sqrt(),
        );
    }
}
