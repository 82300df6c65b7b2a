//! Stopping at any moment loses nothing that had completed.

use std::{
    collections::BTreeMap,
    fs,
    process::Child,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::workbench::{MANIFEST, Workbench};

fn slow() -> Workbench {
    Workbench::with(&MANIFEST.replace("n_layer = 2", "seconds = 0.4"))
}

fn wait_for(bench: &Workbench, results: usize) {
    let begun = Instant::now();
    while bench.results().len() < results {
        assert!(begun.elapsed() < Duration::from_mins(1), "no results");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("signalled");
}

#[test]
fn killed_half_way_and_run_again() {
    let whole = slow();
    whole.run(&["run"]).expect(0);
    let table = whole.run(&["table"]).expect(0).out;

    let bench = slow();
    let mut run = bench.spawn(&["run"]);
    wait_for(&bench, 5);
    signal(&run, Signal::KILL);
    run.wait().expect("reaped");
    // The workers end by themselves: their pipe is closed.
    std::thread::sleep(Duration::from_millis(300));
    let before: BTreeMap<_, _> = bench.results().into_iter().collect();
    assert!((5..15).contains(&before.len()), "{} results", before.len());

    let again = bench.run(&["run"]).expect(0);
    let kept = format!(
        "{} had results already, {} completed",
        before.len(),
        15 - before.len()
    );
    assert!(again.out.contains(&kept), "{}", again.out);
    for (folder, text) in &before {
        assert_eq!(
            &fs::read_to_string(folder.join("result.json")).expect("read"),
            text
        );
        let id = folder.file_name().expect("named").to_string_lossy();
        let times = bench
            .trained()
            .iter()
            .filter(|line| line.starts_with(&*id))
            .count();
        assert_eq!(times, 1, "{id}");
    }
    assert_eq!(bench.run(&["table"]).expect(0).out, table);
}

#[test]
fn ctrl_c_stops_cleanly_and_says_how_to_go_on() {
    let bench = slow();
    let run = bench.spawn(&["run"]);
    wait_for(&bench, 3);
    signal(&run, Signal::INT);
    let begun = Instant::now();
    let ended = bench
        .ended(&run.wait_with_output().expect("reaped"))
        .expect(130);
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    assert!(
        ended.out.contains("run the same command again to go on"),
        "{}",
        ended.out
    );
    assert!(
        bench
            .results()
            .iter()
            .all(|(_, text)| text.contains("\"completed\""))
    );
    bench.run(&["run"]).expect(0);
}

#[test]
fn a_result_that_is_no_json_is_moved_aside_and_trained_again() {
    let bench = Workbench::new();
    bench.run(&["train"]).expect(0);
    let (folder, text) = bench.results().remove(0);
    fs::write(folder.join("result.json"), &text[..text.len() / 2]).expect("written");
    let again = bench.run(&["train"]).expect(0);
    assert!(
        again.out.contains("14 had results already, 1 completed"),
        "{}",
        again.out
    );
    assert!(folder.join("result.json.unreadable").is_file());
}

#[test]
fn a_new_budget_trains_only_its_own_trials() {
    let bench = Workbench::new();
    bench.run(&["train"]).expect(0);
    let more = MANIFEST.replace(
        "grid = [",
        "grid = [{ budget = 3e10, sizes = [16, 24, 32, 48, 64] },",
    );
    fs::write(bench.path("manifest.toml"), more).expect("written");
    let again = bench.run(&["train"]).expect(0);
    assert!(
        again.out.contains("15 had results already, 5 completed"),
        "{}",
        again.out
    );
}

#[test]
fn a_manifest_that_changes_meanwhile_changes_nothing() {
    let bench = slow();
    let run = bench.spawn(&["run"]);
    wait_for(&bench, 3);
    fs::write(bench.path("manifest.toml"), "no manifest any more").expect("written");
    let ended = bench.ended(&run.wait_with_output().expect("reaped"));
    let ended = ended.expect(0);
    assert!(ended.out.contains("15 completed"), "{}", ended.out);
}
