//! The network at initialisation: unit variance everywhere, causal, in order.

use super::*;
use crate::model::scales::residual_weights;
use flops_fit_plugin::{Mode, Unit};

const VOCABULARY: i64 = 64;
const LENGTH: i64 = 64;

fn data() -> DataDescription {
    DataDescription {
        form: DataForm::Tokens {
            vocabulary: VOCABULARY,
            seq_len: LENGTH,
            bytes_per_token: None,
        },
        unit: Unit::Tokens,
        units_per_example: LENGTH as u64,
        unique_units: None,
        train_examples: None,
        held_out_examples: None,
    }
}

fn gpt(config: &str) -> Gpt {
    flops_fit_plugin::tch::manual_seed(1);
    let config = serde_json::from_str(config).expect("a configuration");
    Gpt::build(
        &config,
        &ModelContext {
            data: &data(),
            device: Device::Cpu,
            seed: 1,
        },
    )
    .expect("built")
}

fn rms(tensor: &Tensor) -> f64 {
    tensor
        .detach()
        .square()
        .mean(Kind::Double)
        .sqrt()
        .double_value(&[])
}

const EVAL: Context = Context {
    mode: Mode::Eval,
    seed: 0,
    step: 0,
};

#[test]
fn every_output_has_unit_scale_on_unit_input() {
    for activation in ["gelu", "silu", "swiglu"] {
        for d in [32_i64, 128] {
            let model = gpt(&format!(
                r#"{{"d_model": {d}, "n_layers": 3, "activation": "{activation}"}}"#
            ));
            let weights = residual_weights(&model.config);
            let mut beta = 1.0;
            for (i, (layer, scale)) in model.layers.iter().zip(&model.scales.layers).enumerate() {
                let check = |what: &str, value: f64| {
                    assert!(
                        (0.5..2.0).contains(&value),
                        "{activation}, d {d}, layer {i}: {what} has RMS {value}"
                    );
                };
                let input = Tensor::randn([4 * LENGTH, d], (Kind::Float, Device::Cpu));
                let radius = model.radius(4 * LENGTH).expect("a radius");
                check("qkv", rms(&input.mm(&layer.qkv)));
                check("up", rms(&input.mm(&layer.up)));
                // The branch's own weight a/β taken out again.
                let (a, b) = weights[2 * i];
                beta *= b;
                let attended = model
                    .attend(layer, &input, &radius, 4, LENGTH)
                    .expect("attended")
                    - &input;
                check("attention", rms(&attended) * beta / a);
                let (a, b) = weights[2 * i + 1];
                beta *= b;
                let branch = model.mlp(layer, &input, &radius).expect("mlp") - &input;
                check("mlp", rms(&branch) * beta / a);
                assert!(scale.qkv.gain > 0.0);
            }
            let input = Tensor::randn([256, d], (Kind::Float, Device::Cpu));
            let normed = norm(&input, &model.radius(256).expect("a radius")).expect("normed");
            let logits = rms(&normed.mm(&model.readout)) / model.scales.readout.gain;
            assert!((0.5..2.0).contains(&logits), "logits {logits}");
        }
    }
}

#[test]
fn a_token_sees_its_past_alone_and_its_position() {
    let model = gpt(r#"{"d_model": 32, "n_layers": 2}"#);
    let ids = Tensor::randint(VOCABULARY, [1, LENGTH], (Kind::Int64, Device::Cpu));
    let logits = |ids: &Tensor| {
        model
            .forward(&[ids.shallow_clone()], &EVAL)
            .expect("logits")
            .remove(0)
    };
    let before = logits(&ids);
    let changed = ids.copy();
    let _ = changed
        .select(1, 40)
        .fill_((ids.int64_value(&[0, 40]) + 1) % VOCABULARY);
    let after = logits(&changed);
    let difference = (&before - &after).abs().amax([0, 2], false);
    assert!(
        difference.narrow(0, 0, 40).max().double_value(&[]) < 1e-5,
        "the future leaks"
    );
    assert!(
        difference.narrow(0, 40, 24).min().double_value(&[]) > 0.0,
        "the past is lost"
    );

    // The same token everywhere: attention's output would be the same at every
    // position; only a position code can tell them apart once tokens differ.
    let swapped = ids.copy();
    let (first, second) = (ids.int64_value(&[0, 0]), ids.int64_value(&[0, 1]));
    if first != second {
        let _ = swapped.select(1, 0).fill_(second);
        let _ = swapped.select(1, 1).fill_(first);
        let last = |logits: &Tensor| logits.select(1, LENGTH - 1);
        let moved = (last(&before) - last(&logits(&swapped)))
            .abs()
            .max()
            .double_value(&[]);
        assert!(moved > 1e-6, "the order of the past does not matter");
    }
}

#[test]
fn counts_are_those_of_the_tensors() {
    for activation in ["gelu", "swiglu"] {
        let model = gpt(&format!(
            r#"{{"d_model": 48, "n_layers": 3, "activation": "{activation}"}}"#
        ));
        let profile = Gpt::profile(&model.config, &data())
            .expect("counted")
            .expect("a profile");
        assert_eq!(profile.n, model.num_params());
        let total: usize = model.parameters().iter().map(|p| p.tensor.numel()).sum();
        assert_eq!(profile.counts["total"] as usize, total);
    }
}

#[test]
fn a_size_that_does_not_divide_names_its_key() {
    let config: GptConfig =
        serde_json::from_str(r#"{"d_model": 20, "head_size": 8}"#).expect("a configuration");
    let error = Gpt::profile(&config, &data()).expect_err("refused");
    assert_eq!(error.key(), Some("d_model"));
    assert!(
        error.message().contains("multiple of head_size = 8"),
        "{error}"
    );
}

#[test]
fn the_norm_and_its_gradient_are_those_of_rms_norm() {
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
