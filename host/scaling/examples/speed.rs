//! How long the analysis takes: the figures of `cargo xtask bench analysis`, one
//! JSON object. CPU seconds are those of all threads.
//!
//!     cargo run --release -p flops-fit-scaling --example speed -- [runs.csv]
//!
//! The file has N, C and loss in columns named `Model Size`, `Training FLOP` and
//! `loss`, with D = C/(6·N), and its five highest losses are left out: the Chinchilla
//! data and their usual protocol. Without it 240 runs are simulated.
#![expect(clippy::print_stdout, reason = "a measurement")]

use std::time::Instant;

use flops_fit_scaling::simulate::{Truth, noisy};
use flops_fit_scaling::{Bootstrap, Method, Options, Run, Sample, analyze, fit};
use nalgebra::DMatrix;
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

/// CPU seconds of this process so far.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + 1e-9 * time.tv_nsec as f64
}

/// CPU and wall seconds: the least of three, since whatever else the machine does
/// only ever adds to them.
fn seconds<T>(mut work: impl FnMut() -> T) -> (f64, f64) {
    let mut best = (f64::INFINITY, f64::INFINITY);
    for _ in 0..3 {
        let (from, started) = (cpu(), Instant::now());
        std::hint::black_box(work());
        let wall = started.elapsed().as_secs_f64();
        best = (best.0.min(cpu() - from), best.1.min(wall));
    }
    best
}

/// 10^9 floating-point operations a second of one thread's matrix product.
fn gemm_rate() -> f64 {
    const SIZE: usize = 512;
    let matrix = DMatrix::from_fn(SIZE, SIZE, |i, j| ((7 * i + 3 * j) % 11) as f64);
    let (cpu, _) = seconds(|| &matrix * &matrix);
    2.0 * (SIZE as f64).powi(3) / cpu / 1e9
}

fn simulated(budgets: usize, runs: usize) -> Vec<Run> {
    let truth = Truth::with_exponents(0.34, 0.28, 1e20, 0.9);
    let budgets: Vec<f64> = (0..budgets)
        .map(|i| 1e18 * 10_f64.powf(4.0 * i as f64 / budgets as f64))
        .collect();
    let plan = truth.sweep(&budgets, runs / budgets.len(), 5.0, 1.0, 1);
    noisy(&plan, 0.01, 1, 0)
}

/// The runs of a file as described above; `None` where it can't be read as that.
fn read(path: &str) -> Option<Vec<Run>> {
    let text = std::fs::read_to_string(path).ok()?;
    let mut lines = text.lines();
    let titles: Vec<&str> = lines.next()?.split(',').collect();
    let mut columns = [0; 3];
    for (column, name) in columns
        .iter_mut()
        .zip(["Model Size", "Training FLOP", "loss"])
    {
        *column = titles.iter().position(|title| *title == name)?;
    }
    let mut runs = Vec::new();
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |column: usize| fields.get(column)?.parse::<f64>().ok();
        let (n, c) = (number(columns[0])?, number(columns[1])?);
        runs.push(Run::new(n, c / (6.0 * n), c, number(columns[2])?));
    }
    runs.sort_by(|a, b| b.loss.total_cmp(&a.loss));
    Some(runs.split_off(5.min(runs.len())))
}

/// Fits a method and runs `draws` wild draws.
fn fit_and_draw(runs: &[Run], method: Method, draws: usize) -> Option<f64> {
    let sample = Sample::new(runs).ok()?;
    let fit = fit(method, &sample).ok()?;
    let bootstrap = Bootstrap {
        draws,
        ..Bootstrap::default()
    };
    let at = bootstrap.run(&fit).at(1e23)?;
    Some(at.n.estimate)
}

fn main() {
    let path = std::env::args().nth(1);
    let (runs, data) = match path.as_deref().and_then(read) {
        Some(runs) => (runs, "file"),
        None => (simulated(10, 240), "simulated"),
    };
    let methods: serde_json::Map<String, serde_json::Value> = Method::ALL
        .into_iter()
        .filter(|&method| fit_and_draw(&runs, method, 20).is_some())
        .map(|method| {
            let (cpu, _) = seconds(|| fit_and_draw(&runs, method, 1000));
            (method.name().to_owned(), cpu.into())
        })
        .collect();
    let (analyze_cpu, analyze_wall) = seconds(|| analyze(&runs, &Options::default()));
    let many = simulated(20, 10_000);
    let fewer = Options {
        bootstrap: Bootstrap {
            draws: 200,
            ..Bootstrap::default()
        },
        ..Options::default()
    };
    let (many_cpu, many_wall) = seconds(|| analyze(&many, &fewer));
    let figures = json!({
        "data": data,
        "runs": runs.len(),
        "huber_1000_draws_cpu_s": methods.get("parametric_huber"),
        "analyze_cpu_s": analyze_cpu,
        "analyze_wall_s": analyze_wall,
        "ten_thousand_runs_cpu_s": many_cpu,
        "ten_thousand_runs_wall_s": many_wall,
        "threads": std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get),
        "fit_and_1000_draws_cpu_s": methods,
        "gemm_gflops": gemm_rate(),
    });
    println!("{figures}");
}
