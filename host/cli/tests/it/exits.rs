//! Every exit code, each with the sentence that explains it.

use std::fs;

use crate::workbench::{MANIFEST, Workbench, plugin, wait_until};

/// Runs `plan` on a changed manifest.
#[track_caller]
fn check(change: (&str, &str), code: i32, message: &str) {
    let manifest = MANIFEST.replace(change.0, change.1);
    assert_ne!(manifest, MANIFEST, "the change changes nothing");
    let ended = Workbench::with(&manifest)
        .run(&["plan", "manifest.toml"])
        .expect(code);
    assert_eq!(ended.err.trim_end(), format!("error: {message}"));
    assert_eq!(ended.out, "");
}

#[test]
fn usage() {
    let bench = Workbench::new();
    bench.run(&["trian"]).expect(2);
    let ended = bench.run(&["predict", "--budget", "lots"]).expect(2);
    assert!(
        ended.err.contains("expected a number of FLOPs above 0"),
        "{}",
        ended.err
    );
    fs::create_dir(bench.path("empty")).expect("made");
    let ended = bench.run(&["status", "empty"]).expect(2);
    assert!(
        ended
            .err
            .contains("holds neither plan.json nor manifest.toml"),
        "{}",
        ended.err
    );
}

#[test]
fn manifest() {
    check(
        ("size_param", "sizeparam"),
        3,
        "manifest.toml:7:1: model.sizeparam: unknown key; did you mean `size_param`? accepted here: plugin, kind, size_param, sizes, config",
    );
    check(
        ("kind = \"gpt\"", "kind = \"gtp\""),
        3,
        "manifest.toml:6:8: model.kind: plugin fake exports no model \"gtp\"; did you mean `gpt`? it has \"gpt\", \"mlp\"",
    );
    check(
        ("n_layer = 2", "n_layer = 2\nrefuses = [24]"),
        3,
        "manifest.toml:21:44: sweep.grid[0].sizes[4]: refused by the model `gpt` (d_model = 24): d_head: 8 does not divide 24",
    );
    check(
        ("n_layer = 2", "n_layer = 2\nd_head = 8\nrefuses = [24]"),
        3,
        "manifest.toml:11:10: model.config.d_head: refused by the model `gpt` (d_model = 24): 8 does not divide 24",
    );
    check(
        ("n_layer = 2", "n_layer = 3\nbad_key = \"n_layer\""),
        3,
        "manifest.toml:10:11: model.config.n_layer: refused by plugin fake: found 3, expected a multiple of 8",
    );
    check(
        ("[run]", "[train]\nbatch_tokens = 500\n[run]"),
        3,
        "manifest.toml:27:16: train.batch_tokens: found 500, expected a multiple of 64, the tokens in one example, such as 448 or 512",
    );
    check(
        (
            "jobs = 4",
            "devices = [\"cpu\", \"cpu\", \"cpu\", \"cpu\", \"cpu\", \"cpu\", \"cpu\", \"cpu\", \"cpu\"]\ndevices_per_trial = 9",
        ),
        3,
        "manifest.toml:28:21: run.devices_per_trial: found 9, expected at most 8, the examples of one batch; or raise train.batch_tokens",
    );
    check(
        ("[run]", "[train]\nwarmup = { steps = 1000 }\n[run]"),
        3,
        "manifest.toml:27:10: train.warmup: found a warm-up of 1000 steps, expected fewer than the 509 steps that size 4 trains for at 1e9 FLOPs; shorten it, or raise sweep.min_steps to skip such short trials",
    );
}

/// Which devices there are depends on the machine, so that it is no matter of reading.
#[test]
fn a_precision_that_no_device_here_has_is_refused_where_something_is_trained() {
    let bench = Workbench::new();
    bench.run(&["run"]).expect(0);
    let set = ["--set", "train.precision=tf32"];
    for command in ["plan", "run"] {
        let ended = bench.run(&[command, set[0], set[1]]).expect(3);
        assert!(
            ended.err.contains("train.precision: found tf32, expected a precision that run.devices have: tf32 is of CUDA devices, and these are the CPU; take fp32"),
            "{}",
            ended.err
        );
    }
    for command in ["status", "analyze", "table"] {
        bench.run(&[command, set[0], set[1]]).expect(0);
    }
}

#[test]
fn plugin_file() {
    let bench = Workbench::new();
    let plan = |plugin: &str| {
        let set = format!("model.plugin={plugin}");
        let ended = bench.run(&["plan", "--set", &set]).expect(4);
        ended.err.replace(&format!("--set {set}"), "[set]")
    };
    let missing = plan("fakke");
    assert!(
        missing.starts_with("error: [set]: model.plugin: no library libfakke.so; did you mean `fake`? build it with `cargo build --release --lib`, or add its folder to plugin_path (looked in: [dir], "),
        "{missing}"
    );
    fs::write(bench.path("libtext.so"), "not a library").expect("written");
    assert_eq!(
        plan("text"),
        "error: [set]: model.plugin: [dir]/libtext.so is not a flops-fit plugin: the file is no ELF library; expected a cdylib whose crate uses flops_fit_plugin::export_plugin!\n"
    );
    let whole = plugin("cut", "model gpt\n");
    fs::write(bench.path("libcut.so"), &whole[..whole.len() - 40]).expect("written");
    assert!(
        plan("./libcut.so").contains("truncated"),
        "{}",
        plan("./libcut.so")
    );
    fs::write(
        bench.path("libdata.so"),
        plugin("data", "dataset stories\n"),
    )
    .expect("written");
    let ended = bench.run(&["plan", "--set", "model.plugin=data"]).expect(3);
    assert!(
        ended.err.contains("it exports no model at all"),
        "{}",
        ended.err
    );
}

