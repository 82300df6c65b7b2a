//! Budgets that are given as times: measured once, and kept.

use std::fs;

use serde_json::Value;

use crate::workbench::{Ended, MANIFEST, Workbench};

/// What the fake worker claims to do in a second.
const RATE: f64 = 1e11;

/// A manifest with `budgets`; `config` goes to the fake worker.
fn bench(budgets: &str, config: &str) -> Workbench {
    let (head, rest) = MANIFEST.split_once("grid = [").expect("a grid");
    let (_, tail) = rest.split_once("\n]").expect("its end");
    let sizes = "size_param = \"d_model\"\nsizes = { min = 4, max = 1024, multiple_of = 4 }";
    let manifest = format!("{head}budgets = {budgets}{tail}")
        .replace("size_param = \"d_model\"", sizes)
        .replace(
            "n_layer = 2",
            &format!("flops_per_second = {RATE:e}\n{config}"),
        );
    Workbench::with(&manifest)
}

fn document(bench: &Workbench, name: &str) -> Value {
    let text = fs::read(bench.path("outputs/demo").join(name)).expect(name);
    serde_json::from_slice(&text).expect("JSON")
}

/// What is said of the rate.
fn note(ended: &Ended) -> String {
    let line = ended.err.lines().find(|line| line.contains("a budget of"));
    line.unwrap_or_else(|| panic!("{ended:?}")).to_owned()
}

#[test]
fn a_rate_that_is_none_is_set_aside_and_a_newer_one_left_alone() {
    let bench = bench(r#"["1 s", "10 s", "1 min"]"#, "");
    bench.run(&["plan"]).expect(0);
    let path = bench.path("outputs/demo/rate.json");
    fs::write(&path, "{\"format\": 1, \"of\"").expect("written");
    let ended = bench.run(&["plan"]).expect(0);
    assert!(
        ended
            .err
            .contains("warning: set aside as [dir]/outputs/demo/rate.json.aside-1: "),
        "{}",
        ended.err
    );
    assert!(note(&ended).contains("measured now"));

    // A rate that is another now would be other budgets.
    let plan = document(&bench, "plan.json");
    let text = fs::read_to_string(&path).expect("read");
    let changed = text.replacen("\"flops\": ", "\"flops\": 1", 1);
    assert_ne!(changed, text);
    fs::write(&path, changed).expect("written");
    let ended = bench.run(&["plan"]).expect(0);
    for words in ["rate.json.aside-2: ", "its checksum is another"] {
        assert!(ended.err.contains(words), "{}", ended.err);
    }
    assert!(note(&ended).contains("measured now"));
    assert_eq!(document(&bench, "plan.json"), plan);

    // Earlier builds wrote none.
    let mut older = document(&bench, "rate.json");
    older.as_object_mut().expect("an object").remove("checksum");
    fs::write(&path, older.to_string()).expect("written");
    let ended = bench.run(&["plan"]).expect(0);
    assert!(note(&ended).contains("measured earlier"));

    fs::write(&path, "{\"format\": 99}").expect("written");
    let ended = bench.run(&["plan"]).expect(1);
    assert!(ended.err.contains("upgrade flops-fit"), "{}", ended.err);
    let text = fs::read_to_string(&path).expect("read");
    assert_eq!(text, "{\"format\": 99}");
}

#[test]
fn a_rate_is_measured_once_and_its_budgets_are_kept() {
    let bench = bench(r#"["1 s", "10 s", "1 min"]"#, "");
    let first = bench.run(&["plan"]).expect(0);
    let (rate, plan) = (document(&bench, "rate.json"), document(&bench, "plan.json"));
    // The short trial claims what it was told to, whatever its length.
    let measured = rate["flops_per_second"].as_f64().expect("a rate");
    assert!((measured / RATE - 1.0).abs() < 1e-9, "{rate}");
    assert!(
        bench.results().is_empty(),
        "a plan trains nothing of its own"
    );
    let probes = bench.trained().len();
    assert!((1..=5).contains(&probes), "{probes}");

    // Each budget is what its time buys at its own optimum's N, to which the rate is
    // carried by the rule of thumb, N^0.44 up to a million parameters.
    let n = rate["n"].as_f64().expect("N");
    let budgets = plan["budgets"].as_array().expect("budgets");
    assert_eq!(budgets.len(), 3);
    for (budget, seconds) in budgets.iter().zip([1.0, 10.0, 60.0]) {
        let flops = budget["budget"].as_f64().expect("FLOPs");
        let center = budget["center"].as_f64().expect("N");
        let bought = seconds * RATE * (center / n).powf(0.44);
        assert!((flops / bought - 1.0).abs() < 0.01, "{flops:e} {bought:e}");
    }
    let said = note(&first);
    assert!(said.contains("a budget of 1 min is "), "{said}");
    assert!(said.contains("a trial does 1e11 FLOP/s at N = "), "{said}");
    let place = "measured now (remove [dir]/outputs/demo/rate.json to measure again)";
    assert!(said.contains(place), "{said}");

    // The next one has the same plan without a trial.
    let again = bench.run(&["plan"]).expect(0);
    assert_eq!(
        note(&again),
        said.replace("measured now", "measured earlier")
    );
    assert_eq!(document(&bench, "plan.json"), plan);
    assert_eq!(document(&bench, "rate.json"), rate);
    assert_eq!(bench.trained().len(), probes);
    bench
        .run(&["plan", "--set", "sweep.seeds=[0, 1]"])
        .expect(0);
    assert_eq!(bench.trained().len(), probes, "seeds don't change a rate");

    // Another model has another rate.
    let faster = "model.config.flops_per_second=3e11";
    let other = bench.run(&["plan", "--set", faster]).expect(0);
    assert!(
        note(&other).contains("a trial does 3e11 FLOP/s"),
        "{other:?}"
    );
    let measured = document(&bench, "rate.json")["flops_per_second"].as_f64();
    assert!((measured.expect("a rate") / 3e11 - 1.0).abs() < 1e-9);
    assert!(bench.trained().len() > probes);
}

#[test]
fn a_sweep_by_time_trains_what_was_planned() {
    let bench = bench(r#"["1 s", "3 s", "10 s"]"#, "");
    bench.run(&["plan"]).expect(0);
    let (plan, probes) = (document(&bench, "plan.json"), bench.trained().len());
    bench.run(&["run"]).expect(0);
    assert_eq!(document(&bench, "plan.json"), plan);
    let trials = plan["budgets"].as_array().expect("budgets").iter();
    let planned: usize = trials
        .map(|budget| budget["trials"].as_array().expect("trials").len())
        .sum();
    assert_eq!(bench.results().len(), planned);
    assert_eq!(bench.trained().len(), probes + planned);
}

#[test]
fn no_rate_no_plan() {
    let everywhere = (1..=256).map(|i| format!("{} = \"panic\"", 4 * i));
    let faults = format!(
        "faults = {{ {} }}",
        everywhere.collect::<Vec<_>>().join(", ")
    );
    let bench = bench(r#"["1 s", "3 s"]"#, &faults);
    let ended = bench.run(&["plan"]).expect(5);
    let words = "the short trial by which budgets given as times become FLOPs failed: ";
    assert!(ended.err.contains(words), "{}", ended.err);
    assert!(ended.err.contains("index out of bounds"), "{}", ended.err);
    assert!(!bench.path("outputs/demo/plan.json").exists());

    let ended = bench.run(&["plan", "--set", "trainer=simulated"]).expect(3);
    let words = "a simulation takes no time; write these budgets in FLOPs";
    assert!(ended.err.contains(words), "{}", ended.err);
}
