//! Stopping at any moment loses nothing that had completed.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use flops_fit_trial::processes_of;
use rustix::process::{Pid, Signal, kill_process};

use crate::workbench::{MANIFEST, Workbench, ctrl_c, wait_until};

fn slow() -> Workbench {
    Workbench::with(&MANIFEST.replace("n_layer = 2", "seconds = 0.4"))
}

fn wait_for(bench: &Workbench, results: usize) {
    wait_until("no results", || bench.results().len() >= results);
}

/// The workers of a sweep that is under way, or was.
fn workers(bench: &Workbench) -> Vec<u32> {
    let outputs = bench.path("outputs").canonicalize();
    processes_of(&outputs.expect("it is there"))
}

#[test]
fn killed_half_way_and_run_again() {
    let whole = slow();
    whole.run(&["run"]).expect(0);
    let table = whole.run(&["table"]).expect(0).out;

    let bench = slow();
    let run = bench.spawn(&["run"]);
    wait_for(&bench, 5);
    run.kill();
    // The workers end by themselves: their pipe is closed.
    wait_until("a worker goes on", || workers(&bench).is_empty());
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
    let mut run = bench.spawn(&["run"]);
    wait_for(&bench, 3);
    run.signal(ctrl_c());
    let ended = bench.ended(&run.output()).expect(130);
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

/// What is counted is what tunes; the sweep itself has no trials yet.
#[test]
fn ctrl_c_while_the_rate_is_tuned_says_that_the_sweep_follows() {
    let bench = Workbench::with(&MANIFEST.replace("n_layer = 2", "seconds = 60"));
    let lr = "train.lr={ tune = [0.5, 1, 2], transfer = \"one_rate\", share = 1 }";
    let mut run = bench.spawn(&["run", "--set", lr]);
    wait_until("nothing trains", || !bench.trained().is_empty());
    run.signal(ctrl_c());
    let ended = bench.ended(&run.output()).expect(130);
    assert!(
        ended.out.contains(" of 6 trials that tune the learning rate are still to be trained, and then the sweep; run the same command again to go on"),
        "{}",
        ended.out
    );
}

/// Which second tries there are changes with the first ones' results, and their number
/// need not.
#[test]
fn second_tries_follow_what_diverges_now() {
    let bench = Workbench::new();
    let check = |diverges: &str, told: &str, trained: usize| {
        bench.rebuild(&format!(
            "{{ \"faults\": {{ \"{diverges}\": \"diverge at full rate\" }} }}"
        ));
        let ended = bench.run(&["train", "--retrain"]).expect(0);
        assert!(ended.out.contains(told), "{}", ended.out);
        assert_eq!(bench.trained().len(), trained);
        let again = bench.run(&["train"]).expect(0).out;
        assert!(again.contains("had results already in "), "{again}");
        assert_eq!(bench.trained().len(), trained);
    };
    // Sizes 4 and 48 are trained at one budget, 32 at two.
    check("4", "16 trials, 15 completed, 1 diverged", 16);
    check("32", "17 trials, 16 completed, 2 diverged", 34);
    check("48", "16 trials, 17 completed, 1 diverged", 52);
    check("4", "16 trials, 16 completed, 1 diverged", 69);
}

/// Spoils one result of a finished sweep; the next run sets it aside, trains that
/// trial again, and gets the same.
#[track_caller]
fn spoilt(spoil: impl Fn(&str) -> String, reason: &str) {
    let bench = Workbench::new();
    bench.run(&["train"]).expect(0);
    let (folder, text) = bench.results().remove(0);
    let path = folder.join("result.json");
    fs::write(&path, spoil(&text)).expect("written");
    let again = bench.run(&["train"]).expect(0);
    assert!(
        again.out.contains("14 had results already, 1 completed"),
        "{}",
        again.out
    );
    let aside = folder.join("result.json.aside-1");
    assert_eq!(fs::read_to_string(&aside).expect("read"), spoil(&text));
    let note = fs::read_to_string(folder.join("result.json.aside-1.reason")).expect("read");
    assert!(note.contains(reason), "{note}");
    assert!(
        again.err.contains("warning: set aside as ") && again.err.contains(reason),
        "{}",
        again.err
    );
    assert_eq!(fs::read_to_string(&path).expect("read"), text);
}

#[test]
fn a_torn_result_is_set_aside_and_trained_again() {
    spoilt(
        |text| text[..text.len() / 2].to_owned(),
        "is not a file that flops-fit wrote",
    );
}

#[test]
fn a_changed_result_is_set_aside_and_trained_again() {
    spoilt(
        |text| text.replace("\"loss_se\": 0.001", "\"loss_se\": 0.002"),
        "is not as flops-fit wrote it: its checksum is another",
    );
}

#[test]
fn a_foreign_plan_and_specification_are_set_aside_too() {
    let bench = Workbench::new();
    bench.run(&["train"]).expect(0);
    let (folder, _) = bench.results().remove(0);
    let plan = bench.path("outputs/demo/plan.json");
    fs::write(&plan, "dear diary").expect("written");
    fs::write(folder.join("trial.json"), "").expect("written");
    let again = bench.run(&["train"]).expect(0);
    assert!(
        again.out.contains("15 had results already"),
        "{}",
        again.out
    );
    let aside = bench.path("outputs/demo/plan.json.aside-1");
    assert_eq!(fs::read_to_string(aside).expect("read"), "dear diary");
    assert!(folder.join("trial.json.aside-1").is_file());
    bench.run(&["status"]).expect(0);
}

#[test]
fn what_a_newer_version_wrote_is_left_alone() {
    let bench = Workbench::new();
    bench.run(&["train"]).expect(0);
    let plan = bench.path("outputs/demo/plan.json");
    let newer = fs::read_to_string(&plan)
        .expect("read")
        .replace("\"format\": 1", "\"format\": 2");
    fs::write(&plan, &newer).expect("written");
    let ended = bench.run(&["train"]).expect(1);
    assert!(
        ended
            .err
            .contains("plan.json has format 2, this flops-fit knows up to 1; upgrade flops-fit"),
        "{}",
        ended.err
    );
    assert_eq!(fs::read_to_string(&plan).expect("read"), newer);
}

#[test]
fn a_second_run_changes_nothing_and_says_who_was_first() {
    let bench = Workbench::with(&MANIFEST.replace("n_layer = 2", "seconds = 60"));
    let mut first = bench.spawn(&["run"]);
    wait_until("four begin", || bench.trained().len() >= 4);
    // Held still, the first changes nothing either.
    first.signal(Signal::STOP);
    let stop_workers = |to: Signal| {
        for pid in workers(&bench) {
            kill_process(Pid::from_raw(pid.cast_signed()).expect("a process"), to).expect("sent");
        }
    };
    stop_workers(Signal::STOP);
    let mut all = workers(&bench);
    all.push(first.id());
    wait_until("they stand still", || all.iter().copied().all(is_stopped));
    let before = snapshot(&bench.path("outputs"));
    for command in ["run", "train", "plan"] {
        let ended = bench.run(&[command]).expect(8);
        let who = format!("is in use by another flops-fit (process {} on ", first.id());
        assert!(
            ended.err.contains(&who) && ended.err.contains("--set output.dir=<folder>"),
            "{}",
            ended.err
        );
        assert_eq!(ended.out, "");
    }
    assert_eq!(snapshot(&bench.path("outputs")), before);
    stop_workers(Signal::KILL);
    first.kill();
}

/// Whether every thread of process `pid` stands still.
fn is_stopped(pid: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("it is there");
    threads.flatten().all(|thread| {
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        stat.rsplit_once(") ")
            .is_some_and(|(_, rest)| rest.starts_with('T'))
    })
}

/// Every file below `folder`: its number, its time, its content.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, (u64, SystemTime, Vec<u8>)> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("listed") {
            let path = entry.expect("listed").path();
            let meta = fs::metadata(&path).expect("it is there");
            if meta.is_dir() {
                folders.push(path.clone());
            }
            let content = fs::read(&path).unwrap_or_default();
            let modified = meta.modified().expect("a time");
            files.insert(path, (meta.ino(), modified, content));
        }
    }
    files
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
    let ended = bench.ended(&run.output()).expect(0);
    assert!(ended.out.contains("15 completed"), "{}", ended.out);
}