#[test]
fn plugin_that_fails_when_described() {
    let bench = Workbench::with(&MANIFEST.replace("n_layer = 2", "describe = \"abort\""));
    let ended = bench.run(&["plan"]).expect(4);
    assert!(
        ended.err.contains(
            "model.plugin: the worker was killed by signal 6 (SIGABRT) while it ran plugin fake; to see where, run `flops-fit-worker train <the trial's folder>` under a debugger; its last words:\n  about to abort"
        ),
        "{}",
        ended.err
    );
}

#[test]
fn analysis_and_environment() {
    let bench = Workbench::new();
    let ended = bench.run(&["table"]).expect(6);
    assert!(
        ended
            .err
            .contains("has no plan yet; run `flops-fit run manifest.toml` first"),
        "{}",
        ended.err
    );
    bench.run(&["plan"]).expect(0);
    bench.run(&["analyze"]).expect(6);

    let ended = bench.ended(
        &bench
            .command(&["plan"])
            .env("FLOPS_FIT_WORKER", "/nowhere/worker")
            .output()
            .expect("started"),
    );
    let ended = ended.expect(7);
    assert!(
        ended
            .err
            .contains("FLOPS_FIT_WORKER=/nowhere/worker is no file"),
        "{}",
        ended.err
    );
}

#[test]
fn runs_without_a_law_are_told_all_the_same() {
    let bench = Workbench::new();
    let two = "n,d,c,loss\n1e6,2e7,1.2e14,3.5\n2e6,2e7,2.4e14,3.2\n";
    fs::write(bench.path("two.csv"), two).expect("written");
    let words = "parametric_huber, parametric_lad, parametric_mse: 2 distinct configurations (N, D), 6 are needed";
    for (command, told) in [
        (&["analyze", "two.csv", "--out", "fitted"][..], words),
        (&["table", "two.csv"], words),
        (
            &["table", "two.csv", "--format", "json"],
            "\"recommended\": null",
        ),
        (
            &["visualize", "two.csv", "--out", "drawn"],
            "drawn/report.html",
        ),
    ] {
        let ended = bench.run(command).expect(6);
        let out = ended.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(out.contains(told), "{}", ended.out);
        assert!(
            ended
                .err
                .starts_with("error: no method has a law: isoflop_cubic, ")
                && ended.err.contains(words),
            "{}",
            ended.err
        );
    }
    assert!(bench.path("fitted/analysis.json").is_file());
    assert!(bench.path("drawn/report.html").is_file());
    let ended = bench
        .run(&["predict", "two.csv", "--budget", "1e18"])
        .expect(6);
    assert!(
        ended.out.is_empty() && ended.err.contains(words),
        "{ended:?}"
    );

    let grid = "sweep.grid=[{ budget = 1e9, sizes = [4, 8, 12] }]";
    let ended = bench.run(&["run", "--set", grid]).expect(6);
    assert!(
        ended.out.contains("3 trials, 3 completed") && ended.out.contains("\nreport: "),
        "{}",
        ended.out
    );
    assert!(
        ended.err.contains("error: no method has a law"),
        "{}",
        ended.err
    );
    let status = bench.run(&["status", "--set", grid]).expect(0).out;
    assert!(
        status.contains("\nno advice on the next run: no method has a law: "),
        "{status}"
    );
}

#[test]
fn busy() {
    let bench = Workbench::with(&MANIFEST.replace("n_layer = 2", "seconds = 60"));
    let first = bench.spawn(&["train"]);
    wait_until("nothing trains", || {
        let trials = fs::read_dir(bench.path("outputs/demo/trials"));
        trials.is_ok_and(|mut trials| {
            trials.any(|trial| {
                let progress = trial.expect("listed").path().join("progress.jsonl");
                fs::metadata(progress).is_ok_and(|file| file.len() > 0)
            })
        })
    });
    let ended = bench.run(&["train"]).expect(8);
    assert!(
        ended.err.contains(&format!(
            "in use by another flops-fit (process {} on ",
            first.id()
        )),
        "{}",
        ended.err
    );
    let status = bench.run(&["status"]).expect(0).out;
    assert!(
        status.contains("running now") && status.contains("training, step"),
        "{status}"
    );
    first.kill();
}

#[test]
fn rebuilt_library() {
    let bench = Workbench::new();
    bench.run(&["train"]).expect(0);
    bench.rebuild("{}");

    let ended = bench.run(&["train"]).expect(9);
    assert!(
        ended.err.contains("libfake.so changed since 15 trials were trained with it, but plugin fake is still version 1.0.0"),
        "{}",
        ended.err
    );
    bench.run(&["train", "--accept-rebuilt"]).expect(0);
    assert_eq!(bench.trained().len(), 15);
    bench.run(&["train"]).expect(0);

    bench.rebuild("{}");
    bench.run(&["train", "--retrain"]).expect(0);
    assert_eq!(bench.trained().len(), 30);
    bench.run(&["train"]).expect(0);
    assert_eq!(bench.trained().len(), 30);
}
