//! The network at initialisation, and its counts.

use std::sync::{Mutex, MutexGuard, PoisonError};

use flops_fit_plugin::{
    DataForm, Mode, Unit,
    tch::{self, Device, Kind},
};

use super::*;

/// libtorch's generator is one for all tests of this program: a test that draws from it
/// holds this meanwhile.
fn generator() -> MutexGuard<'static, ()> {
    static GENERATOR: Mutex<()> = Mutex::new(());
    let turn = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
    tch::manual_seed(1);
    turn
}

fn data(channels: i64, side: i64) -> DataDescription {
    DataDescription {
        form: DataForm::Images {
            channels,
            height: side,
            width: side,
            classes: 10,
        },
        unit: Unit::Images,
        units_per_example: 1,
        unique_units: None,
        train_examples: None,
        held_out_examples: None,
    }
}

fn config(text: &str) -> VitConfig {
    serde_json::from_str(text).expect("a configuration")
}

fn vit(text: &str, data: &DataDescription) -> Vit {
    let context = ModelContext {
        data,
        device: Device::Cpu,
        seed: 1,
    };
    Vit::build(&config(text), &context).expect("built")
}

fn rms(tensor: &Tensor) -> f64 {
    tensor
        .detach()
        .square()
        .mean(Kind::Double)
        .sqrt()
        .double_value(&[])
}

fn logits(model: &Vit, images: &Tensor) -> Tensor {
    let context = Context {
        mode: Mode::Eval,
        seed: 0,
        step: 0,
    };
    let images = [images.shallow_clone()];
    model.forward(&images, &context).expect("logits").remove(0)
}

#[test]
fn tokens_and_logits_start_at_unit_scale() {
    let _turn = generator();
    let data = data(3, 32);
    for pool in ["mean", "class"] {
        for d in [32, 128] {
            let text = format!(r#"{{"embed_dim": {d}, "n_layers": 3, "pool": "{pool}"}}"#);
            let model = vit(&text, &data);
            let images = Tensor::randn([16, 3, 32, 32], (Kind::Float, Device::Cpu));
            let tokens = rms(&model.embed(&images).expect("tokens"));
            assert!((0.8..1.25).contains(&tokens), "{text}: tokens {tokens}");
            let scale = rms(&logits(&model, &images)) / model.scales.readout.gain;
            assert!((0.5..2.0).contains(&scale), "{text}: logits {scale}");
        }
    }
}

/// Over a patch of ones the projection is the sum of its columns: that finds out
/// which pixels go where.
#[test]
fn a_token_sees_the_pixels_of_its_patch() {
    let _turn = generator();
    let data = data(2, 12);
    let model = vit(r#"{"embed_dim": 16, "patch_size": 4}"#, &data);
    let images = Tensor::zeros([1, 2, 12, 12], (Kind::Float, Device::Cpu));
    let dark = model.embed(&images).expect("tokens").detach();
    // A pixel of the second channel, in the patch of row 1 and column 2.
    let _ = images.select(1, 1).select(1, 5).select(1, 10).fill_(1.0);
    let change = model.embed(&images).expect("tokens").detach() - dark;
    let moved = change
        .abs()
        .sum_dim_intlist([2].as_slice(), false, Kind::Float);
    let moved = Vec::<f32>::try_from(moved.view([-1])).expect("nine tokens");
    for (token, moved) in moved.iter().enumerate() {
        assert_eq!(*moved > 0.0, token == 5, "token {token} moves by {moved}");
    }
    // Within the patch: channel 1, row 1, column 2 of 4 × 4.
    let row = model.projection.detach().get(16 + 4 + 2);
    assert!(
        (change.select(1, 5).squeeze() - row)
            .abs()
            .max()
            .double_value(&[])
            < 1e-5
    );
}

#[test]
fn the_order_of_patches_matters() {
    let _turn = generator();
    let data = data(1, 8);
    for pool in ["mean", "class"] {
        let model = vit(&format!(r#"{{"embed_dim": 32, "pool": "{pool}"}}"#), &data);
        let images = Tensor::randn([4, 1, 8, 8], (Kind::Float, Device::Cpu));
        let swapped = images.roll([4], [3]);
        let change = (logits(&model, &images) - logits(&model, &swapped)).abs();
        assert!(change.max().double_value(&[]) > 1e-4, "{pool}: {change}");
    }
}

#[test]
fn counts_are_those_of_the_tensors_and_the_formula() {
    let _turn = generator();
    let data = data(3, 32);
    for (pool, tokens) in [("mean", 64.0), ("class", 65.0)] {
        let text = format!(r#"{{"embed_dim": 48, "n_layers": 3, "pool": "{pool}"}}"#);
        let model = vit(&text, &data);
        let profile = Vit::profile(&config(&text), &data);
        let profile = profile.expect("counted").expect("a profile");
        assert_eq!(profile.n, model.num_params());
        let total: usize = model.parameters().iter().map(|p| p.tensor.numel()).sum();
        assert_eq!(profile.counts["total"] as usize, total);
        let (d, depth) = (48.0, 3.0);
        let forward = 64.0 * 2.0 * 48.0 * d
            + tokens * depth * (24.0 * d * d + 4.0 * tokens * d)
            + 2.0 * d * 10.0;
        assert_eq!(profile.forward_flops_per_unit, Some(forward));
    }
}

#[test]
fn what_does_not_fit_names_its_key() {
    let check = |text: &str, key: &str| {
        let error = Vit::profile(&config(text), &data(1, 28)).expect_err("refused");
        assert_eq!(error.key(), Some(key), "{error}");
    };
    check(r#"{"embed_dim": 24}"#, "embed_dim");
    check(r#"{"embed_dim": 32, "patch_size": 5}"#, "patch_size");
    check(r#"{"embed_dim": 32, "patch_size": 0}"#, "patch_size");
    check(r#"{"embed_dim": 32, "n_layers": 0}"#, "n_layers");
}
