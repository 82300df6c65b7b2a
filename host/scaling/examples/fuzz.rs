//! Random cases that no fit may panic on: from one run to 2000, tame and wild
//! numbers, every method, a refit of each, and the whole analysis.
//!
//!     cargo run --release -p flops-fit-scaling --example fuzz -- [cases] [first]
//!
//! A case is a function of its number alone, so one that fails is repeated by
//! giving that number as `first`. Exit status 1 says that some case panicked.
#![expect(clippy::print_stdout, reason = "progress and failures")]

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use flops_fit_scaling::{
    Bootstrap, CurvePoint, Frontier, Method, Options, Run, Sample, analyze, fit,
};

/// splitmix64.
struct Draws(u64);

impl Draws {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.uniform() * limit as f64) as usize
    }

    fn one_in(&mut self, chance: usize) -> bool {
        self.below(chance) == 0
    }

    /// A positive number, ordinary or at the end of the range.
    fn wild(&mut self) -> f64 {
        const EDGES: [f64; 8] = [
            1.0,
            2.0,
            1e-300,
            1e300,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
            0.5,
        ];
        match self.below(4) {
            0 => EDGES[self.below(EDGES.len())],
            1 => (200.0 * (self.uniform() - 0.5)).exp(),
            _ => (6.0 * (self.uniform() - 0.5)).exp(),
        }
    }
}

/// The runs of one case.
fn case(number: u64) -> Vec<Run> {
    let mut draws = Draws(number.wrapping_mul(0x2545_F491_4F6C_DD1D));
    // Few rows mostly, 2000 at most, evenly in the logarithm.
    let rows = 2000_f64.powf(draws.uniform().powi(2)).round() as usize;
    let wildness = draws.below(3);
    let (sizes, budgets) = (1 + draws.below(12), 1 + draws.below(8));
    let noise = [0.0, 1e-3, 0.02, 1.0][draws.below(4)];
    let (alpha, beta) = (1.5 * draws.uniform(), 1.5 * draws.uniform());
    let same_everywhere = draws.one_in(10);
    (0..rows)
        .map(|_| {
            let ln_c = 40.0 + 1.5 * draws.below(budgets) as f64;
            let ln_n = 0.5 * (ln_c - 4.8) + 0.4 * (draws.below(sizes) as f64 - sizes as f64 / 2.0);
            let ln_d = ln_c - 1.8 - ln_n;
            let law = 1.7 + (6.0 - alpha * ln_n).exp() + (7.0 - beta * ln_d).exp();
            let loss = if same_everywhere {
                2.0
            } else {
                law * (noise * (draws.uniform() - 0.5)).exp()
            };
            let mut run = Run::new(ln_n.exp(), ln_d.exp(), ln_c.exp(), loss);
            if wildness > 0 && draws.one_in([2, 20][wildness - 1]) {
                for field in [&mut run.n, &mut run.d, &mut run.c, &mut run.loss] {
                    if draws.one_in(2) {
                        *field = draws.wild();
                    }
                }
            }
            if draws.one_in(6) {
                run.weight = Some(draws.wild());
            }
            if draws.one_in(6) {
                run.unique = Some(run.d * 4.0 * draws.uniform() + f64::MIN_POSITIVE);
            }
            if draws.one_in(8) {
                run.group = Some(draws.below(4).to_string());
            }
            if draws.one_in(8) {
                run.budget = Some(draws.wild());
            }
            if draws.one_in(20) {
                let (d, c, loss) = (0.5 * run.d, 0.5 * run.c, 1.01 * run.loss);
                run.curve = vec![CurvePoint { d, c, loss }];
            }
            if draws.one_in(2000) {
                run.loss = [f64::NAN, f64::INFINITY, -1.0, 0.0][draws.below(4)];
            }
            run
        })
        .collect()
}

fn check(number: u64, times: &mut [Duration; Method::ALL.len() + 1]) {
    let runs = case(number);
    let began = Instant::now();
    let options = Options {
        bootstrap: Bootstrap {
            draws: 0,
            threads: NonZeroUsize::new(1),
            ..Bootstrap::default()
        },
        ..Options::default()
    };
    let _ = analyze(&runs, &options);
    times[Method::ALL.len()] += began.elapsed();
    let Ok(sample) = Sample::new(&runs) else {
        return;
    };
    let losses: Vec<f64> = runs.iter().map(|run| run.loss * 1.01).collect();
    let weights: Vec<f64> = (0..runs.len()).map(|row| (row % 3) as f64).collect();
    for (method, time) in Method::ALL.into_iter().zip(times) {
        let began = Instant::now();
        let Ok(fit) = fit(method, &sample) else {
            continue;
        };
        for c in [1e-3, 1e18, 1e26] {
            let _ = fit.optimum(c);
        }
        for weights in [None, Some(weights.as_slice())] {
            let _ = fit.refit(&losses, weights).map(|law| law.optimum(1e22));
        }
        *time += began.elapsed();
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let mut next = |default| arguments.next().and_then(Result::ok).unwrap_or(default);
    let (cases, first) = (next(10_000), next(0));
    let started = Instant::now();
    let mut times = [Duration::ZERO; Method::ALL.len() + 1];
    let (mut failed, mut slowest) = (0_u64, (Duration::ZERO, first));
    for number in first..first.saturating_add(cases) {
        let began = Instant::now();
        if catch_unwind(AssertUnwindSafe(|| check(number, &mut times))).is_err() {
            failed += 1;
            println!("case {number} panicked");
        }
        slowest = slowest.max((began.elapsed(), number));
    }
    let names = Method::ALL.map(Method::name).into_iter().chain(["analyze"]);
    for (name, time) in names.zip(times) {
        println!("{name:18} {:9.2} s", time.as_secs_f64());
    }
    println!(
        "{cases} cases from {first} in {:.1} s, {failed} panicked; slowest: case {} with {:.0} ms",
        started.elapsed().as_secs_f64(),
        slowest.1,
        1e3 * slowest.0.as_secs_f64()
    );
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
