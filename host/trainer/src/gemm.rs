//! The rate of a large matrix product: what training is measured against.

use std::time::{Duration, Instant};

use flops_fit_trial::Compute;
use tch::{Device, Kind, TchError, Tensor};

use crate::{device, precision};

/// Time that is spent on it, beside a first product that is not counted.
const TIME: Duration = Duration::from_millis(40);

/// Products at least, however long they take.
const LEAST: usize = 3;

/// Rows and columns of the factors: large enough for the peak, small enough for a core's
/// cache.
const SIDE: i64 = 512;

/// The same of a GPU, which a small product does not fill.
const GPU_SIDE: i64 = 8192;

/// FLOP/s of a product of square matrices on what `compute` says, on the threads that
/// libtorch has: the fastest of several, since whatever else runs only slows it down.
/// `None` where there is no such device, or it can't compute in that format.
pub fn rate(compute: &Compute) -> Option<f64> {
    let device = device::named(&compute.device).ok()?;
    measure(device, precision::compute_kind(compute.precision)).ok()
}

fn measure(device: Device, kind: Kind) -> Result<f64, TchError> {
    let side = match device {
        Device::Cpu => SIDE,
        _ => GPU_SIDE,
    };
    let _no_grad = tch::no_grad_guard();
    let a = Tensor::f_rand([side, side], (kind, device))?;
    let b = Tensor::f_rand([side, side], (kind, device))?;
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
    Ok(2.0 * (side as f64).powi(3) / fastest.max(1e-9))
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
