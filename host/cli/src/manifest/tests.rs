//! Mistakes and their sentences; what layers make of a manifest.

use std::{fs, path::Path};

use flops_fit_scaling::grid::{Budgets, Layout};
use flops_fit_trial::Schedule;

use super::{Manifest, Warmup};

const PLAIN: &str = r#"name = "demo"
[model]
plugin = "flops_fit_gpt"
kind = "gpt"
size_param = "d_model"
sizes = { min = 16, max = 64, multiple_of = 16 }
[model.config]
n_layer = 2
[dataset]
kind = "stories"
[loss]
kind = "cross_entropy"
[sweep]
budgets = [1e10, 3e10]
[train]
lr = 1.0
"#;

fn load(folder: &Path, text: &str, sets: &[&str]) -> Result<Manifest, String> {
    let path = folder.join("m.toml");
    fs::write(&path, text).expect("written");
    let sets: Vec<String> = sets.iter().map(|&set| set.to_owned()).collect();
    let prefix = format!("{}/", folder.display());
    Manifest::load(&path, &sets).map_err(|error| error.to_string().replace(&prefix, ""))
}

fn loaded(text: &str, sets: &[&str]) -> Manifest {
    let folder = tempfile::tempdir().expect("temporary folder");
    load(folder.path(), text, sets).expect("a valid manifest")
}

/// `line` of [`PLAIN`] replaced, the whole sentence expected.
#[track_caller]
fn check(line: &str, replacement: &str, message: &str) {
    assert!(PLAIN.contains(line), "{line:?} is not in the manifest");
    let folder = tempfile::tempdir().expect("temporary folder");
    let error = load(folder.path(), &PLAIN.replace(line, replacement), &[]).expect_err("a mistake");
    assert_eq!(error, message);
}

#[track_caller]
fn check_set(set: &str, message: &str) {
    let folder = tempfile::tempdir().expect("temporary folder");
    assert_eq!(
        load(folder.path(), PLAIN, &[set]).expect_err("a mistake"),
        message
    );
}

#[test]
fn unknown_keys() {
    check(
        "lr = 1.0",
        "lrr = 1.0",
        "m.toml:16:1: train.lrr: unknown key; did you mean `lr`? accepted here: lr, schedule, warmup, batch_tokens, weight_decay, betas, eps, grad_clip, precision, eval_tokens",
    );
    check(
        "[train]",
        "[training]",
        "m.toml:15:2: training: unknown key; did you mean `train`? accepted here: name, extends, base_dir, plugin_path, model, dataset, loss, sweep, train, run, analysis, output",
    );
    check(
        "multiple_of = 16",
        "step = 16",
        "m.toml:6:31: model.sizes.step: unknown key; accepted here: min, max, multiple_of",
    );
    check(
        "kind = \"stories\"",
        "type = \"stories\"",
        "m.toml:10:1: dataset.type: unknown key; accepted here: plugin, kind, config",
    );
    check(
        "lr = 1.0",
        "schedule = { kind = \"cosine\", decay = 0.1 }",
        "m.toml:16:31: train.schedule.decay: unknown key; accepted here: kind, floor",
    );
}

#[test]
fn wrong_types() {
    check(
        "lr = 1.0",
        "lr = \"fast\"",
        "m.toml:16:6: train.lr: found the string \"fast\", expected a number above 0",
    );
    check(
        "name = \"demo\"",
        "name = 3",
        "m.toml:1:8: name: found 3, expected a name for the sweep and its output folder, such as \"gpt-stories\"",
    );
    check(
        "budgets = [1e10, 3e10]",
        "budgets = 1e10",
        "m.toml:14:11: sweep.budgets: found 1e10, expected FLOPs as a list such as [1e10, 3e10, 1e11], or { min = 1e10, max = 1e12, count = 5 }",
    );
    check(
        "budgets = [1e10, 3e10]",
        "budgets = [1e10, \"3e10\"]",
        "m.toml:14:18: sweep.budgets[1]: found the string \"3e10\", expected a number of FLOPs above 0, such as 1e11",
    );
    check(
        "[model.config]\nn_layer = 2",
        "config = 3",
        "m.toml:7:10: model.config: found 3, expected a table of the plugin's own settings",
    );
    check(
        "[train]\nlr = 1.0",
        "[[train]]\nlr = 1.0",
        "m.toml:15:1: train: found a list of 1, expected a table [train]",
    );
}

