//! Trials that go wrong: each ends with its own sentence, the others complete.

use std::{fs, path::Path, time::Instant};

use crate::workbench::{Ended, MANIFEST, Workbench};

/// Trains with size 24 at fault; returns the end and that size's results.
fn sweep(fault: &str, sets: &[&str]) -> (Workbench, Ended, Vec<serde_json::Value>) {
    let bench = Workbench::with(
        &MANIFEST.replace("n_layer = 2", &format!("faults = {{ 24 = \"{fault}\" }}")),
    );
    let mut arguments = vec!["train"];
    arguments.extend(sets.iter().flat_map(|set| ["--set", set]));
    let ended = bench.run(&arguments);
    let results = bench
        .results()
        .into_iter()
        .filter(|(folder, _)| {
            fs::read_to_string(folder.join("trial.json"))
                .is_ok_and(|spec| spec.contains("\"size\": 24"))
        })
        .map(|(_, text)| serde_json::from_str(&text).expect("JSON"))
        .collect();
    (bench, ended, results)
}

#[track_caller]
fn check(fault: &str, sets: &[&str], kind: &str, message: &str) -> Workbench {
    let (bench, ended, results) = sweep(fault, sets);
    let ended = ended.expect(5);
    assert!(
        ended.out.contains("12 completed, 3 failed"),
        "{}",
        ended.out
    );
    assert!(ended.out.contains(message), "{}", ended.out);
    assert_eq!(results.len(), 3);
    for result in results {
        assert_eq!(result["status"], "failed");
        assert_eq!(result["failure"]["kind"], kind);
    }
    bench
}

/// Nothing but the size at fault: a limit holds for every trial, and a slow disk may
/// hold up a sound one for longer than it.
const AT_FAULT: &str = "sweep.grid=[{ budget = 1e9, sizes = [24] }, { budget = 3e9, sizes = [24] }, { budget = 1e10, sizes = [24] }]";

#[track_caller]
fn check_limit(fault: &str, limits: &[&str], message: &str) {
    let sets: Vec<&str> = limits.iter().copied().chain([AT_FAULT]).collect();
    let begun = Instant::now();
    let (_, ended, results) = sweep(fault, &sets);
    let ended = ended.expect(5);
    assert!(begun.elapsed().as_secs() < 300, "it hangs for ten minutes");
    assert!(ended.out.contains("3 trials, 3 failed"), "{}", ended.out);
    assert!(ended.out.contains(message), "{}", ended.out);
    assert_eq!(results.len(), 3);
    for result in results {
        assert_eq!(result["failure"]["kind"], "timed_out");
    }
}

#[test]
fn a_worker_that_exits_early() {
    check(
        "exit",
        &[],
        "exited_early",
        "the worker ended the process early, with status 0 and no result: a plugin must not end the process, but return an error or panic",
    );
}

#[test]
fn a_worker_that_dies() {
    let message = "killed by signal 6 (SIGABRT) while it ran plugin fake; to see where, run `flops-fit-worker train <the trial's folder>` under a debugger; its last words:\n  something on standard output\n  the last words";
    check("abort", &[], "crashed", message);
}

#[test]
fn a_worker_that_floods_its_log() {
    let bench = check("flood", &[], "crashed", "noise 999999\n  the last words");
    let mut seen = 0;
    for (folder, _) in bench.results() {
        let log = fs::read_to_string(folder.join("worker.log")).expect("a log");
        if log.starts_with("the first words\n") {
            seen += 1;
            assert!(log.len() < (4 << 20) + 200, "{} bytes", log.len());
            assert!(log.contains("[flops-fit left out "), "nothing was cut");
            assert!(log.ends_with("the last words\n"), "the end is missing");
        }
    }
    assert_eq!(seen, 3);
}

#[test]
fn a_plugin_that_panics() {
    check(
        "panic",
        &[],
        "panicked",
        "plugin fake panicked in forward at src/lib.rs:12: index out of bounds",
    );
}

