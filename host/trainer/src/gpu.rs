//! What only a machine with a GPU can run, as a check: everything of training that does
//! something else on another device than the CPU.
//!
//! Each check is against the CPU, so all of them can be run with the CPU as the device:
//! that is their test.

mod trial;

use std::path::Path;

use flops_fit_plugin::LIBTORCH_VERSION;
use flops_fit_trial::{
    AdamW, Compute, FORMAT, Failure, GpuCheck, GpuDevice, GpuReport, Phase, Precision,
};
use tch::{Device, Kind, TchError, Tensor};

use crate::{
    AdamWState, FlatParameters,
    collective::connect,
    device::cuda_devices,
    gemm,
    plugin::{ModelParameter, is_out_of_memory, refused},
};

/// Steps of the optimizer that are compared.
const STEPS: i64 = 20;

/// Largest relative difference of what was computed in fp32 in two places.
const CLOSE: f64 = 1e-3;

/// The same in bf16, which has eight bits.
const CLOSE_IN_BF16: f64 = 2e-2;

const OPTIMIZER: AdamW = AdamW {
    beta1: 0.9,
    beta2: 0.95,
    eps: 1e-8,
    weight_decay: 0.01,
};

/// Largest relative error of a product in fp32. That of one in TF32, whose factors have eleven
/// bits, is above 1e-4.
const EXACT: f64 = 1e-5;

/// Checks every CUDA device of this process; `scratch` is a folder for checkpoints.
pub(crate) fn report(scratch: &Path) -> GpuReport {
    let (count, problem) = cuda_devices();
    let devices = (0..count).map(|index| GpuDevice {
        name: format!("cuda:{index}"),
        checks: check(
            Device::Cuda(index),
            Device::Cuda((index + 1) % count),
            scratch,
        ),
    });
    GpuReport {
        format: FORMAT,
        libtorch: LIBTORCH_VERSION.to_owned(),
        devices: devices.collect(),
        problem: problem.map(str::to_owned),
    }
}

/// Checks `device`, and ranks on it and on `other`.
fn check(device: Device, other: Device, scratch: &Path) -> Vec<GpuCheck> {
    let (name, second) = (name(device), name(other));
    let rate = |precision| {
        let compute = Compute {
            device: name.clone(),
            precision,
        };
        match gemm::rate(&compute) {
            Some(rate) => Ok(format!("{rate:.3e} FLOP/s")),
            None => Err("it can't".to_owned()),
        }
    };
    let checks = [
        ("a matrix product in fp32", rate(Precision::Fp32)),
        ("a matrix product in bf16", rate(Precision::Bf16)),
        ("fp32 is not rounded to tf32", is_fp32(device)),
        ("training in fp32", trains(device, Precision::Fp32, CLOSE)),
        (
            "training in bf16",
            trains(device, Precision::Bf16, CLOSE_IN_BF16),
        ),
        ("ranks", ranks(device, other)),
        (
            "a trial",
            trial::ends_well(std::slice::from_ref(&name), scratch),
        ),
        (
            "a trial on two ranks",
            trial::ends_well(&[name, second], scratch),
        ),
        ("out of memory is noticed", runs_out(device)),
    ];
    checks
        .into_iter()
        .map(|(what, found)| GpuCheck {
            what: what.to_owned(),
            passed: found.is_ok(),
            found: found.unwrap_or_else(|why| why),
        })
        .collect()
}

fn name(device: Device) -> String {
    match device {
        Device::Cuda(index) => format!("cuda:{index}"),
        _ => "cpu".to_owned(),
    }
}

/// A product in fp32 has the error of one.
fn is_fp32(device: Device) -> Result<String, String> {
    let error = product_error(device, Kind::Float).map_err(|error| error.to_string())?;
    let found = format!("relative error {error:.1e} of a product, at most {EXACT:.0e}");
    judged(error <= EXACT, found)
}

/// What was found, as the check's success or failure.
fn judged(passed: bool, found: String) -> Result<String, String> {
    if passed { Ok(found) } else { Err(found) }
}

/// Relative error of a product there and in that format, against fp64 on the CPU.
fn product_error(device: Device, kind: Kind) -> Result<f64, TchError> {
    const SIDE: i64 = 256;
    let factor = |phase: f64| {
        let line = Tensor::arange(SIDE * SIDE, (Kind::Double, Device::Cpu)) * 0.7 + phase;
        line.sin().view([SIDE, SIDE])
    };
    let there = |factor: &Tensor| factor.f_to_kind(kind)?.f_to_device(device);
    let (a, b) = (factor(0.0), factor(1.0));
    let product = there(&a)?.f_matmul(&there(&b)?)?;
    let product = product.f_to_device(Device::Cpu)?.f_to_kind(Kind::Double)?;
    relative(&a.f_matmul(&b)?, &product)
}

/// A small network trained there and on the CPU in fp32 ends in the same place.
fn trains(device: Device, precision: Precision, close: f64) -> Result<String, String> {
    let weights = |device, precision| train(device, precision).map_err(|e| e.to_string());
    let here = weights(Device::Cpu, Precision::Fp32)?;
    let there = weights(device, precision)?;
    let apart = relative(&here, &there).map_err(|error| error.to_string())?;
    let found = format!("‖Δw‖/‖w‖ = {apart:.1e} against the CPU, at most {close:.0e}");
    judged(apart <= close, found)
}

