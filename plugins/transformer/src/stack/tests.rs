//! The blocks at initialisation: unit variance everywhere.

use std::sync::{Mutex, MutexGuard, PoisonError};

use flops_fit_plugin::tch;

use super::*;
use crate::scales::residual_weights;

const LENGTH: i64 = 64;

/// libtorch's generator is one for all tests of this program: a test that draws from it
/// holds this meanwhile.
fn generator() -> MutexGuard<'static, ()> {
    static GENERATOR: Mutex<()> = Mutex::new(());
    let turn = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
    tch::manual_seed(1);
    turn
}

fn rms(tensor: &Tensor) -> f64 {
    tensor
        .detach()
        .square()
        .mean(Kind::Double)
        .sqrt()
        .double_value(&[])
}

fn stack(shape: &Shape) -> Stack {
    Stack::new(shape, &Scales::new(shape, LENGTH), Device::Cpu).expect("built")
}

#[test]
fn every_output_has_unit_scale_on_unit_input() {
    use Activation::{Gelu, Silu, Swiglu};
    let _turn = generator();
    for causal in [true, false] {
        for activation in [Gelu, Silu, Swiglu] {
            for width in [32, 128] {
                check_unit_scale(&Shape {
                    causal,
                    activation,
                    ..Shape::causal(width, 3)
                });
            }
        }
    }
}

fn check_unit_scale(shape: &Shape) {
    let stack = stack(shape);
    let rows = Rows {
        batch: 4,
        length: LENGTH,
    };
    let weights = residual_weights(shape);
    let mut beta = 1.0;
    for (i, (layer, _)) in stack.layers.iter().enumerate() {
        let check = |what: &str, value: f64| {
            assert!(
                (0.5..2.0).contains(&value),
                "{shape:?}, layer {i}: {what} has RMS {value}"
            );
        };
        let input = Tensor::randn([4 * LENGTH, shape.width], (Kind::Float, Device::Cpu));
        let radius = stack.radius(4 * LENGTH).expect("a radius");
        check("qkv", rms(&input.mm(&layer.qkv)));
        check("up", rms(&input.mm(&layer.up)));
        // The branch's own weight a/β taken out again.
        let (a, b) = weights[2 * i];
        beta *= b;
        let attended = stack.attend(layer, &input, &radius, rows, None);
        let attended = attended.expect("attended") - &input;
        check("attention", rms(&attended) * beta / a);
        let (a, b) = weights[2 * i + 1];
        beta *= b;
        let branch = stack.mlp(layer, &input, &radius).expect("mlp") - &input;
        check("mlp", rms(&branch) * beta / a);
    }
}

#[test]
fn the_norm_and_its_gradient_are_those_of_rms_norm() {
    let _turn = generator();
    let input = Tensor::randn([7, 24], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    let weight = Tensor::randn([7, 24], (Kind::Float, Device::Cpu));
    let radius = Tensor::full([7, 1], 24.0_f64.sqrt(), (Kind::Float, Device::Cpu));
    let ours = norm(&input, &radius).expect("normed");
    let theirs = input.rms_norm([24], None::<&Tensor>, 0.0);
    assert!((&ours - &theirs).abs().max().double_value(&[]) < 1e-5);
    let gradient = |output: &Tensor| {
        Tensor::run_backward(
            &[(output * &weight).sum(Kind::Float)],
            &[&input],
            false,
            false,
        )
        .remove(0)
    };
    assert!(
        (gradient(&ours) - gradient(&theirs))
            .abs()
            .max()
            .double_value(&[])
            < 1e-5
    );
}