#[test]
fn a_worker_that_hangs() {
    check_limit(
        "hang",
        &["run.silence_limit=0.7"],
        "no progress for 0.7 s (a training step); raise run.silence_limit",
    );
}

#[test]
fn a_worker_that_will_not_end_when_it_is_asked_to() {
    check_limit(
        "stubborn",
        &["run.silence_limit=0.7"],
        "no progress for 0.7 s (a training step)",
    );
}

#[test]
fn a_step_that_takes_too_long_though_it_is_not_silent() {
    check_limit(
        "slow step",
        &["run.silence_limit=3", "run.step_limit=4.5"],
        "no progress for 4.5 s (one optimizer step); raise run.step_limit if it really is that slow",
    );
}

#[test]
fn out_of_memory_is_tried_again_with_half_the_micro_batch() {
    // Whichever of the three begins first finds it out for the others.
    let (bench, ended, results) = sweep("hungry", &["run.jobs=1"]);
    let ended = ended.expect(0);
    assert!(ended.out.contains("15 completed"), "{}", ended.out);
    // A batch of 8 examples at first; 2 of them fit.
    assert_eq!(results.len(), 3);
    let mut attempts = Vec::new();
    for result in &results {
        assert_eq!(result["status"], "completed");
        assert_eq!(result["environment"]["micro_batch"], 2);
        attempts.push(result["environment"]["attempt"].as_u64());
    }
    attempts.sort_unstable();
    assert_eq!(attempts, [Some(0), Some(0), Some(2)]);
    assert_eq!(bench.trained().len(), 15 + 2);
    // Other sizes have their whole batches.
    let whole = bench.results().into_iter().filter(|(_, text)| {
        let result: serde_json::Value = serde_json::from_str(text).expect("JSON");
        result["environment"]["micro_batch"].is_null()
    });
    assert_eq!(whole.count(), 12);
}

#[test]
fn out_of_memory_for_one_example_is_a_failure() {
    let message = "plugin fake ran out of memory in forward: not enough memory; lower run.jobs or run.micro_batch, or leave out the largest sizes";
    let bench = check("starving", &[], "out_of_memory", message);
    let begun = bench.trained();
    let last = begun.iter().filter(|line| line.ends_with(" 3")).count();
    assert_eq!((begun.len(), last), (12 + 4 * 3, 3));
}

#[test]
fn a_panic_is_not_tried_again() {
    let bench = check(
        "panic",
        &["run.retries=3"],
        "panicked",
        "plugin fake panicked",
    );
    assert_eq!(bench.trained().len(), 15);
}

#[test]
fn what_a_worker_leaves_behind_is_killed_in_its_group_or_in_a_session_of_its_own() {
    for fault in ["grandchild", "session"] {
        let bench = check(fault, &[], "exited_early", "");
        let mut seen = 0;
        for (folder, _) in bench.results() {
            if let Ok(pid) = fs::read_to_string(folder.join("grandchild")) {
                seen += 1;
                let process = Path::new("/proc").join(&pid);
                assert!(!process.exists(), "{fault}: {pid} is there");
            }
        }
        assert_eq!(seen, 3);
    }
}

#[test]
fn a_trial_that_takes_too_long() {
    check_limit(
        "hang",
        &["run.time_limit=0.7"],
        "(the whole trial); raise run.time_limit",
    );
}

#[test]
fn a_result_stands_even_if_its_worker_never_ends() {
    let (_, ended, results) = sweep("linger", &[]);
    let ended = ended.expect(0);
    assert!(ended.out.contains("15 completed"), "{}", ended.out);
    assert!(results.iter().all(|result| result["status"] == "completed"));
}

#[test]
fn divergence_is_a_result() {
    let (bench, ended, _) = sweep("diverge", &["run.retry_diverged=false"]);
    let ended = ended.expect(0);
    assert!(
        ended.out.contains("12 completed, 3 diverged"),
        "{}",
        ended.out
    );
    assert!(
        ended
            .err
            .contains("diverged at step 7: the training loss is not a number"),
        "{}",
        ended.err
    );
    bench
        .run(&["train", "--set", "run.retry_diverged=false"])
        .expect(0);
    assert_eq!(bench.trained().len(), 15);
}

