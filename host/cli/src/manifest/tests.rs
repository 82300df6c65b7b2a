//! What a manifest means, and what is said of one that means nothing.

mod amounts;
mod layers;
mod limits;
mod mistakes;

use std::{fs, path::Path};

use flops_fit_scaling::learning_rate::STEEPEST;
use flops_fit_trial::Precision;

use super::{Manifest, Share, Warmup};

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
fn the_resolved_copy_means_the_same() {
    let rich = PLAIN.replace(
        "lr = 1.0",
        "lr = 0.7\nschedule = { kind = \"wsd\", shape = \"linear\" }\nwarmup = { tokens = 9000 }\ngrad_clip = 1\nbatch_tokens = 512\n[run]\ntime_limit = 60\n[analysis]\ntargets = [1e12]\nmax_repeats = inf\nprice = \"2.5 USD per 1e18\"\nwish = { n = 1.2 }\nprior = { noise = 0.02 }\nmethod = \"parametric_lad\"\ndraws = 200\nscheme = \"pair\"\nseed = 7\ndrop_worst = 1\nquality_checks = false",
    );
    // As steep as one may be that is tuned.
    let steep = format!(
        "train.lr={{ lr = 0.123456789, n = 1e6, d = 2.5e7, n_exponent = -{STEEPEST}, d_exponent = {STEEPEST} }}"
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
        (
            PLAIN,
            vec![r#"train.schedule={ kind = "wsd", decay = 0.1, reuse_trunk = true }"#],
        ),
        (PLAIN, vec!["sweep.grid=adaptive"]),
        (PLAIN, vec![steep.as_str()]),
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
        assert_eq!(again.prior, manifest.prior);
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
    assert_eq!(manifest.dataset.plugin.as_deref(), Some("flops_fit_gpt"));
    assert_eq!(manifest.dataset.plugin_key, "model.plugin");
    assert_eq!(manifest.sweep.seeds, [0]);
    assert_eq!(manifest.sweep.min_steps, 40);
    assert_eq!(manifest.output_dir, manifest.base_dir.join("outputs/demo"));
    assert!(!manifest.train.reuse_trunk);
    assert_eq!(Warmup::Share(0.1).steps(1239, 512), 123);
    assert_eq!(Warmup::Share(0.1).steps(50, 512), 10);
    assert_eq!(Warmup::Units(1000).steps(50, 512), 2);
    assert_eq!(manifest.train.optimizer.eps.to_string(), "0.000000000001");
}

#[test]
fn the_automatic_precision_goes_by_the_devices() {
    let precision = |sets: &[&str]| loaded(PLAIN, sets).train.precision;
    let cuda = "run.devices=[\"cuda:0\", \"cuda:1\"]";
    let auto = "train.precision=auto";
    for (sets, expected) in [
        (&[][..], Precision::Fp32),
        (&[auto], Precision::Fp32),
        (&[cuda], Precision::Fp32),
        (&[auto, cuda], Precision::Bf16),
        (&["train.precision=tf32", cuda], Precision::Tf32),
        (&["train.precision=bf16"], Precision::Bf16),
    ] {
        assert_eq!(precision(sets), expected, "{sets:?}");
    }
}

#[test]
fn trials_at_once_are_as_many_as_devices_or_cores_allow() {
    let jobs = |sets: &[&str]| loaded(PLAIN, sets).run.jobs;
    let four = "run.devices=[\"cuda:0\", \"cuda:1\", \"cuda:2\", \"cuda:3\"]";
    assert_eq!(jobs(&[four]), 4);
    assert_eq!(jobs(&[four, "run.devices_per_trial=2"]), 2);
    assert_eq!(jobs(&[four, "run.devices_per_trial=auto"]), 4);
    assert_eq!(jobs(&[four, "run.jobs=3"]), 3);
    let cores = loaded(PLAIN, &[]).run.cores;
    assert_eq!(jobs(&["run.threads=auto"]), cores);
    assert_eq!(jobs(&["run.threads=4096"]), 1);
}

#[test]
fn an_automatic_share_is_written_and_read_again() {
    let sets = [
        "run.threads=auto",
        "run.devices=[\"cpu\", \"cpu\"]",
        "run.devices_per_trial=auto",
    ];
    let manifest = loaded(PLAIN, &sets);
    assert_eq!(manifest.run.threads, Share::Automatic);
    assert_eq!(manifest.run.devices_per_trial, Share::Automatic);
    let again = loaded(&manifest.to_toml(), &[]);
    assert_eq!(again.run, manifest.run);
    check_set(
        "run.threads=all",
        "--set run.threads=all: run.threads: found the string \"all\", expected a whole number from 1 to 4096, or \"auto\"",
    );
}
