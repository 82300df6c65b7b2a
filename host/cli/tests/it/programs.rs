//! Trainers that are programs of the user's: one in Python that follows
//! docs/trainers.md, well and badly.

use std::fs;

use serde_json::Value;

use crate::workbench::{Ended, Workbench, wait_until};

const MANIFEST: &str = r#"
name = "demo"
trainer = { command = ["python3", "trainer.py"] }

[model]
size_param = "d_model"

[model.config]
n_layer = 2

[sweep]
grid = [
    { budget = 1e9, sizes = [4, 8, 12, 16, 24] },
    { budget = 3e9, sizes = [8, 12, 16, 24, 32] },
    { budget = 1e10, sizes = [8, 16, 24, 32, 48] },
]
min_steps = 20

[run]
jobs = 4
"#;

/// A workbench with the program, or `None`, said aloud, where there is no Python.
#[expect(clippy::print_stderr, reason = "a skipped test is told")]
fn bench(config: &str) -> Option<Workbench> {
    let python = std::process::Command::new("python3").arg("-V").output();
    if !python.is_ok_and(|python| python.status.success()) {
        eprintln!("skipped: there is no python3 on PATH");
        return None;
    }
    let bench = Workbench::with(&MANIFEST.replace("n_layer = 2", config));
    fs::write(bench.path("trainer.py"), include_str!("trainer.py")).expect("written");
    Some(bench)
}

fn results(bench: &Workbench) -> Vec<Value> {
    let texts = bench.results().into_iter();
    texts
        .map(|(_, text)| serde_json::from_str(&text).expect("JSON"))
        .collect()
}

#[test]
fn a_sweep_from_plan_to_report_and_again() {
    let Some(bench) = bench("") else { return };
    let ended = bench.run(&["run"]).expect(0);
    assert!(
        ended.out.contains("15 trials, 15 completed"),
        "{}",
        ended.out
    );
    for result in results(&bench) {
        assert_eq!(result["status"], "completed");
        assert_eq!(result["environment"]["worker"], "formula 1");
        assert!(result["checksum"].is_string(), "{result}");
        let hashes = &result["environment"]["libraries"];
        assert_eq!(hashes.as_object().expect("a map").len(), 1, "{hashes}");
        let measured = &result["measured"];
        let n = measured["n"].as_f64().expect("N");
        let d = measured["d"].as_f64().expect("D");
        // No FLOPs were described: 6N a token.
        assert_eq!(measured["c"].as_f64(), Some(6.0 * n * d));
    }
    let ended = bench.run(&["run"]).expect(0);
    assert!(
        ended.out.contains("15 had results already"),
        "{}",
        ended.out
    );
    assert_eq!(bench.trained().len(), 15);
    let slots = bench.trained();
    let slots = slots
        .iter()
        .map(|line| line.split(' ').nth(1).expect("a slot"));
    let slots: std::collections::BTreeSet<_> = slots.collect();
    assert_eq!(Vec::from_iter(slots), ["0", "1", "2", "3"]);

    // Another script under the same version is asked about, as a rebuilt library is.
    let script = fs::read_to_string(bench.path("trainer.py")).expect("read");
    fs::write(bench.path("trainer.py"), script + "\n# more\n").expect("written");
    let ended = bench.run(&["train"]).expect(9);
    assert!(
        ended.err.contains("trainer.py changed since 15 trials"),
        "{}",
        ended.err
    );
    bench.run(&["train", "--accept-rebuilt"]).expect(0);
    // Another version is another sweep.
    bench
        .run(&["train", "--set", "model.config.version='2'"])
        .expect(0);
    assert_eq!(bench.trained().len(), 30);
}

#[test]
fn a_result_that_was_not_sealed_yet_is_not_trained_again() {
    let Some(bench) = bench("") else { return };
    bench.run(&["train"]).expect(0);
    let (folder, _) = &bench.results()[0];
    let spec: Value =
        serde_json::from_slice(&fs::read(folder.join("trial.json")).expect("read")).expect("JSON");
    let unsealed = |id: &Value| {
        serde_json::json!({
            "id": id, "status": "completed", "loss": 1.5, "train_loss": 1.5,
            "steps": 20, "units": 1000,
        })
        .to_string()
    };
    let path = folder.join("result.json");
    fs::write(&path, unsealed(&spec["id"])).expect("written");
    let ended = bench.run(&["train"]).expect(0);
    assert!(
        ended.out.contains("15 had results already"),
        "{}",
        ended.out
    );
    let sealed: Value = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
    assert_eq!(sealed["measured"]["loss"], 1.5);
    assert!(sealed["checksum"].is_string());

    // One of another trial, or of nobody, is set aside and trained again.
    for foreign in [unsealed(&"0123456789abcdef".into()), "{\"id\":".to_owned()] {
        fs::write(&path, foreign).expect("written");
        let ended = bench.run(&["train"]).expect(0);
        assert!(
            ended.err.contains("result.json"),
            "nothing was said: {}",
            ended.err
        );
        assert!(ended.out.contains("1 completed"), "{}", ended.out);
    }
}

