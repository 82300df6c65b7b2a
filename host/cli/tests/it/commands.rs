//! What the commands print when all goes well.

use serde_json::Value;

use crate::workbench::{MANIFEST, Workbench};

#[test]
fn plan_shows_the_grid_and_trains_nothing() {
    let bench = Workbench::with(&MANIFEST.replace(
        "kind = \"stories\"",
        "kind = \"stories\"\nconfig = { unique = 400000 }",
    ));
    let ended = bench
        .run(&["plan", "--set", "sweep.seeds=[0, 1]"])
        .expect(0);
    // How much it is worth is the analysis's business.
    let worth = ended.out.lines().find(|line| {
        line.starts_with("  at 1e11 FLOPs: N* within ×/÷ ") && line.contains(", L* within ± ")
    });
    let worth = worth.unwrap_or_else(|| panic!("{}", ended.out));
    let text = ended.out.replace(worth, "  at 1e11 FLOPs: […]");
    insta::assert_snapshot!(text, @r#"
    demo: 30 trials over 3 budgets, 1.4e11 FLOPs
    D counts tokens; 512 of them a step; 400k unique

       budget  d_model         N         D       D/N     steps      FLOPs  seeds
          1e9        4       640      261k       407       509        1e9  0 1
                     8     2.05k     81.4k      39.8       159        1e9  0 1
                    12     4.22k     39.4k      9.33        77     9.99e8  0 1
                    16     7.17k       23k      3.21        45     9.91e8  0 1
                    24     15.4k     10.8k       0.7        21     9.91e8  0 1
          3e9        8     2.05k      244k       119       477        3e9  0 1
                    12     4.22k      118k        28       231        3e9  0 1
                    16     7.17k     69.6k      9.71       136     2.99e9  0 1
                    24     15.4k     32.8k      2.13        64     3.02e9  0 1
                    32     26.6k     18.9k      0.71        37     3.03e9  0 1
         1e10        8     2.05k      814k       397      1589       1e10  0 1
                    16     7.17k      232k      32.4       454       1e10  0 1
                    24     15.4k      109k      7.07       212       1e10  0 1
                    32     26.6k     62.5k      2.35       122     9.98e9  0 1
                    48     58.4k     28.7k      0.49        56       1e10  0 1

    warning: 2 trials see data more than once (up to 2.03 passes over 400k tokens); repeated data teaches less, and the laws assume fresh data
    warning: 6 trials warm up for more than 20 % of their steps (up to 48 %), which bends the fitted exponents; shorten train.warmup or raise sweep.min_steps

    what it is worth: 95 % intervals, medians of 40 simulated sweeps (usual laws, analysis.prior; noise 0.010)
      at 1e11 FLOPs: […]

    to train: 30 trials, 1.4e11 FLOPs, about 13 s (between 4 s and 38 s; a rule of thumb for CPU cores, nothing measured yet)
    output: [dir]/outputs/demo
    "#);
    assert!(bench.trained().is_empty());
    assert_eq!(ended.err, "");
}

#[test]
fn plan_in_json_is_one_document() {
    let bench = Workbench::new();
    let ended = bench.run(&["plan", "--format", "json"]).expect(0);
    let plan: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(plan["plan"]["budgets"].as_array().map(Vec::len), Some(3));
    assert_eq!(plan["estimate"]["trials"], 15);
    assert_eq!(plan["estimate"]["basis"]["kind"], "guessed");
    assert_eq!(plan["outlook"]["basis"], "assumed");
    let worth = &plan["outlook"]["worth"][0];
    assert_eq!(worth["c"], 1e11);
    assert!(worth["n"].as_f64() > Some(1.0), "{worth}");
    assert!(worth["loss"].as_f64() > Some(0.0), "{worth}");
}

#[test]
fn a_range_of_sizes_goes_round_what_the_model_refuses() {
    let manifest = MANIFEST
        .replace(
            "size_param = \"d_model\"",
            "size_param = \"d_model\"\nsizes = { min = 4, max = 64, multiple_of = 4 }",
        )
        .replace("n_layer = 2", "n_layer = 2\nrefuses = [12, 20]");
    let bench = Workbench::with(&manifest);
    let ended = bench
        .run(&["plan", "manifest.toml", "--set", "sweep.budgets=[1e9]"])
        .expect(0);
    assert!(
        ended.out.contains(
            "skipped sizes:\n  12 and 1 more: refused by the model: d_head: 8 does not divide 12\n"
        ),
        "{}",
        ended.out
    );
}

#[test]
fn a_run_ends_with_the_table_and_leaves_its_files() {
    let bench = Workbench::new();
    let ended = bench.run(&["run"]).expect(0);
    assert!(
        ended.out.contains("demo: 15 trials, 15 completed in "),
        "{}",
        ended.out
    );
    assert!(ended.err.contains("to train: 15 trials"), "{}", ended.err);
    assert!(ended.err.contains("[15/15] "), "{}", ended.err);
    for file in [
        "manifest.toml",
        "plan.json",
        "runs.csv",
        "analysis.json",
        "table.md",
    ] {
        assert!(bench.path("outputs/demo").join(file).is_file(), "{file}");
    }

    // The later commands take the manifest, the folder or the table alike.
    let by_manifest = bench.run(&["table"]).expect(0).out;
    assert_eq!(
        bench.run(&["table", "outputs/demo"]).expect(0).out,
        by_manifest
    );
    let predict = ["predict", "--budget", "1e11", "--out", "forecast.json"];
    let predicted = bench.run(&predict).expect(0).out;
    assert!(predicted.contains("1e11"), "{predicted}");
    assert!(bench.path("forecast.json").is_file());
    let from_table = bench
        .run(&[
            "predict",
            "outputs/demo/runs.csv",
            "--budget",
            "1e11",
            "--format",
            "json",
        ])
        .expect(0);
    let forecast: Value = serde_json::from_str(&from_table.out).expect("JSON");
    assert_eq!(forecast["predictions"].as_array().map(Vec::len), Some(1));

    let status = bench.run(&["status"]).expect(0).out;
    assert!(
        status.contains("15 completed, 0 diverged, 0 failed, 0 to be trained; 100 %"),
        "{status}"
    );
}

#[test]
fn a_sweep_says_what_it_will_be_worth_and_what_to_train_next() {
    let bench = Workbench::new();
    let noisy = ["plan", "--set", "analysis.prior={ noise = 0.5 }"];
    let [quiet, noisy] = [&["plan"][..], &noisy].map(|command| {
        let command: Vec<&str> = command
            .iter()
            .copied()
            .chain(["--format", "json"])
            .collect();
        let plan: Value = serde_json::from_str(&bench.run(&command).expect(0).out).expect("JSON");
        plan["outlook"]["worth"][0].clone()
    });
    let no_interval = noisy["n"].is_null();
    assert!(
        no_interval || noisy["n"].as_f64() > quiet["n"].as_f64(),
        "{noisy} {quiet}"
    );

    let status = bench.run(&["status"]).expect(0).out;
    assert!(!status.contains("next run"), "{status}");
    bench.run(&["train"]).expect(0);
    let status = bench.run(&["status"]).expect(0).out;
    assert!(
        status.contains("\nN* at 1e12 FLOPs is known within ×/÷ "),
        "{status}"
    );
    assert!(status.contains("\nbest next run"), "{status}");
    let wish = ["status", "--set", "analysis.wish={ n = 1000.0 }"];
    let status = bench.run(&wish).expect(0).out;
    let sentences = status.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        sentences.contains("1000.00 was wished: nothing more has to be trained"),
        "{status}"
    );
    assert!(!status.contains("best next run"), "{status}");
    let no_intervals = ["status", "--set", "analysis.draws=0"];
    let status = bench.run(&no_intervals).expect(0).out;
    assert!(
        status.contains("\nno advice on the next run: intervals are switched off"),
        "{status}"
    );
    let json = bench.run(&["status", "--format", "json"]).expect(0).out;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let size = json["advice"]["next"]["run"]["n"].as_f64();
    let sizes: Vec<Option<f64>> = json["trials"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|trial| trial["n"].as_f64())
        .collect();
    assert!(sizes.contains(&size), "{size:?}");
    let plan = bench
        .run(&["plan", "--set", "analysis.wish={ n = 1.5 }"])
        .expect(0)
        .out;
    assert!(
        plan.contains("(laws that the finished runs allow; "),
        "{plan}"
    );
    assert!(plan.contains(" (wished: 1.50)"), "{plan}");
}

