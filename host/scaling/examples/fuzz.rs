//! Random cases that no fit may panic on: from one run to 2000, tame and wild
//! numbers, every method, refits of each, and of some the whole analysis.
//!
//!     cargo run --release -p flops-fit-scaling --example fuzz -- [cases] [first]
//!
//! All cores work; a case is a function of its number alone, so one that fails is repeated by
//! giving that number as `first`. Exit status 1 says that some case panicked, or took a minute.
#![expect(clippy::print_stdout, reason = "progress and failures")]

use std::io::{IsTerminal as _, Write as _};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use flops_fit_scaling::{
    Bootstrap, CurvePoint, Frontier, Method, Options, Run, Sample, analyze, fit,
};

/// A case that takes longer hangs.
const LONGEST: Duration = Duration::from_mins(1);

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
    // As many as a small sweep has, mostly, and 2000 at most.
    let most: f64 = if draws.one_in(50) { 2000.0 } else { 40.0 };
    let rows = most.powf(draws.uniform()).round() as usize;
    let wildness = draws.below(3);
    let (sizes, budgets) = (1 + draws.below(12), 1 + draws.below(8));
    let noise = [0.0, 1e-3, 0.02, 1.0][draws.below(4)];
    let (alpha, beta) = (1.5 * draws.uniform(), 1.5 * draws.uniform());
    let same_everywhere = draws.one_in(10);
    // All of a column in a unit that nobody would choose.
    let mut unit = || match draws.below(12) {
        0 => 10_f64.powf(300.0 * (draws.uniform() - 0.5)),
        _ => 1.0,
    };
    let units: [f64; 5] = std::array::from_fn(|_| unit());
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
            let mut run = Run::new(
                units[0] * ln_n.exp(),
                units[1] * ln_d.exp(),
                units[2] * ln_c.exp(),
                units[3] * loss,
            );
            if units[4].total_cmp(&1.0).is_ne() {
                run.weight = Some(units[4]);
            }
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

const PARTS: usize = Method::ALL.len() + 1;

/// Whether a case is analysed whole, which is hundreds of fits: one small case in 64,
/// and one in 1024 of more than `FEW` rows.
fn is_analysed(number: u64, rows: usize) -> bool {
    const FEW: usize = 64;
    number.is_multiple_of(if rows <= FEW { 64 } else { 1024 })
}

/// What a thread saw.
#[derive(Default)]
struct Seen {
    /// Of each method, then of the whole analysis.
    times: [Duration; PARTS],
    panicked: Vec<u64>,
    slowest: (Duration, u64),
}

impl Seen {
    fn add(&mut self, other: Self) {
        for (time, more) in self.times.iter_mut().zip(other.times) {
            *time += more;
        }
        self.panicked.extend(other.panicked);
        self.slowest = self.slowest.max(other.slowest);
    }

    fn case(&mut self, number: u64) {
        let began = Instant::now();
        if catch_unwind(AssertUnwindSafe(|| check(number, &mut self.times))).is_err() {
            self.panicked.push(number);
        }
        self.slowest = self.slowest.max((began.elapsed(), number));
    }
}

fn check(number: u64, times: &mut [Duration; PARTS]) {
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
    if is_analysed(number, runs.len()) {
        let _ = analyze(&runs, &options);
        times[Method::ALL.len()] += began.elapsed();
    }
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

/// Ends the program where a case takes so long that it will never end.
#[expect(
    clippy::exit,
    reason = "there is no other way out of a thread that hangs"
)]
fn end_if_stuck(slot: &Mutex<Option<(u64, Instant)>>) {
    if let Some((number, began)) = *slot.lock().unwrap_or_else(PoisonError::into_inner)
        && began.elapsed() > LONGEST
    {
        println!("case {number} takes more than {} s", LONGEST.as_secs());
        std::process::exit(1);
    }
}

/// Every case from `first` up to `end`, on all cores.
fn all(first: u64, end: u64) -> Seen {
    let next = AtomicU64::new(first);
    let progress = std::io::stderr().is_terminal();
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let under_way: Vec<Mutex<Option<(u64, Instant)>>> =
        (0..threads).map(|_| Mutex::default()).collect();
    let work = |slot: &Mutex<Option<(u64, Instant)>>| {
        let mut seen = Seen::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= end {
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = None;
                return seen;
            }
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some((number, Instant::now()));
            seen.case(number);
            let done = number - first + 1;
            if progress && done.is_multiple_of(1000) {
                let _ = write!(std::io::stderr(), "\r{done} of {} cases", end - first);
            }
        }
    };
    let seen = thread::scope(|scope| {
        let (finished, is_finished) = channel::<()>();
        let (work, under_way) = (&work, &under_way);
        scope.spawn(move || {
            while is_finished.recv_timeout(LONGEST / 10) == Err(RecvTimeoutError::Timeout) {
                under_way.iter().for_each(end_if_stuck);
            }
        });
        let threads: Vec<_> = under_way
            .iter()
            .map(|slot| scope.spawn(move || work(slot)))
            .collect();
        let seen = threads.into_iter().map(thread::ScopedJoinHandle::join);
        let seen = seen.fold(Seen::default(), |mut all, seen| {
            all.add(seen.expect("panics are caught in each case"));
            all
        });
        drop(finished);
        seen
    });
    if progress {
        let _ = write!(std::io::stderr(), "\r");
    }
    seen
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let mut next = |default| arguments.next().and_then(Result::ok).unwrap_or(default);
    let (cases, first) = (next(10_000), next(0));
    let started = Instant::now();
    let seen = all(first, first.saturating_add(cases));
    for number in &seen.panicked {
        println!("case {number} panicked");
    }
    let names = Method::ALL.map(Method::name).into_iter().chain(["analyze"]);
    for (name, time) in names.zip(seen.times) {
        println!("{name:18} {:9.2} s", time.as_secs_f64());
    }
    println!(
        "{cases} cases from {first} in {:.1} s, {} panicked; slowest: case {} with {:.0} ms",
        started.elapsed().as_secs_f64(),
        seen.panicked.len(),
        seen.slowest.1,
        1e3 * seen.slowest.0.as_secs_f64()
    );
    if seen.panicked.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