/// The parameters after some steps, brought to the CPU.
fn train(device: Device, precision: Precision) -> Result<Tensor, Failure> {
    let told = |error: TchError| refused(Phase::Update, &error);
    let fixed = |shape: [i64; 2], phase: f64| {
        let count = shape[0] * shape[1];
        let line = Tensor::arange(count, (Kind::Double, Device::Cpu)) * 0.7 + phase;
        line.sin().view(shape).to_kind(Kind::Float)
    };
    let parameter = |name: &str, shape, phase| {
        let tensor = (fixed(shape, phase) * 0.2).f_to_device(device);
        Ok(ModelParameter {
            name: name.to_owned(),
            tensor: tensor.map_err(told)?.set_requires_grad(true),
            lr_scale: 1.0,
            decay_scale: 1.0,
        })
    };
    let parameters = vec![
        parameter("in", [64, 128], 0.0)?,
        parameter("out", [128, 32], 1.0)?,
    ];
    let mut flat = FlatParameters::adopt_in(precision, "gpu", parameters)?;
    let mut adamw = AdamWState::new(&OPTIMIZER, &flat)?;
    let kind = flat.leaves()[0].kind();
    for step in 0..STEPS {
        let batch = fixed([48, 64], 2.0 + step as f64).f_to_device(device);
        let target = fixed([48, 32], 9.0 + step as f64).f_to_device(device);
        let [first, second] = [0, 1].map(|leaf: usize| flat.leaves()[leaf].shallow_clone());
        let output = batch.and_then(|batch| {
            batch
                .f_to_kind(kind)?
                .f_matmul(&first)?
                .f_gelu("none")?
                .f_matmul(&second)?
                .f_to_kind(Kind::Float)
        });
        let loss =
            output.and_then(|output| output.f_sub(&target?)?.f_square()?.f_mean(Kind::Float));
        let found =
            loss.and_then(|loss| Tensor::f_run_backward(&[loss], flat.leaves(), false, false));
        flat.accumulate(&found.map_err(told)?, 1.0)?;
        if !adamw.step(&mut flat, 1e-3, 1.0, 1.0)? {
            return Err(Failure::Host {
                phase: Phase::Update,
                detail: "a gradient is not finite".to_owned(),
            });
        }
        flat.refresh()?;
    }
    flat.params.f_to_device(Device::Cpu).map_err(told)
}

/// Gradients of two ranks are summed, and parameters shared, as on the CPU.
fn ranks(device: Device, other: Device) -> Result<String, String> {
    const LENGTH: i64 = 200_000;
    let buffer = |rank: i64, device| {
        let line = Tensor::arange(LENGTH, (Kind::Float, Device::Cpu));
        let sines = (line * 0.01).sin() + rank as f64;
        sines.f_to_device(device).map_err(|error| error.to_string())
    };
    let devices = [device, other];
    let results: Vec<Result<Tensor, String>> = std::thread::scope(|scope| {
        let ends = connect(2).into_iter().zip(devices).zip(0..);
        let handles: Vec<_> = ends
            .map(|((mut end, device), rank)| {
                scope.spawn(move || {
                    let mine = buffer(rank, device)?;
                    end.reduce_scatter(&mine, &[])
                        .and_then(|_| end.all_gather(&mine, &[]))
                        // The other may still read.
                        .and_then(|_| end.exchange(&[]))
                        .map_err(|failure| failure.to_string())?;
                    let mine = mine.f_to_device(Device::Cpu);
                    mine.map_err(|error| error.to_string())
                })
            })
            .collect();
        let joined = handles.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined
            .map(|end| end.unwrap_or_else(|_| Err("a rank panicked".to_owned())))
            .collect()
    });
    let expected = buffer(0, Device::Cpu)? + buffer(1, Device::Cpu)?;
    for result in results {
        let apart = relative(&expected, &result?).map_err(|error| error.to_string())?;
        if apart > CLOSE {
            return Err(format!("sums differ by {apart:.1e} from those on the CPU"));
        }
    }
    Ok(format!(
        "{} and {} sum and share",
        name(device),
        name(other)
    ))
}

/// What no device has room for is refused in words that are known.
fn runs_out(device: Device) -> Result<String, String> {
    let options = (Kind::Float, device);
    match Tensor::f_zeros([1 << 48], options).and_then(|zeros| zeros.f_add_scalar(1.0)) {
        Ok(_) => Err("a petabyte was allocated".to_owned()),
        Err(error) if is_out_of_memory(&error.to_string()) => Ok("yes".to_owned()),
        Err(error) => Err(format!("not by these words: {error}")),
    }
}

/// ‖a − b‖/‖a‖.
fn relative(a: &Tensor, b: &Tensor) -> Result<f64, TchError> {
    let norm = |tensor: &Tensor| {
        tensor
            .f_to_kind(Kind::Double)?
            .f_norm()?
            .f_double_value(&[])
    };
    Ok(norm(&a.f_sub(b)?)? / norm(a)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_passes_for_a_device() {
        let scratch = tempfile::tempdir().expect("temporary folder");
        let checks = check(Device::Cpu, Device::Cpu, scratch.path());
        assert_eq!(checks.len(), 9);
        for check in checks {
            assert!(check.passed, "{}: {}", check.what, check.found);
        }
    }

    #[test]
    fn what_is_computed_elsewhere_does_not_pass() {
        let found = trains(Device::Cpu, Precision::Bf16, 1e-9);
        assert!(found.is_err_and(|found| found.contains("at most 1e-9")));
        let error = product_error(Device::Cpu, Kind::BFloat16).expect("a product");
        assert!(error > EXACT, "{error}");
    }
}