#[test]
fn the_resolved_manifest_runs_the_same_trials() {
    let bench = Workbench::new();
    bench.run(&["run", "--set", "train.lr=0.5"]).expect(0);
    let copy = bench.path("outputs/demo/manifest.toml");
    std::fs::rename(bench.path("manifest.toml"), bench.path("gone.toml")).expect("renamed");
    let again = bench.run(&["train", &copy.display().to_string()]).expect(0);
    assert!(again.out.contains("15 had results already"), "{again:?}");
    let again = bench.run(&["train", "outputs/demo"]).expect(0);
    assert!(again.out.contains("15 had results already"), "{again:?}");
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let bench = Workbench::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = bench.run(&["completions", shell]).expect(0).out;
        for word in ["visualize", "doctor", "--accept-rebuilt"] {
            let word = if shell == "fish" {
                word.trim_start_matches('-')
            } else {
                word
            };
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
    bench.run(&["completions", "tcl"]).expect(2);
    let page = bench.run(&["man"]).expect(0).out;
    assert!(
        page.starts_with(".ie") && page.contains("flops\\-fit"),
        "{page}"
    );
    bench.run(&["man", "--out", "pages/man1"]).expect(0);
    let page = std::fs::read_to_string(bench.path("pages/man1/flops-fit-run.1")).expect("written");
    assert!(page.contains("accept\\-rebuilt"), "{page}");
}

#[test]
fn budgets_as_times_are_measured_once() {
    let sweep = MANIFEST.find("[sweep]").expect("a sweep");
    let run = MANIFEST.find("[run]").expect("a run");
    let manifest = format!(
        "{}[sweep]\nbudgets = [1e9, \"1 min\"]\nmin_steps = 20\n\n{}",
        &MANIFEST[..sweep],
        &MANIFEST[run..]
    );
    let sizes = "size_param = \"d_model\"\nsizes = { min = 4, max = 256, multiple_of = 4 }";
    let bench = Workbench::with(&manifest.replace("size_param = \"d_model\"", sizes));
    let ended = bench.run(&["plan", "--format", "json"]).expect(0);
    assert!(
        ended.err.contains("a budget of 1 min is ") && ended.err.contains("measured now"),
        "{}",
        ended.err
    );
    assert!(!bench.trained().is_empty(), "the rate is of a real trial");
    let begun = bench.trained().len();
    let plan = |text: &str| -> Vec<String> {
        let planned: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let budgets = planned["plan"]["budgets"].as_array().expect("budgets");
        budgets
            .iter()
            .map(|budget| budget["budget"].to_string())
            .collect()
    };
    let again = bench.run(&["plan", "--format", "json"]).expect(0);
    assert!(again.err.contains("measured earlier"), "{}", again.err);
    assert_eq!(plan(&again.out), plan(&ended.out));
    assert_eq!(bench.trained().len(), begun);
    // The resolved copy has FLOPs alone.
    let copy = std::fs::read_to_string(bench.path("outputs/demo/manifest.toml")).expect("read");
    assert!(!copy.contains("min\"") && !copy.contains("nan"), "{copy}");
    // Another recipe is another rate.
    let other = bench.run(&["plan", "--set", "train.lr=0.5"]).expect(0);
    assert!(other.err.contains("measured now"), "{}", other.err);
    let ended = bench.run(&["plan", "--set", "trainer=simulated"]).expect(3);
    assert!(
        ended.err.contains("a simulation takes no time"),
        "{}",
        ended.err
    );
}
