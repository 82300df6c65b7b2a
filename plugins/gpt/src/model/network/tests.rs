//! The network at initialisation: unit scale, causal, in order.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::*;
use flops_fit_plugin::{
    Mode, Unit,
    tch::{self, Device, Kind},
};

const VOCABULARY: i64 = 64;
const LENGTH: i64 = 64;

/// libtorch's generator is one for all tests of this program: a test that draws from it
/// holds this meanwhile.
fn generator() -> MutexGuard<'static, ()> {
    static GENERATOR: Mutex<()> = Mutex::new(());
    let turn = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
    tch::manual_seed(1);
    turn
}

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

fn config(text: &str) -> GptConfig {
    serde_json::from_str(text).expect("a configuration")
}

fn gpt(text: &str) -> Gpt {
    let data = data();
    let context = ModelContext {
        data: &data,
        device: Device::Cpu,
        seed: 1,
    };
    Gpt::build(&config(text), &context).expect("built")
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
fn logits_start_at_the_scale_of_their_readout() {
    let _turn = generator();
    for d in [32_i64, 128] {
        let model = gpt(&format!(r#"{{"d_model": {d}, "n_layers": 3}}"#));
        let ids = Tensor::randint(VOCABULARY, [4, LENGTH], (Kind::Int64, Device::Cpu));
        let logits = model.forward(&[ids], &EVAL).expect("logits").remove(0);
        let scale = rms(&logits) / model.scales.readout.gain;
        assert!((0.5..2.0).contains(&scale), "d {d}: {scale}");
    }
}

#[test]
fn a_token_sees_its_past_alone_and_its_position() {
    let _turn = generator();
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
    let _turn = generator();
    for activation in ["gelu", "swiglu"] {
        let text = format!(r#"{{"d_model": 48, "n_layers": 3, "activation": "{activation}"}}"#);
        let model = gpt(&text);
        let profile = Gpt::profile(&config(&text), &data())
            .expect("counted")
            .expect("a profile");
        assert_eq!(profile.n, model.num_params());
        let total: usize = model.parameters().iter().map(|p| p.tensor.numel()).sum();
        assert_eq!(profile.counts["total"] as usize, total);
    }
}

#[test]
fn a_size_that_does_not_divide_names_its_key() {
    let config = config(r#"{"d_model": 20, "head_size": 8}"#);
    let error = Gpt::profile(&config, &data()).expect_err("refused");
    assert_eq!(error.key(), Some("d_model"));
    assert!(
        error.message().contains("multiple of head_size = 8"),
        "{error}"
    );
}
