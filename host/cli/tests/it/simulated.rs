//! Sweeps whose losses are a law's.

use std::fs;

use serde_json::Value;

use crate::workbench::{MANIFEST, Workbench};

/// A design without a model: Chinchilla's law from 1e18 to 1e21 FLOPs.
const DESIGN: &str = r#"
name = "design"
trainer = { kind = "simulated", law = "chinchilla", noise = 0.01, seed = 3 }

[model]
sizes = { min = 10_000_000, max = 12_000_000_000, multiple_of = 10_000_000 }

[sweep]
budgets = { min = 1e18, max = 1e21, count = 4 }

[analysis]
draws = 50
targets = [1e22]
"#;

#[test]
fn a_design_runs_from_plan_to_report_without_model_or_worker() {
    let bench = Workbench::with(DESIGN);
    let mut command = bench.command(&["run", "--format", "json"]);
    let output = command.env("FLOPS_FIT_WORKER", "/nowhere").output();
    let ended = bench.ended(&output.expect("started")).expect(0);
    let ran: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(ran["sweep"]["completed"], 28);
    assert!(
        ended
            .err
            .contains("nothing is trained: losses are 1.69 + 406.4/N^0.34 + 410.7/D^0.28"),
        "{}",
        ended.err
    );
    let folder = bench.path("outputs/design-simulated");
    for name in ["plan.json", "runs.csv", "analysis.json", "report.html"] {
        assert!(folder.join(name).is_file(), "{name}");
    }
    let report = fs::read_to_string(folder.join("report.html")).expect("read");
    assert!(report.contains("design (simulated)"), "it must say so");

    // The same seed is the same sweep, another one is another.
    let losses = |seed: &str| {
        let ended = bench
            .run(&["run", "--format", "json", "--set", seed])
            .expect(0);
        let ran: Value = serde_json::from_str(&ended.out).expect("JSON");
        let kept = ran["sweep"]["kept"].clone();
        (kept, ran["analysis"]["points"].clone())
    };
    let (kept, again) = losses("trainer.seed=3");
    assert_eq!(kept, 28);
    assert_eq!(again, ran["analysis"]["points"]);
    let (kept, other) = losses("trainer.seed=4");
    assert_eq!(kept, 0);
    assert_ne!(other, again);
    bench.run(&["status"]).expect(0);
}

#[test]
fn a_real_sweep_is_tried_at_the_sizes_of_its_plugin() {
    let bench = Workbench::with(MANIFEST);
    let planned = bench.run(&["plan", "--format", "json"]).expect(0);
    let simulated = ["run", "--format", "json", "--set", "trainer=simulated"];
    let ended = bench.run(&simulated).expect(0);
    let plan: Value = serde_json::from_str(&planned.out).expect("JSON");
    let ran: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(ran["sweep"]["completed"], 15);
    let n = |value: &Value| value.as_f64().expect("N");
    let planned: Vec<f64> = plan["plan"]["budgets"]
        .as_array()
        .expect("budgets")
        .iter()
        .flat_map(|budget| budget["trials"].as_array().expect("trials"))
        .map(|trial| n(&trial["n"]))
        .collect();
    let points = ran["analysis"]["points"].as_array().expect("points");
    let simulated: Vec<f64> = points.iter().map(|point| n(&point["n"])).collect();
    assert_eq!(simulated, planned);
    assert!(bench.trained().is_empty(), "nothing was to be trained");
    assert!(
        bench.results().is_empty(),
        "the real sweep's folder is its own"
    );
}

/// A design that is changed so is refused in these words.
fn check(set: &str, words: &str) {
    let bench = Workbench::with(DESIGN);
    let ended = bench.run(&["plan", "--set", set]).expect(3);
    assert!(ended.err.contains(words), "{}", ended.err);
}

