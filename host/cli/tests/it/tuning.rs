//! Learning rates that are tuned before the sweep, by simulation.

use std::fs;

use serde_json::Value;

use crate::workbench::{MANIFEST, Workbench};

/// Chinchilla's law, and a best rate that falls with N.
const SWEEP: &str = r#"
name = "rates"

[trainer]
kind = "simulated"
noise = 0.0
lr = { best = 0.8, n = 1e8, d = 2e9, n_exponent = -0.25, d_exponent = 0.1 }

[model]
sizes = { min = 10_000_000, max = 4_000_000_000, multiple_of = 10_000_000 }

[sweep]
budgets = [1e18, 4e18, 1.6e19, 6.4e19]

[train]
lr = { tune = [0.5, 1, 2] }

[analysis]
draws = 0
"#;

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// `text` without its line breaks and columns.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn planned(bench: &Workbench, sets: &[&str]) -> Value {
    let mut arguments = vec!["plan", "--format", "json"];
    arguments.extend(sets.iter().flat_map(|set| ["--set", set]));
    json(&bench.run(&arguments).expect(0).out)["plan"].take()
}

/// The plan's trials, those that tune included or not.
fn trials(budgets: &Value) -> impl Iterator<Item = &Value> {
    let budgets = budgets.as_array().expect("a list");
    budgets
        .iter()
        .flat_map(|budget| budget["trials"].as_array().expect("a list"))
}

/// The best rate of the simulation.
fn best(trial: &Value) -> f64 {
    let (n, d) = (number(&trial["n"]), number(&trial["d"]));
    0.8 * (n / 1e8).powf(-0.25) * (d / 2e9).powf(0.1)
}

/// A batch that grows multiplies rates; those that are tried are rates at the batch that it
/// grows from.
#[test]
fn rates_are_tuned_for_the_batch_that_others_grow_from() {
    let bench = Workbench::with(SWEEP);
    let set = "train.batch_tokens={ auto = 65536, d = 1e9 }";
    let plan = planned(&bench, &[set]);
    let mut batches = std::collections::BTreeSet::new();
    for trial in trials(&plan["tuning"]["budgets"]) {
        let units = number(&trial["units_per_step"]);
        let rate = number(&trial["lr"]) / (units / 65536.0).sqrt();
        let listed = [0.5, 1.0, 2.0].iter();
        let near = listed.filter(|&&listed| (rate / listed - 1.0_f64).abs() < 1e-3);
        assert_eq!(near.count(), 1, "{trial}");
        batches.insert(units as u64);
    }
    assert!(batches.len() > 1, "{batches:?}");
    let upcoming = plan["upcoming"]["trials"].as_array().expect("a list");
    assert!(
        upcoming
            .iter()
            .all(|trial| trial["units_per_step"].is_u64())
    );

    bench.run(&["run", "--set", set]).expect(0);
    let plan = planned(&bench, &[set]);
    let settled = plan["tuning"]["decisions"].as_array().expect("a list");
    let law = &settled.last().expect("decided")["law"];
    for trial in trials(&plan["budgets"]) {
        let of = |key: &str| number(&law[key]);
        let at = of("lr")
            * (number(&trial["n"]) / of("n")).powf(of("n_exponent"))
            * (number(&trial["d"]) / of("d")).powf(of("d_exponent"));
        let scaled = at * (number(&trial["units_per_step"]) / 65536.0).sqrt();
        // Rates have four digits before they are scaled.
        assert!(
            (number(&trial["lr"]) / scaled - 1.0).abs() < 1e-3,
            "{trial}"
        );
    }
}