#[test]
fn impossible_values() {
    check(
        "lr = 1.0",
        "lr = -1",
        "m.toml:16:6: train.lr: found -1, expected a number above 0",
    );
    check(
        "lr = 1.0",
        "lr = nan",
        "m.toml:16:6: train.lr: found NaN, expected a number above 0",
    );
    check(
        "lr = 1.0",
        "betas = [0.9, 1.0]",
        "m.toml:16:15: train.betas[1]: found 1.0, expected a number from 0 to below 1",
    );
    check(
        "lr = 1.0",
        "schedule = \"wds\"",
        "m.toml:16:12: train.schedule: found \"wds\"; did you mean `wsd`? expected one of \"wsd\", \"cosine\", \"constant\"",
    );
    check(
        "lr = 1.0",
        "warmup = 1.5",
        "m.toml:16:10: train.warmup: found 1.5, expected a share of the steps from 0 to below 1, or { tokens = 10000 }, or { steps = 20 }",
    );
    check(
        "lr = 1.0",
        "batch_tokens = 512.5",
        "m.toml:16:16: train.batch_tokens: found 512.5, expected a whole number of at least 1",
    );
    check(
        "max = 64",
        "max = 8",
        "m.toml:6:27: model.sizes.max: found 8, expected at least min = 16",
    );
    check(
        "min = 16, max = 64",
        "min = 17, max = 20",
        "m.toml:6:9: model.sizes: found a table, expected a range that holds a multiple of 16; 17 to 20 holds none",
    );
    check(
        "budgets = [1e10, 3e10]",
        "budgets = [1e10, 1e10]",
        "m.toml:14:18: sweep.budgets[1]: found 1e10, expected each budget once; this one is listed already",
    );
    check(
        "budgets = [1e10, 3e10]",
        "budgets = { min = 1e11, max = 1e10, count = 3 }",
        "m.toml:14:31: sweep.budgets.max: found 1e10, expected a number of FLOPs above min = 1e11",
    );
    check(
        "name = \"demo\"",
        "name = \"../up\"",
        "m.toml:1:8: name: found the string \"../up\", expected letters, digits, '-', '_', '.', '+' and inner spaces, not starting with '.': it names a folder",
    );
    check(
        "lr = 1.0",
        "[run]\ndevices = [\"cuda:0\"]",
        "m.toml:17:12: run.devices[0]: found \"cuda:0\"; expected one of \"cpu\"",
    );
    check(
        "n_layer = 2",
        "n_layer = inf",
        "m.toml:8:11: model.config: found inf, expected a finite number",
    );
    check(
        "n_layer = 2",
        "n_layer = 99999999999999999999",
        "m.toml:8:11: number: found 99999999999999999999, expected a number that fits in 64 bits",
    );
}

#[test]
fn numbers_that_would_fill_the_memory() {
    check(
        "max = 64, multiple_of = 16",
        "max = 9223372036854775807, multiple_of = 1",
        "m.toml:6:9: model.sizes: found a table, expected at most 4096 sizes (this range holds 9223372036854775792); raise multiple_of",
    );
    check(
        "{ min = 16, max = 64, multiple_of = 16 }",
        "{ min = 9223372036854775807, max = 9223372036854775807, multiple_of = 2 }",
        "m.toml:6:9: model.sizes: found a table, expected a range that holds a multiple of 2; 9223372036854775807 to 9223372036854775807 holds none",
    );
    check(
        "budgets = [1e10, 3e10]",
        "budgets = { min = 1e9, max = 1e12, count = 1000000000 }",
        "m.toml:14:44: sweep.budgets.count: found 1000000000, expected a whole number from 2 to 1000",
    );
    // As 32 bits it would be none, by which cores are divided.
    check(
        "lr = 1.0",
        "lr = 1.0\n[run]\nthreads = 4294967296",
        "m.toml:18:11: run.threads: found 4294967296, expected a whole number from 1 to 4096",
    );
    let seeds: Vec<String> = (0..1001).map(|seed| seed.to_string()).collect();
    let folder = tempfile::tempdir().expect("temporary folder");
    let text = PLAIN.replace(
        "[train]",
        &format!("seeds = [{}]\n[train]", seeds.join(", ")),
    );
    let error = load(folder.path(), &text, &[]).expect_err("too many");
    assert!(error.contains("of at most 1000 elements"), "{error}");
}

#[test]
fn a_file_that_is_no_manifest_is_not_read_to_its_end() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let text = format!("{PLAIN}# {}", "x".repeat(1 << 18));
    let error = load(folder.path(), &text, &[]).expect_err("too large");
    assert!(error.contains("more than 262144 bytes"), "{error}");
    let error = load(
        folder.path(),
        &format!("extends = \"/dev/zero\"\n{PLAIN}"),
        &[],
    );
    let error = error.expect_err("endless");
    assert!(error.contains("/dev/zero: it has more than"), "{error}");
}

