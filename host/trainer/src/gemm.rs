//! The rate of a large matrix product: what training is measured against.

use std::time::{Duration, Instant};

use flops_fit_trial::Compute;
use tch::{Device, Kind, TchError, Tensor};

use crate::{device, precision};

/// Time that is spent on one size of product, beside a first that is not counted.
const TIME: Duration = Duration::from_millis(40);

/// Products of one size at least, however long they take.
const LEAST: usize = 3;

/// Rows and columns of the factors, ascending. Which of them comes closest to the peak
/// depends on caches and on how the product is cut for them.
const SIDES: [i64; 2] = [512, 1024];

/// Seconds that a larger product may take to be tried, so that a slow machine does not
/// spend more on this than it tells.
const LONGEST: f64 = 0.1;

/// Rows and columns on a GPU, which a small product does not fill.
const GPU_SIDES: [i64; 1] = [8192];

/// FLOP/s of a product of square matrices on what `compute` says, on the threads that
/// libtorch has: the fastest of several sizes, each made several times, since whatever else
/// runs only slows them down. Takes about 0.1 s where it is 100 GFLOP/s. `None` where
/// there is no such device, or it can't compute in that format.
pub fn rate(compute: &Compute) -> Option<f64> {
    let device = device::named(&compute.device).ok()?;
    measure(device, precision::compute_kind(compute.precision)).ok()
}

fn measure(device: Device, kind: Kind) -> Result<f64, TchError> {
    let sides: &[i64] = match device {
        Device::Cpu => &SIDES,
        _ => &GPU_SIDES,
    };
    let mut best = 0.0_f64;
    for &side in sides {
        if best > 0.0 && flops(side) / best > LONGEST {
            break;
        }
        best = best.max(rate_of(side, device, kind)?);
    }
    Ok(best)
}

fn rate_of(side: i64, device: Device, kind: Kind) -> Result<f64, TchError> {
    let _no_grad = tch::no_grad_guard();
    let a = factor(side, device, kind)?;
    let b = a.f_tr()?.f_contiguous()?;
    // Reading an element waits for a device that works on its own.
    let product = || a.f_matmul(&b)?.f_double_value(&[0, 0]);
    product()?;
    let begun = Instant::now();
    let mut fastest = f64::INFINITY;
    for done in 0.. {
        if done >= LEAST && begun.elapsed() >= TIME {
            break;
        }
        let start = Instant::now();
        product()?;
        fastest = fastest.min(start.elapsed().as_secs_f64());
    }
    Ok(flops(side) / fastest.max(1e-9))
}

/// A matrix of numbers between -1 and 1 in no order: a device may be faster where bits
/// repeat, and slower on denormal numbers. None is drawn, since libtorch's generator is
/// the process's.
fn factor(side: i64, device: Device, kind: Kind) -> Result<Tensor, TchError> {
    let numbers = Tensor::f_arange(side * side, (Kind::Float, device))?.f_sin_()?;
    numbers.f_view([side, side])?.f_to_kind(kind)
}

fn flops(side: i64) -> f64 {
    2.0 * (side as f64).powi(3)
}

#[cfg(test)]
mod tests {
    use flops_fit_trial::Precision;

    use super::*;

    #[test]
    fn a_product_has_a_rate_and_an_absent_device_has_none() {
        let rate_of = |device: &str| {
            rate(&Compute {
                device: device.to_owned(),
                precision: Precision::Fp32,
            })
        };
        // Between a processor of thirty years ago and a hundred GPUs.
        let cpu = rate_of("cpu").expect("measured");
        assert!((1e7..1e17).contains(&cpu), "{cpu}");
        assert_eq!(rate_of("cuda:1000"), None);
        assert_eq!(rate_of("abacus"), None);
    }
}