#[test]
fn mistakes_name_key_and_line() {
    check(
        "trainer=simulate",
        "trainer: found \"simulate\"; did you mean `simulated`?",
    );
    check(
        "trainer.noise=-1",
        "trainer.noise: found -1, expected a standard deviation of at least 0",
    );
    check("trainer.law='chinchila'", "did you mean `chinchilla`?");
    check("trainer.law={ e = 1 }", "trainer.law.a: missing; expected");
    check("trainer.command=[]", "trainer.");
    check(
        "trainer=7",
        "trainer: found 7, expected \"plugins\", \"simulated\"",
    );
    let bench = Workbench::with(DESIGN);
    let ended = bench.run(&["check", "manifest.toml"]).expect(3);
    assert!(
        ended
            .err
            .contains("model.plugin: missing; expected the library of a plugin"),
        "{}",
        ended.err
    );
}

/// The batch follows D, to a power of two, and the rate the root of the batch.
#[test]
fn a_batch_grows_with_the_data_and_the_rate_with_it() {
    let sets = [
        "--set",
        "train.batch_tokens={ auto = 65536, d = 1e9 }",
        "--set",
        "train.lr=0.1",
    ];
    let bench = Workbench::with(DESIGN);
    let told = |format: &[&str]| {
        let arguments = [&["plan"][..], format, &sets].concat();
        bench.run(&arguments).expect(0).out
    };
    let planned: Value = serde_json::from_str(&told(&["--format", "json"])).expect("JSON");
    let plan = &planned["plan"];
    assert!(plan.get("units_per_step").is_none());
    assert_eq!(plan["batch"]["grows_from"], 1e9);
    let mut batches = std::collections::BTreeSet::new();
    let budgets = plan["budgets"].as_array().expect("budgets");
    for trial in budgets
        .iter()
        .flat_map(|budget| budget["trials"].as_array().expect("trials"))
    {
        let number = |key: &str| trial[key].as_f64().expect("a number");
        let batch = number("units_per_step");
        assert_eq!((batch * number("steps")).to_bits(), number("d").to_bits());
        let off = batch / (65536.0 * (number("d") / 1e9).powf(0.383));
        assert!((0.7..1.43).contains(&off), "{off}");
        assert!((batch as u64).is_power_of_two(), "{batch}");
        // To four digits.
        assert!((number("lr") / (0.1 * (batch / 65536.0).sqrt()) - 1.0).abs() < 1e-3);
        batches.insert(batch as u64);
    }
    assert!(batches.len() > 2, "{batches:?}");
    let text = told(&[]);
    assert!(
        text.contains(
            "a step sees 65536 of them where a trial sees 1B; in others it goes as D^0.383"
        ),
        "{text}"
    );
    assert!(text.contains("a step         lr  seeds"), "{text}");
    let arguments = [&["run"][..], &sets].concat();
    let told = bench.run(&arguments).expect(0).out;
    let words =
        "the batch went as D^0.383 and lr as its root, from 65.5k tokens a step in a trial of 1B;";
    assert!(told.contains(words), "{told}");
    // The copy of the manifest has the same trials.
    let copy = "outputs/design-simulated/manifest.toml";
    let copied = bench.run(&["plan", copy, "--format", "json"]).expect(0).out;
    let copied: Value = serde_json::from_str(&copied).expect("JSON");
    assert_eq!(&copied["plan"], plan);
}

#[test]
fn mistakes_in_a_batch_name_key_and_line() {
    check(
        "train.batch_tokens=atuo",
        "train.batch_tokens: found \"atuo\"; did you mean `auto`?",
    );
    check(
        "train.batch_tokens={ auto = 0 }",
        "train.batch_tokens.auto: found 0, expected a whole number of at least 1",
    );
    check(
        "train.batch_tokens='512'",
        "train.batch_tokens: found the string \"512\", expected a whole number of at least 1, \"auto\", or {",
    );
    check(
        "train.batch_tokens={ auto = 512 }",
        "train.batch_tokens.d: missing; expected a number of units above 0, those that a trial sees",
    );
    check(
        "train.batch_tokens=[512]",
        "train.batch_tokens: found a list of 1, expected a whole number of at least 1, \"auto\", or {",
    );
    check(
        "train={ batch_tokens = \"auto\", schedule = { kind = \"wsd\", reuse_trunk = true } }",
        "train.batch_tokens: found a batch that depends on D, expected one that does not",
    );
}
