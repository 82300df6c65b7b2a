//! What a step costs, and whether the declared FLOPs go with it.
//!
//! FLOPs can't be counted from outside. Two bounds can be looked at: no machine
//! computes faster than its matrix products, and a dense model does about one
//! multiply-add with each counted parameter, or more.

use std::{
    fs,
    time::{Duration, Instant},
};

use flops_fit_plugin::Split;
use flops_fit_trial::{CheckName, Failure, Finding};
use tch::{Device, Kind, Tensor};

use super::subject::{Subject, Trained};

/// Steps before any is timed.
const WARM_UP: u64 = 3;

/// Timed steps: at least, and as many more as fit in the time.
const FEWEST: usize = 5;
const ENOUGH: Duration = Duration::from_millis(250);

/// Side of the square matrices whose product is the machine's speed.
const SIDE: i64 = 512;

/// A rate above this multiple of the machine's is no matter of noise.
const TOO_FAST: f64 = 1.5;

/// Least share of 2N that a dense model's forward pass may be: an embedding that is
/// counted in N and costs nothing leaves half.
const TOO_FEW: f64 = 0.25;

/// Wall time of steps and batches as large as a trial's, and memory.
pub(super) fn cost(subject: &Subject, trained: &Trained) -> Result<Finding, Failure> {
    forget_peak();
    let step = seconds_per_step(subject, trained)?;
    let draws = subject.draws(0, subject.batch_examples);
    let batch = median(|| subject.dataset.batch(Split::Train, &draws).map(|_| ()))?;
    let units = (subject.batch_examples * subject.data.units_per_example) as f64;
    let memory = peak_bytes() as f64;
    let flops = trained.flops_per_unit * units / step;
    let found = format!(
        "{:.2} ms a step of {} examples ({units} units), {:.0} units and {:.2} GFLOP a second; {:.2} ms to make its batch; {:.0} MiB at most",
        step * 1e3,
        subject.batch_examples,
        units / step,
        flops / 1e9,
        batch * 1e3,
        memory / f64::from(1 << 20)
    );
    let finding = if batch > step {
        Finding::warn(
            CheckName::Cost,
            found,
            "a batch takes longer than its step: training will wait for data; prepare more in build()",
        )
    } else {
        Finding::pass(CheckName::Cost, found)
    };
    Ok(finding
        .figure("step_seconds", step)
        .figure("batch_seconds", batch)
        .figure("units_per_second", units / step)
        .figure("flops_per_second", flops)
        .figure("peak_bytes", memory))
}

/// The declared FLOPs against 2N and against the machine's speed.
pub(super) fn flops(subject: &Subject, trained: &Trained) -> Result<Finding, Failure> {
    const CHECK: CheckName = CheckName::Flops;
    const FIX: &str = "count forward_flops_per_unit in profile() again: a multiply-add is two, one unit is one token or image, the backward pass is the host's to add";
    let forward = trained.flops_per_unit / 3.0;
    let dense = forward / (2.0 * trained.n as f64);
    let units = (subject.batch_examples * subject.data.units_per_example) as f64;
    // The faster of two, so that a busy moment accuses nobody.
    let step = seconds_per_step(subject, trained)?.min(seconds_per_step(subject, trained)?);
    let rate = trained.flops_per_unit * units / step;
    let machine = machine_rate();
    let found = format!(
        "forward {forward:.4e} a unit, {dense:.2} times 2N; training would do {:.2} GFLOP a second, matrix products here {:.0}",
        rate / 1e9,
        machine / 1e9
    );
    let finding = if rate > TOO_FAST * machine {
        let found = format!("{found}: more than this machine can");
        Finding::warn(CHECK, found, FIX)
    } else if dense < TOO_FEW {
        let found = format!(
            "{found}: far less than one multiply-add with each counted parameter, which only a sparse model can do"
        );
        Finding::warn(CHECK, found, FIX)
    } else {
        Finding::pass(CHECK, found)
    };
    Ok(finding
        .figure("forward_flops_per_unit", forward)
        .figure("share_of_2n", dense)
        .figure("machine_flops_per_second", machine))
}

fn seconds_per_step(subject: &Subject, trained: &Trained) -> Result<f64, Failure> {
    let draws = subject.draws(0, subject.batch_examples);
    let batch = subject.dataset.batch(Split::Train, &draws)?;
    let mut model = trained.build(&subject.data, subject.seed)?;
    let mut taken = 0;
    let mut step = || {
        taken += 1;
        model.step(&trained.loss, &batch, taken).map(|_| ())
    };
    for _ in 0..WARM_UP {
        step()?;
    }
    median(step)
}

/// Median seconds of `body`.
fn median(mut body: impl FnMut() -> Result<(), Failure>) -> Result<f64, Failure> {
    let began = Instant::now();
    let mut seconds = Vec::new();
    while seconds.len() < FEWEST || began.elapsed() < ENOUGH {
        let start = Instant::now();
        body()?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok(seconds[seconds.len() / 2])
}

/// FLOPs a second of the best of several matrix products.
fn machine_rate() -> f64 {
    let matrix = || Tensor::randn([SIDE, SIDE], (Kind::Float, Device::Cpu));
    let (a, b) = (matrix(), matrix());
    let best = (0..16)
        .map(|_| {
            let start = Instant::now();
            drop(std::hint::black_box(a.matmul(&b)));
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min);
    2.0 * (SIDE as f64).powi(3) / best
}

/// Bytes of this process that are in memory.
pub(super) fn resident_bytes() -> u64 {
    status_bytes("VmRSS:")
}

/// Most that it has had since [`forget_peak`].
fn peak_bytes() -> u64 {
    status_bytes("VmHWM:")
}

fn forget_peak() {
    // Where the kernel does not allow it, the peak is that of the whole check.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn status_bytes(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) << 10
}