/// Trains with size 24 at fault.
fn faulty(fault: &str, sets: &[&str]) -> Option<(Workbench, Ended)> {
    let bench = bench(&format!("faults = {{ 24 = \"{fault}\" }}"))?;
    let mut arguments = vec!["train"];
    arguments.extend(sets.iter().flat_map(|set| ["--set", set]));
    let ended = bench.run(&arguments);
    Some((bench, ended))
}

#[test]
fn what_goes_wrong_is_one_sentence() {
    let trainer = "trainer `python3 trainer.py`";
    for (fault, sets, sentence) in [
        (
            "raise",
            vec![],
            "ended with status 1 and left no result.json; its last words:",
        ),
        (
            "kill",
            vec![],
            "ended with signal 9 (SIGKILL) and left no result.json",
        ),
        (
            "stranger",
            vec![],
            "its result.json can't be used: its id is 0123456789abcdef",
        ),
        ("nan", vec![], "JSON has no NaN"),
        ("lack", vec![], "missing field `units`"),
    ] {
        let Some((bench, ended)) = faulty(fault, &sets) else {
            return;
        };
        let ended = ended.expect(5);
        assert!(
            ended.out.contains("12 completed, 3 failed"),
            "{}",
            ended.out
        );
        assert!(ended.out.contains(sentence), "{fault}: {}", ended.out);
        assert!(ended.out.contains(trainer), "{fault}: {}", ended.out);
        assert_eq!(bench.trained().len(), 15);
    }
}

#[test]
fn limits_retries_and_halved_batches_are_those_of_plugins() {
    let Some((_, ended)) = faulty("hang", &["run.silence_limit=0.7"]) else {
        return;
    };
    let ended = ended.expect(5);
    assert!(
        ended
            .out
            .contains("no progress for 0.7 s (a training step); raise run.silence_limit"),
        "{}",
        ended.out
    );
    let Some((bench, ended)) = faulty("raise once", &["run.retries=1"]) else {
        return;
    };
    ended.expect(0);
    assert_eq!(bench.trained().len(), 18);
    let Some((bench, ended)) = faulty("hungry", &[]) else {
        return;
    };
    ended.expect(0);
    let halved = bench.trained();
    let halved: Vec<_> = halved.iter().filter(|line| line.ends_with(" 2")).collect();
    assert_eq!(halved.len(), 3, "{halved:?}");
}

#[test]
fn a_result_counts_whatever_the_program_does_afterwards() {
    for fault in ["die later", "diverge"] {
        let Some((_, ended)) = faulty(fault, &[]) else {
            return;
        };
        ended.expect(0);
    }
}

#[test]
fn an_answer_that_is_none_points_at_the_trainer() {
    for (config, start_limit, words) in [
        (
            "describe = \"exit\"",
            "run.start_limit=60",
            "ended with status 1 and left no answer.json; its last words:\n  no data here",
        ),
        (
            "describe = \"short\"",
            "run.start_limit=60",
            "its answer.json can't be used: no entry for size 48",
        ),
        (
            "describe = \"hang\"",
            "run.start_limit=1",
            "trainer `python3 trainer.py` did not answer within 1 s",
        ),
    ] {
        let Some(bench) = bench(config) else { return };
        let ended = bench.run(&["plan", "--set", start_limit]).expect(4);
        assert!(ended.err.contains(words), "{}", ended.err);
    }
    let Some(bench) = bench("") else { return };
    let ended = bench.run(&[
        "plan",
        "--set",
        "model.sizes=[3]",
        "--set",
        "sweep.budgets=[1e9]",
    ]);
    assert!(ended.expect(3).err.contains("refused by the model"));
    let ended = bench.run(&["plan", "--set", "model.plugin=gpt"]).expect(3);
    assert!(
        ended
            .err
            .contains("model.plugin: excludes `trainer` at manifest.toml:3"),
        "{}",
        ended.err
    );
    let ended = bench.run(&["plan", "--set", "trainer.command=['./nowhere.sh']"]);
    assert!(ended.expect(7).err.contains("nowhere.sh"));
}

#[test]
fn a_killed_sweep_is_locked_no_longer_and_goes_on() {
    let Some(bench) = bench("seconds = 1") else {
        return;
    };
    let first = bench.spawn(&["train"]);
    wait_until("six begin", || bench.trained().len() >= 6);
    bench.run(&["train"]).expect(8);
    first.kill();
    let kept = bench.results().len();
    let ended = bench.run(&["train"]).expect(0);
    assert!(ended.out.contains("had results already"), "{}", ended.out);
    assert!((1..15).contains(&kept), "{kept}");
    assert_eq!(bench.results().len(), 15);
}