#[test]
fn a_law_is_tuned_planned_kept_and_told() {
    let bench = Workbench::with(SWEEP);
    let text = bench.run(&["plan"]).expect(0).out;
    assert!(
        text.contains("28 trials over 4 budgets")
            && text.contains("once their learning rate is known"),
        "{text}"
    );
    assert!(text.contains("then a law of the rate in N and D, since the model's configuration says nothing of its parametrization"), "{text}");
    let before = planned(&bench, &[]);
    assert_eq!(trials(&before["budgets"]).count(), 0);
    let first = trials(&before["tuning"]["budgets"]).count();
    assert_eq!(first % 3, 0);
    assert!(number(&before["tuning"]["share"]) <= 0.1);
    let ratio = number(&before["flops"]) / number(&before["tuning"]["flops"]);
    assert!((ratio - 1.0).abs() < 1e-12);

    let ended = bench.run(&["run"]).expect(0);
    assert!(
        ended.err.contains("decided: learning rate: "),
        "{}",
        ended.err
    );
    let plan = planned(&bench, &[]);
    assert!(
        number(&plan["tuning"]["share"]) <= 0.1,
        "extensions included"
    );
    let tuned = trials(&plan["tuning"]["budgets"]).count();
    assert_eq!(trials(&plan["budgets"]).count(), 28);
    for trial in trials(&plan["budgets"]) {
        let off = number(&trial["lr"]) / best(trial);
        assert!((off - 1.0).abs() < 1e-3, "{off}");
    }

    // Every trial is a row, and those that tuned are in no fit.
    let rows = fs::read_to_string(bench.path("outputs/rates-simulated/runs.csv")).expect("read");
    let mut reader = csv::Reader::from_reader(rows.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let tuning = header
        .iter()
        .position(|column| column == "tuning")
        .expect("a column");
    let marks = reader
        .records()
        .map(|row| row.expect("a row")[tuning].to_owned());
    assert_eq!(marks.filter(|mark| mark == "true").count(), tuned);
    let analysis = fs::read_to_string(bench.path("outputs/rates-simulated/analysis.json"));
    let analysis = json(&analysis.expect("read"));
    assert_eq!(analysis["points"].as_array().expect("a list").len(), 28);
    assert_eq!(analysis["learning_rate"]["transfer"], "law");
    fs::write(bench.path("runs.csv"), &rows).expect("written");
    for checks in [
        &["--draws", "0"][..],
        &["--draws", "0", "--no-quality-checks"],
    ] {
        let mut arguments = vec!["analyze", "runs.csv", "--format", "json"];
        arguments.extend(checks);
        let again = json(&bench.run(&arguments).expect(0).out);
        assert_eq!(again["points"].as_array().expect("a list").len(), 28);
    }
    let status = bench.run(&["status"]).expect(0).out;
    assert_eq!(status.matches(", tuning at lr ").count(), tuned, "{status}");
    assert!(
        words(&status).contains("a law through the best rates of"),
        "{status}"
    );

    // Once found, the rates stay, whatever is added, and the copy of the manifest has them.
    let again = bench.run(&["run"]).expect(0).out;
    let all = tuned + 28;
    assert!(
        again.contains(&format!("{all} had results already")),
        "{again}"
    );
    let more = "sweep.budgets=[2.5e17, 1e18, 4e18, 1.6e19, 6.4e19]";
    let ids = |plan: &Value| -> Vec<Value> {
        trials(&plan["budgets"])
            .map(|trial| trial["id"].clone())
            .collect()
    };
    let wider = ids(&planned(&bench, &[more]));
    assert_eq!(wider.len(), 35);
    assert!(ids(&plan).iter().all(|id| wider.contains(id)));
    let copy = "outputs/rates-simulated/manifest.toml";
    let copied = json(&bench.run(&["plan", copy, "--format", "json"]).expect(0).out);
    assert_eq!(ids(&copied["plan"]), wider);
}

#[test]
fn what_is_tuned_depends_on_results_alone() {
    let whole = Workbench::with(SWEEP);
    whole.run(&["train"]).expect(0);
    // Its decision lost, and half of its trials with it.
    let bench = Workbench::with(SWEEP);
    bench.run(&["train"]).expect(0);
    let output = bench.path("outputs/rates-simulated");
    fs::remove_file(output.join("tuning.json")).expect("removed");
    for (at, entry) in fs::read_dir(output.join("trials"))
        .expect("listed")
        .enumerate()
    {
        if at % 2 == 0 {
            fs::remove_dir_all(entry.expect("listed").path()).expect("removed");
        }
    }
    bench.run(&["train"]).expect(0);
    assert_eq!(planned(&bench, &[]), planned(&whole, &[]));
}

#[test]
fn one_rate_serves_all_where_the_manifest_or_the_model_says_so() {
    let bench = Workbench::with(SWEEP);
    let one = "train.lr={ tune = [0.5, 1, 2], transfer = \"one_rate\" }";
    bench.run(&["train", "--set", one]).expect(0);
    let plan = planned(&bench, &[one]);
    let rates: Vec<&Value> = trials(&plan["budgets"]).map(|trial| &trial["lr"]).collect();
    assert!(rates.iter().all(|lr| lr == &rates[0]), "{rates:?}");
    // The two smallest sizes of the lowest budget differ by what the law says.
    let two: Vec<f64> = plan["tuning"]["points"]
        .as_array()
        .expect("a list")
        .iter()
        .map(best)
        .collect();
    assert_eq!(two.len(), 2);
    let mean = (two[0] * two[1]).sqrt();
    assert!((number(rates[0]) / mean - 1.0).abs() < 1e-3);

    let said = SWEEP.replace(
        "[sweep]",
        "[model.config]\nparametrization = \"u_mup\"\n\n[sweep]",
    );
    let plan = planned(&Workbench::with(&said), &[]);
    assert_eq!(plan["tuning"]["transfer"], "one_rate");
    assert_eq!(
        plan["tuning"]["because"],
        "since the model's parametrization is u_mup"
    );
}

#[test]
fn a_rate_at_an_end_is_gone_beyond_or_given_up() {
    let bench = Workbench::with(SWEEP);
    let high = "train.lr={ tune = [2, 4, 8], transfer = \"one_rate\" }";
    bench.run(&["train", "--set", high]).expect(0);
    let plan = planned(&bench, &[high]);
    let rates = trials(&plan["tuning"]["budgets"]).map(|trial| number(&trial["lr"]));
    assert!(rates.fold(f64::INFINITY, f64::min) < 2.0);
    let lr = number(&trials(&plan["budgets"]).next().expect("a trial")["lr"]);
    let two: f64 = plan["tuning"]["points"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|p| best(p).ln())
        .sum();
    assert!((lr / (two / 2.0).exp() - 1.0).abs() < 1e-3, "{lr}");

    let far = "train.lr={ tune = [100, 110, 120], transfer = \"one_rate\" }";
    let ended = bench.run(&["train", "--set", far]).expect(3);
    assert!(
        ended
            .err
            .contains("train.lr.tune: found no best rate (size ")
            && ended
                .err
                .contains("expected rates that enclose the best one of some point"),
        "{}",
        ended.err
    );
}

/// A rate is decided by all of its trials: one that fails stops the sweep before it.
#[test]
fn a_trial_that_fails_leaves_the_rate_open() {
    let faulty = MANIFEST.replace("n_layer = 2", "n_layer = 2\nfaults = { 4 = \"exit\" }");
    let lr = "train.lr={ tune = [0.5, 1, 2], transfer = \"one_rate\", share = 1 }";
    let bench = Workbench::with(&faulty);
    let ended = bench.run(&["run", "--set", lr]).expect(5);
    assert!(
        ended.out.contains("3 completed, 3 failed")
            && ended.out.contains("the sweep was not trained: its learning rate is decided by all trials that tune it; mend what failed and run again, or set train.lr to a rate\n"),
        "{}",
        ended.out
    );
    assert_eq!(bench.trained().len(), 6);
}

#[test]
fn mistakes_say_what_to_change() {
    let bench = Workbench::with(SWEEP);
    let check = |set: &str, words: &str| {
        let ended = bench.run(&["plan", "--set", set]).expect(3);
        assert!(ended.err.contains(words), "{}", ended.err);
    };
    check(
        "train.lr={ tune = [1, 2] }",
        "train.lr.tune: found a list of 2, expected 3 to 16 rates to try, such as [0.5, 1, 2]",
    );
    check(
        "train.lr={ tune = [1, 2, 1] }",
        "train.lr.tune[2]: found 1, expected a rate above 0 that is not listed before",
    );
    check(
        "train.lr={ tune = [1, 2, 4], share = 2 }",
        "train.lr.share: found 2, expected a share of the sweep's FLOPs above 0, at most 1",
    );
    check(
        "train.lr={ tune = [1, 2, 4], transfer = \"laws\" }",
        "train.lr.transfer: found \"laws\"; did you mean `law`?",
    );
    check(
        "train.lr={ tune = [1, 2, 4], share = 1e-12 }",
        "expected at most 0.000000000001 of them, train.lr.share; list fewer rates",
    );
    check(
        "train.lr={ lr = 1, n = 1e6, d = 1e7, n_exponent = -0.3 }",
        "train.lr.d_exponent: missing; expected",
    );
    check(
        "train={ lr = { tune = [1, 2, 4] }, schedule = { kind = \"wsd\", reuse_trunk = true } }",
        "found a law of the rate in N and D, expected one rate for all",
    );
    check(
        "trainer.lr={ best = 1, n_exponent = 100 }",
        "trainer.lr.n_exponent: found 100, expected an exponent from -3 to 3",
    );
    check(
        "trainer.lr={ best = 1, diverges = 0.5 }",
        "trainer.lr.diverges: found 0.5, expected a multiple of the best rate above 1",
    );
}

/// A law that is written out is followed as it is.
#[test]
fn a_law_can_be_given() {
    let bench = Workbench::with(SWEEP);
    let law = "train.lr={ lr = 0.8, n = 1e8, d = 2e9, n_exponent = -0.25, d_exponent = 0.1 }";
    let plan = planned(&bench, &[law]);
    assert!(plan.get("tuning").is_none());
    assert!(trials(&plan["budgets"]).all(|t| (number(&t["lr"]) / best(t) - 1.0).abs() < 1e-3));
    let text = bench.run(&["plan", "--set", law]).expect(0).out;
    assert!(words(&text).contains("FLOPs lr seeds"), "{text}");
}
