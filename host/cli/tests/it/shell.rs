//! What the shell around it, or the person at it, does to a command.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _, path::Path};

use flops_fit::interrupt::is_ignored;
use rustix::process::{Pid, Signal, kill_process};

use crate::workbench::{MANIFEST, Spawned, Workbench, ctrl_c, wait_until};

fn slow() -> String {
    MANIFEST.replace("n_layer = 2", "seconds = 0.4")
}

fn runs(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn jobs_of_the_shell_that_it_replaces_are_left_alone() {
    // The second job leaves a process behind, whose parent the command then is.
    let jobs = "sleep 600 >/dev/null 2>&1 & echo $! >first
        (until [ -s trained.log ]; do sleep 0.05; done
        sleep 600 & echo $! >second) >/dev/null 2>&1 &";
    let faults = "seconds = 1\nfaults = { 24 = \"exit\" }";
    let bench = Workbench::with(&MANIFEST.replace("n_layer = 2", faults));
    let output = bench.shell(jobs, &["train"]).output().expect("started");
    let job = |name: &str| -> i32 {
        let text = || fs::read_to_string(bench.path(name)).unwrap_or_default();
        wait_until("no job's number", || text().ends_with('\n'));
        text().trim().parse().expect("a number")
    };
    let jobs = [job("first"), job("second")];
    let left: Vec<bool> = jobs.iter().map(|pid| runs(*pid)).collect();
    for pid in jobs.into_iter().filter_map(Pid::from_raw) {
        let _ = kill_process(pid, Signal::KILL);
    }
    bench.ended(&output).expect(5);
    assert_eq!(left, [true, true]);
}

#[test]
fn a_hang_up_that_nohup_ignores_stays_ignored() {
    let bench = Workbench::with(&slow());
    let train = |line: &str| Spawned::start(&mut bench.shell(line, &["train"]));
    let hung_up = |mut child: Spawned, results: usize| {
        wait_until("no results", || bench.results().len() >= results);
        child.signal(Signal::HUP);
        bench.ended(&child.output())
    };
    // Without `nohup` it is a reason to stop, which shows that the test can fail; a
    // shell that ignores it from the start can't change that.
    if !is_ignored(Signal::HUP.as_raw()) {
        hung_up(train("trap - HUP"), 1).expect(130);
    }
    let kept = bench.results().len();
    let ended = hung_up(train("trap '' HUP"), kept + 1).expect(0);
    let words = format!("{} completed", 15 - kept);
    assert!(ended.out.contains(&words), "{}", ended.out);
}

#[test]
fn ctrl_c_ends_an_analysis_at_once() {
    let bench = Workbench::new();
    let mut run = bench.spawn(&["run", "--set", "analysis.draws=100000"]);
    // The rows are written before anything is fitted.
    wait_until("no rows", || bench.path("outputs/demo/runs.csv").exists());
    run.signal(ctrl_c());
    bench.ended(&run.output()).expect(130);
    assert!(!bench.path("outputs/demo/analysis.json").exists());
    bench.run(&["run"]).expect(0);
}

#[test]
fn a_folder_may_have_any_name_that_is_text() {
    let bench = Workbench::named("a b ü", MANIFEST);
    let ended = bench.run(&["run", "--format", "json"]).expect(0);
    assert!(ended.out.contains("\"completed\": 15"), "{}", ended.out);
    bench.run(&["status", "outputs/demo"]).expect(0);
}

#[test]
fn a_folder_whose_name_is_no_text_is_refused() {
    let bench = Workbench::named(OsStr::from_bytes(b"a\xff"), MANIFEST);
    for command in [
        &["plan"][..],
        &["run"],
        &["run", "--format", "json"],
        &["status"],
    ] {
        let ended = bench.run(command).expect(3);
        let words = "has a name that is no UTF-8 text, which the plan and the results could not repeat; rename the folder";
        assert!(ended.err.contains(words), "{}", ended.err);
    }
    assert!(!bench.path("outputs").exists());
}

#[test]
fn a_report_waits_for_no_sweep_and_disturbs_none() {
    let bench = Workbench::new();
    bench.run(&["run"]).expect(0);
    let more = MANIFEST
        .replace("n_layer = 2", "seconds = 60")
        .replace("[run]", "seeds = [1]\n[run]");
    fs::write(bench.path("manifest.toml"), more).expect("written");
    let sweep = bench.spawn(&["train"]);
    wait_until("not begun", || bench.trained().len() > 15);
    let report = bench.path("outputs/demo/report.html");
    let before = fs::metadata(&report).expect("drawn");
    for command in [
        &["analyze"][..],
        &["visualize"],
        &["visualize", "outputs/demo/analysis.json"],
        &["analyze", "outputs/demo/runs.csv", "--out", "outputs/demo"],
    ] {
        let ended = bench.run(command).expect(8);
        let who = format!("(process {} on ", sweep.id());
        assert!(ended.err.contains(&who), "{}", ended.err);
    }
    let after = fs::metadata(&report).expect("drawn");
    assert_eq!(
        after.modified().expect("a time"),
        before.modified().expect("a time")
    );
    // What only prints does not mind.
    bench.run(&["table", "outputs/demo/runs.csv"]).expect(0);
    let elsewhere = ["analyze", "outputs/demo/runs.csv", "--out", "elsewhere"];
    bench.run(&elsewhere).expect(0);
    assert!(Path::new(&bench.path("elsewhere/report.html")).is_file());
    sweep.kill();
}
