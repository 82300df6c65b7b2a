//! Mistakes in a manifest that a plugin finds: file, line and key all the same.

use crate::{sweep::SWEEP, workbench::Workbench};

#[track_caller]
fn check(name: &str, change: (&str, &str), message: &str) {
    let manifest = SWEEP.replace(change.0, change.1);
    assert_ne!(manifest, SWEEP, "the change changes nothing");
    let bench = Workbench::new(name, &manifest);
    let ended = bench.run(&["run", "manifest.toml"]).expect(3);
    assert_eq!(ended.err.trim_end(), format!("error: {message}"));
    assert_eq!(ended.out, "");
    assert!(!bench.output("small").exists());
}

#[test]
fn unknown_kind() {
    check(
        "kind",
        ("kind = \"gpt\"", "kind = \"gtp\""),
        "manifest.toml:6:8: model.kind: plugin flops-fit-gpt exports no model \"gtp\"; did you mean `gpt`? it has \"gpt\"",
    );
    check(
        "kind-dataset",
        ("kind = \"stories\"", "kind = \"tales\""),
        "manifest.toml:14:8: dataset.kind: plugin flops-fit-gpt exports no dataset \"tales\"; it has \"stories\", \"text\", \"tinystories\"",
    );
}

#[test]
fn unknown_key_of_a_plugin() {
    check(
        "key-model",
        ("n_layers = 2", "n_layer = 2"),
        "manifest.toml:10:11: model.config.n_layer: refused by plugin flops-fit-gpt: unknown field `n_layer`, expected one of `d_model`, `n_layers`, `head_size`, `ff_ratio`, `activation`, `parametrization`, `alpha_attn`, `alpha_res`, `alpha_res_attn_ratio`, `rope_base`",
    );
    check(
        "key-dataset",
        ("seq_len = 32", "seq_length = 32"),
        "manifest.toml:15:25: dataset.config.seq_length: refused by plugin flops-fit-gpt: unknown field `seq_length`, expected `seq_len`",
    );
}

#[test]
fn wrong_type_for_a_plugin() {
    check(
        "type-model",
        ("n_layers = 2", "n_layers = \"two\""),
        "manifest.toml:10:12: model.config.n_layers: refused by plugin flops-fit-gpt: invalid type: string \"two\", expected i64",
    );
    check(
        "type-dataset",
        ("seq_len = 32", "seq_len = true"),
        "manifest.toml:15:22: dataset.config.seq_len: refused by plugin flops-fit-gpt: invalid type: boolean `true`, expected a nonzero u32",
    );
}

#[test]
fn impossible_value_for_a_plugin() {
    check(
        "value-model",
        ("head_size = 4", "head_size = 3"),
        "manifest.toml:11:13: model.config.head_size: refused by plugin flops-fit-gpt: found 3, expected an even number: rotary positions turn pairs",
    );
    check(
        "value-dataset",
        ("seq_len = 32", "seq_len = 1000000"),
        "manifest.toml:15:22: dataset.config.seq_len: refused by plugin flops-fit-gpt: 1000000 tokens are too many; expected at most 262144",
    );
}

#[test]
fn refused_size() {
    check(
        "size",
        ("[4, 8, 16, 24]", "[4, 8, 18, 24]"),
        "manifest.toml:23:36: sweep.grid[1].sizes[2]: refused by the model `gpt` (d_model = 18): d_model: found 18, expected a multiple of head_size = 4",
    );
}
