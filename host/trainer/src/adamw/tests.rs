use flops_fit_trial::Precision;
use tch::Device;

use super::*;
use crate::plugin::ModelParameter;

fn flat(values: &[&[f32]]) -> FlatParameters {
    let parameters = values.iter().enumerate().map(|(i, v)| ModelParameter {
        name: format!("p{i}"),
        tensor: Tensor::from_slice(v).set_requires_grad(true),
        lr_scale: 1.0 + i as f64,
        decay_scale: i as f64,
    });
    FlatParameters::adopt("test", parameters.collect()).expect("adopted")
}

const SETTINGS: AdamW = AdamW {
    beta1: 0.9,
    beta2: 0.95,
    eps: 1e-8,
    weight_decay: 0.1,
};

/// The definition in f64, one element.
fn reference(p0: f64, gradients: &[f64], lr: f64, lr_scale: f64, decay_scale: f64) -> f64 {
    let (mut p, mut m, mut v) = (p0, 0.0, 0.0);
    for (t, g) in (1..).zip(gradients) {
        m = 0.9 * m + 0.1 * g;
        v = 0.95 * v + 0.05 * g * g;
        let (mh, vh) = (m / (1.0 - 0.9_f64.powi(t)), v / (1.0 - 0.95_f64.powi(t)));
        p = p * (1.0 - 0.1 * 0.5 * decay_scale) - lr * 0.5 * lr_scale * mh / (vh.sqrt() + 1e-8);
    }
    p
}

#[test]
fn both_passes_follow_the_definition() {
    let gradients = [[0.3, -0.2, 1e-4], [0.1, 0.4, -2e-4], [-0.5, 0.0, 5e-5]];
    for fused in [true, false] {
        let mut flat = flat(&[&[1.0, -2.0], &[0.5]]);
        let mut adamw = AdamWState::new(&SETTINGS, &flat).expect("room");
        if !fused {
            let ones = |v: [f32; 2]| {
                let t = flat.params.zeros_like();
                for (s, x) in flat.segments.iter().zip(v) {
                    let _ = t
                        .narrow(0, s.offset as i64, s.len as i64)
                        .fill_(f64::from(x));
                }
                t
            };
            adamw.scales = Some((ones([1.0, 2.0]), ones([0.0, 1.0])));
        }
        for [a, b, c] in gradients {
            // Two micro-batches of equal weight, then divided by their sum.
            let micro = [
                Tensor::from_slice(&[a as f32, b as f32]),
                Tensor::from_slice(&[c as f32]),
            ];
            flat.accumulate(&micro, 4.0).expect("accumulated");
            flat.accumulate(&micro, 4.0).expect("accumulated");
            adamw
                .step(&mut flat, 0.01, 0.5, 1.0 / 8.0)
                .expect("stepped");
        }
        let column = |i: usize| gradients.map(|g| g[i]);
        let want = [
            reference(1.0, &column(0), 0.01, 1.0, 0.0),
            reference(-2.0, &column(1), 0.01, 1.0, 0.0),
            reference(0.5, &column(2), 0.01, 2.0, 1.0),
        ];
        let found = [
            flat.params.double_value(&[0]),
            flat.params.double_value(&[1]),
            flat.params.double_value(&[16]),
        ];
        for (f, w) in found.iter().zip(want) {
            assert!(
                (f - w).abs() < 2e-6,
                "fused {fused}: {found:?} against {want:?}"
            );
        }
    }
}

#[test]
fn in_fp64_nothing_is_rounded_to_fp32() {
    let parameter = ModelParameter {
        name: "p".to_owned(),
        tensor: Tensor::from_slice(&[-2.0_f32]).set_requires_grad(true),
        lr_scale: 1.3,
        decay_scale: 0.7,
    };
    let mut flat =
        FlatParameters::adopt_in(Precision::Fp64, "test", vec![parameter]).expect("adopted");
    let mut adamw = AdamWState::new(&SETTINGS, &flat).expect("room");
    let gradients = [0.3, -0.2, 1e-4];
    for g in gradients {
        let gradient = [Tensor::from_slice(&[3.0 * g])];
        flat.accumulate(&gradient, 1.0).expect("accumulated");
        let finite = adamw.step(&mut flat, 0.01, 0.5, 1.0 / 3.0);
        assert!(finite.expect("stepped"));
    }
    let found = flat.params.double_value(&[0]);
    let wanted = reference(-2.0, &gradients, 0.01, 1.3, 0.7);
    assert!((found - wanted).abs() < 1e-14, "{found} and {wanted}");
}

/// Whichever pass it is, fp32 is computed with constants of fp32.
#[test]
fn constants_are_rounded_once() {
    let step = Step {
        beta1: 0.9,
        beta2: 0.95,
        eps: 1e-8,
        grad: 1.0 / 3.0,
        rate: -0.1,
        root: 1.7,
        keep: 1.0 - 1e-5,
    };
    let (fused, other) = (step.map(|x| x as f32), step.rounded_to(Kind::Float));
    for (one, two) in [
        (fused.beta1, other.beta1),
        (1.0 - fused.beta1, 1.0 - other.beta1),
        (1.0 - fused.beta2, 1.0 - other.beta2),
        (fused.grad, other.grad),
        (fused.keep - 1.0, other.keep - 1.0),
    ] {
        // As libtorch rounds a number to the tensor that it multiplies.
        assert_eq!(one.to_bits(), (two as f32).to_bits());
    }
    assert_eq!(
        step.rounded_to(Kind::Double).grad.to_bits(),
        step.grad.to_bits()
    );
}

#[test]
fn both_passes_notice_a_gradient_that_is_no_number() {
    for fused in [true, false] {
        for (spoilt, finite) in [
            (f32::MAX, true),
            (f32::NAN, false),
            (f32::NEG_INFINITY, false),
        ] {
            let mut flat = flat(&[&[1.0, -2.0], &[0.5]]);
            let mut adamw = AdamWState::new(&SETTINGS, &flat).expect("room");
            if !fused {
                let ones = || flat.params.ones_like();
                adamw.scales = Some((ones(), ones()));
            }
            let gradients = [
                Tensor::from_slice(&[0.1_f32, spoilt]),
                Tensor::from_slice(&[0.2_f32]),
            ];
            flat.accumulate(&gradients, 1.0).expect("accumulated");
            let found = adamw.step(&mut flat, 0.01, 0.5, 1.0).expect("stepped");
            assert_eq!(found, finite, "fused {fused}, {spoilt}");
        }
    }
}

#[test]
fn the_model_sees_the_update() {
    let leaf = Tensor::zeros([3], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    let parameter = ModelParameter {
        name: "w".into(),
        tensor: leaf.shallow_clone(),
        lr_scale: 1.0,
        decay_scale: 1.0,
    };
    let mut flat = FlatParameters::adopt("test", vec![parameter]).expect("adopted");
    let mut adamw = AdamWState::new(
        &AdamW {
            weight_decay: 0.0,
            ..SETTINGS
        },
        &flat,
    )
    .expect("room");
    let loss = (&leaf - 3.0).square().sum(Kind::Float);
    let gradients = Tensor::run_backward(&[loss], flat.leaves(), false, false);
    flat.accumulate(&gradients, 1.0).expect("accumulated");
    adamw.step(&mut flat, 0.1, 1.0, 1.0).expect("stepped");
    assert!(
        (leaf.double_value(&[1]) - 0.1).abs() < 1e-6,
        "Adam's first step is the rate itself"
    );
    assert!(leaf.requires_grad() && leaf.is_leaf());
}
