//! What `--set` and `extends` lay over one another.

use std::fs;

use flops_fit_scaling::grid::{Budgets, Layout};
use flops_fit_trial::Schedule;

use super::{PLAIN, check_set, load, loaded};

#[test]
fn sets_override_with_their_own_origin() {
    let manifest = loaded(
        PLAIN,
        &[
            "train.lr=0.5",
            "loss.kind=mse",
            "sweep.budgets={ min = 1e9, max = 1e11, count = 3 }",
            "model.config.\"a.b\"=[1, 2]",
        ],
    );
    assert!((manifest.train.lr.typical() - 0.5).abs() < 1e-15);
    assert_eq!(manifest.loss.kind, "mse");
    assert_eq!(
        manifest.model.component.config["a.b"],
        serde_json::json!([1, 2])
    );
    assert_eq!(manifest.model.component.config["n_layer"], 2);
    let Layout::Around { budgets, .. } = &manifest.sweep.layout else {
        panic!("{:?}", manifest.sweep.layout);
    };
    assert_eq!(
        *budgets,
        Budgets::LogSpaced {
            min: 1e9,
            max: 1e11,
            count: 3
        }
    );

    check_set(
        "train.lr=fast",
        "--set train.lr=fast: train.lr: found the string \"fast\", expected a number above 0, rates to try such as { tune = [0.5, 1, 2] }, or a law such as { lr = 1, n = 1e6, d = 2e7, n_exponent = -0.3, d_exponent = 0 }",
    );
    check_set(
        "train.lrr=1",
        "--set train.lrr=1: train.lrr: unknown key; did you mean `lr`? accepted here: lr, schedule, warmup, batch_tokens, weight_decay, betas, eps, grad_clip, precision, eval_tokens",
    );
    check_set(
        "train.lr",
        "--set train.lr: expected key=value with a dotted key, such as --set train.lr=0.5 or --set sweep.budgets='[1e10, 1e11]'",
    );
    check_set(
        "sweep.budgets=[1e10",
        "--set sweep.budgets=[1e10: expected key=value with a dotted key, such as --set train.lr=0.5 or --set sweep.budgets='[1e10, 1e11]' (unclosed array, expected `]`)",
    );
}

#[test]
fn a_later_layer_may_pin_what_an_earlier_one_spreads() {
    let pinned = loaded(PLAIN, &["sweep.grid=[{ budget = 1e9, sizes = [8, 4] }]"]);
    assert_eq!(pinned.candidates(), [4, 8]);
    let spread = loaded(&pinned.to_toml(), &["sweep.budgets=[1e9]"]);
    assert_eq!(spread.candidates(), [16, 32, 48, 64]);
}

#[test]
fn extends_merges_tables_and_replaces_values() {
    let folder = tempfile::tempdir().expect("temporary folder");
    fs::write(
        folder.path().join("base.toml"),
        PLAIN.replace(
            "lr = 1.0",
            "lr = 1.0\nschedule = { kind = \"wsd\", decay = 0.5 }",
        ),
    )
    .expect("written");
    let manifest = load(
        folder.path(),
        "extends = \"base.toml\"\nname = \"child\"\n[train]\nschedule = { kind = \"cosine\" }\n[model.config]\nn_head = 4\n[model]\nsizes = [8]\n",
        &[],
    )
    .expect("valid");
    assert_eq!(manifest.name, "child");
    assert_eq!(manifest.train.schedule, Schedule::Cosine { floor: 0.1 });
    assert_eq!(
        manifest.model.component.config,
        serde_json::json!({ "n_layer": 2, "n_head": 4 })
    );
    assert_eq!(manifest.candidates(), [8]);

    let error = load(
        folder.path(),
        "extends = \"base.toml\"\n[train]\nlr = 0\n",
        &[],
    )
    .expect_err("a mistake");
    assert_eq!(
        error,
        "m.toml:3:6: train.lr: found 0, expected a number above 0"
    );
    fs::write(folder.path().join("base.toml"), PLAIN.replace("1.0", "0")).expect("written");
    let error = load(folder.path(), "extends = \"base.toml\"\n", &[]).expect_err("a mistake");
    assert_eq!(
        error,
        "base.toml:16:6: train.lr: found 0, expected a number above 0"
    );
    fs::write(folder.path().join("base.toml"), "extends = \"m.toml\"").expect("written");
    let error = load(folder.path(), "extends = \"base.toml\"\n", &[]).expect_err("a mistake");
    assert!(
        error.starts_with("base.toml:1:11: extends: m.toml is already being read; the chain is "),
        "{error}"
    );
    let error = load(folder.path(), "extends = \"gone.toml\"\n", &[]).expect_err("a mistake");
    assert_eq!(
        error,
        "gone.toml: No such file or directory (os error 2) (wanted by `extends` at m.toml:1:11)"
    );
}
