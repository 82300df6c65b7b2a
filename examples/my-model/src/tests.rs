//! `cargo test --release`: model, dataset and loss without flops-fit.

use flops_fit_plugin::{
    Dataset as _, Result, Split,
    testing::{self, Configs, Violation, json},
};

use super::{Bigram, Bytes, CrossEntropy};

/// The tables of manifest.toml, at one size.
fn configs() -> Configs {
    Configs {
        model: json!({ "rank": 4 }),
        dataset: json!({ "path": "src/lib.rs", "seq_len": 32 }),
        loss: json!({}),
    }
}

#[test]
fn the_contract_is_kept() -> Result<(), Violation> {
    testing::check::<Bigram, Bytes, CrossEntropy>(&configs(), 1)
}

#[test]
fn a_target_is_the_byte_that_follows() -> Result<()> {
    let bytes: Bytes = testing::build_dataset(&configs().dataset)?;
    for split in [Split::Train, Split::HeldOut] {
        let batch = testing::draw(&bytes, split, 5, 1)?;
        let (inputs, targets) = (&batch.inputs[0], &batch.targets[0]);
        assert_eq!(inputs.size(), [5, 32]);
        assert_eq!(inputs.narrow(1, 1, 31), targets.narrow(1, 0, 31));
    }
    Ok(())
}

#[test]
fn a_new_model_knows_nothing() -> Result<()> {
    let configs = configs();
    let bytes: Bytes = testing::build_dataset(&configs.dataset)?;
    let data = bytes.description();
    let loss: CrossEntropy = testing::build_loss(&configs.loss, &data)?;
    let batch = testing::draw(&bytes, Split::Train, 8, 1)?;
    for rank in [1, 64] {
        let model: Bigram = testing::build_model(&json!({ "rank": rank }), &data, 1)?;
        let pass = testing::pass(&model, &loss, &batch, 1)?;
        // The logits start small whatever the rank: ln 256 nats for 256 bytes.
        assert!((pass.loss - 256_f64.ln()).abs() < 0.1, "{rank}: {pass:?}");
    }
    Ok(())
}

#[test]
fn what_can_not_be_built_is_refused_by_its_key() -> Result<()> {
    let data = testing::build_dataset::<Bytes>(&configs().dataset)?.description();
    for (config, key) in [
        (json!({ "rank": 0 }), "rank"),
        (json!({ "rnak": 4 }), "rnak"),
    ] {
        let refused = testing::build_model::<Bigram>(&config, &data, 1).expect_err("refused");
        assert_eq!(refused.key(), Some(key), "{refused}");
    }
    for (config, key) in [
        (json!({ "path": "src/lib.rs", "seq_len": 0 }), "seq_len"),
        (json!({ "path": "no such file", "seq_len": 32 }), "path"),
    ] {
        let refused = testing::build_dataset::<Bytes>(&config).expect_err("refused");
        assert_eq!(refused.key(), Some(key), "{refused}");
    }
    Ok(())
}