/// Those of the diverged are tried once more, as trials of their own.
#[test]
fn a_diverged_trial_is_tried_again_with_half_the_rate() {
    let (bench, ended, results) = sweep("diverge at full rate", &[]);
    let ended = ended.expect(0);
    assert!(
        ended.out.contains("18 trials, 15 completed, 3 diverged"),
        "{}",
        ended.out
    );
    assert!(
        ended
            .err
            .contains("diverged, tried again once with half the learning rate, and left out of the fit:\n  24 at 1e9, seed 0: lr 0.5\n"),
        "{}",
        ended.err
    );
    let rate = |result: &&serde_json::Value| result["measured"]["lr"] == 0.5;
    assert_eq!((results.len(), results.iter().filter(rate).count()), (6, 3));
    let status = bench.run(&["status"]).expect(0).out;
    assert_eq!(
        status.matches("again, at lr 0.5; not fitted").count(),
        3,
        "{status}"
    );

    // Each names the one that it tries again, and no fit uses it.
    bench.run(&["analyze"]).expect(0);
    let rows = fs::read_to_string(bench.path("outputs/demo/runs.csv")).expect("read");
    let mut reader = csv::Reader::from_reader(rows.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let column = |name| header.iter().position(|column| column == name).expect(name);
    let (trial, of) = (column("trial"), column("retry_of"));
    let records: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let retries: Vec<_> = records.iter().filter(|row| !row[of].is_empty()).collect();
    assert_eq!(retries.len(), 3);
    for retry in retries {
        let first = records
            .iter()
            .find(|row| row[trial] == retry[of])
            .expect("the first");
        assert_eq!(&first[column("status")], "diverged");
        assert_eq!((&first[column("lr")], &retry[column("lr")]), ("1", "0.5"));
        assert!(retry[column("reason")].starts_with("left out: trained with a lower"));
    }
    // The table alone says as much.
    fs::write(bench.path("runs.csv"), &rows).expect("written");
    let table = bench.run(&["analyze", "runs.csv"]).expect(0).out;
    assert!(
        table.contains("3 runs left out, trained with a lower learning rate"),
        "{table}"
    );

    bench.run(&["train"]).expect(0);
    assert_eq!(bench.trained().len(), 18, "nothing was trained twice");
}

/// A run that is stopped between the two tries goes on with the second.
#[test]
fn what_diverged_before_is_tried_again_by_the_next_run() {
    let (bench, ended, _) = sweep("diverge", &["run.retry_diverged=false"]);
    ended.expect(0);
    let ended = bench.run(&["train"]).expect(0);
    assert!(
        ended
            .out
            .contains("18 trials, 15 had results already, 3 diverged"),
        "{}",
        ended.out
    );
    // Once is enough.
    bench.run(&["train"]).expect(0);
    assert_eq!(bench.trained().len(), 18);
}

#[test]
fn a_retry_counts_its_attempts() {
    let (bench, ended, results) = sweep("exit once", &["run.retries=1"]);
    ended.expect(0);
    assert_eq!(results.len(), 3);
    assert_eq!(bench.trained().len(), 18);
    assert_eq!(
        bench
            .trained()
            .iter()
            .filter(|line| line.ends_with(" 1"))
            .count(),
        3
    );
}

#[test]
fn a_failed_trial_is_tried_again_by_the_next_run() {
    let (bench, ended, _) = sweep("exit", &[]);
    ended.expect(5);
    let status = bench.run(&["status"]).expect(0).out;
    assert!(
        status.contains("12 completed, 0 diverged, 3 failed"),
        "{status}"
    );
    let mended = fs::read_to_string(bench.path("manifest.toml"))
        .expect("read")
        .replace("exit", "none");
    fs::write(bench.path("manifest.toml"), mended).expect("written");
    let again = bench.run(&["train"]).expect(0);
    assert!(
        again.out.contains("12 had results already, 3 completed"),
        "{}",
        again.out
    );
}