#[test]
fn a_chain_of_manifests_ends() {
    let folder = tempfile::tempdir().expect("temporary folder");
    for link in 0..20 {
        let text = format!("extends = \"{}.toml\"\n", link + 1);
        fs::write(folder.path().join(format!("{link}.toml")), text).expect("written");
    }
    let text = format!("extends = \"0.toml\"\n{PLAIN}");
    let error = load(folder.path(), &text, &[]).expect_err("too long");
    assert!(error.contains("15.toml is one file too many"), "{error}");
}

#[test]
fn missing_and_excluded_keys() {
    check(
        "kind = \"gpt\"\n",
        "",
        "m.toml:2:1: model.kind: missing; expected the name of one of the plugin's exports, such as \"gpt\"",
    );
    check(
        "[loss]\nkind = \"cross_entropy\"\n",
        "",
        "m.toml:1:1: loss.kind: missing; expected the name of one of the plugin's exports, such as \"cross_entropy\"",
    );
    check(
        "sizes = { min = 16, max = 64, multiple_of = 16 }\n",
        "",
        "m.toml:2:1: model.sizes: missing; expected candidate sizes such as { min = 16, max = 1024, multiple_of = 16 }, or sizes for each budget in sweep.grid",
    );
    check(
        "n_layer = 2",
        "d_model = 64",
        "m.toml:8:11: model.config.d_model: excludes `model.size_param` at m.toml:5:14; remove one of the two",
    );
    check(
        "budgets = [1e10, 3e10]",
        "budgets = [1e10]\ngrid = [{ budget = 1e10, sizes = [8] }]",
        "m.toml:15:8: sweep.grid: excludes `sweep.budgets` at m.toml:14:11; remove one of the two",
    );
}

#[test]
fn what_is_no_toml() {
    check(
        "lr = 1.0",
        "lr = ",
        "m.toml:16:6: not valid TOML: string values must be quoted, expected literal string",
    );
    check(
        "lr = 1.0",
        "lr = 1.0\nlr = 2.0",
        "m.toml:17:1: not valid TOML: duplicate key",
    );
}

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
    assert!((manifest.train.lr - 0.5).abs() < 1e-15);
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
        "--set train.lr=fast: train.lr: found the string \"fast\", expected a number above 0",
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

#[test]
fn the_resolved_copy_means_the_same() {
    let rich = PLAIN.replace(
        "lr = 1.0",
        "lr = 0.7\nschedule = { kind = \"wsd\", shape = \"linear\" }\nwarmup = { tokens = 9000 }\ngrad_clip = 1\nbatch_tokens = 512\n[run]\ntime_limit = 60\n[analysis]\ntargets = [1e12]\nmax_repeats = inf\nmethod = \"parametric_lad\"\ndraws = 200\nscheme = \"pair\"\nseed = 7\ndrop_worst = 1\nquality_checks = false",
    );
    for (text, sets) in [
        (PLAIN, vec![]),
        (
            rich.as_str(),
            vec!["sweep.center=[{ budget = 1e10, n = 4000 }]"],
        ),
        (
            rich.as_str(),
            vec!["sweep.grid=[{ budget = 1e10, sizes = [8, 16] }]"],
        ),
    ] {
        let manifest = loaded(text, &sets);
        let again = loaded(&manifest.to_toml(), &[]);
        assert_eq!(again.base_dir, manifest.base_dir);
        assert_eq!(again.output_dir, manifest.output_dir);
        assert_eq!(again.model, manifest.model);
        assert_eq!(again.sweep, manifest.sweep);
        assert_eq!(again.train, manifest.train);
        assert_eq!(again.run, manifest.run);
        assert_eq!(again.analysis, manifest.analysis);
        assert_eq!(
            again
                .to_toml()
                .split_once('\n')
                .map(|(_, body)| body.to_owned()),
            manifest
                .to_toml()
                .split_once('\n')
                .map(|(_, body)| body.to_owned())
        );
    }
}

#[test]
fn defaults() {
    let manifest = loaded(PLAIN, &[]);
    assert_eq!(manifest.dataset.plugin, "flops_fit_gpt");
    assert_eq!(manifest.dataset.plugin_key, "model.plugin");
    assert_eq!(manifest.sweep.seeds, [0]);
    assert_eq!(manifest.sweep.min_steps, 40);
    assert_eq!(manifest.output_dir, manifest.base_dir.join("outputs/demo"));
    assert_eq!(Warmup::Share(0.1).steps(1239, 512), 123);
    assert_eq!(Warmup::Share(0.1).steps(50, 512), 10);
    assert_eq!(Warmup::Units(1000).steps(50, 512), 2);
    assert_eq!(manifest.train.optimizer.eps.to_string(), "0.000000000001");
}
