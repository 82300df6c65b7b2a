//! SIGKILL to the parent half-way loses nothing that had completed.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    determinism::losses,
    sweep::{DONE, SWEEP},
    workbench::Workbench,
};

/// Processes that have `folder` in their command line.
pub(crate) fn processes(folder: &Path) -> Vec<String> {
    let folder = folder.display().to_string();
    let processes = fs::read_dir("/proc").expect("a Linux system");
    processes
        .filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(&folder))
        .collect()
}

/// Sends `signal` to process `pid`, which must be there.
#[track_caller]
pub(crate) fn send(signal: Signal, pid: u32) {
    let process = Pid::from_raw(pid.cast_signed()).expect("the number of a process");
    kill_process(process, signal).unwrap_or_else(|error| panic!("{signal:?} to {pid}: {error}"));
}

/// What a machine that is busy with other things gets for anything that has to happen.
pub(crate) const PATIENCE: Duration = Duration::from_mins(5);

#[track_caller]
pub(crate) fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "{what} after {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What tells one writing of a file from another.
pub(crate) type Stamp = (u64, i64, i64);

pub(crate) fn stamp(path: &Path) -> Option<Stamp> {
    let meta = fs::metadata(path).ok()?;
    Some((meta.ino(), meta.mtime(), meta.mtime_nsec()))
}

/// Of each result.
pub(crate) fn stamps(bench: &Workbench) -> BTreeMap<String, Stamp> {
    let stamp = |path: &Path| stamp(path).expect("it is there");
    bench
        .trials("small")
        .into_iter()
        .map(|(id, trial)| (id, stamp(&trial.dir.result_path())))
        .collect()
}

#[test]
fn killed_half_way_and_run_again() {
    let bench = Workbench::new("kill", SWEEP);
    let output = bench.output("small");
    let mut run = bench.spawn(&["run"]);
    wait_until("fewer than 4 results", || bench.trials("small").len() >= 4);
    wait_until("no worker", || !processes(&output).is_empty());
    run.kill().expect("killed");
    run.wait().expect("reaped");
    wait_until("a worker lives on", || processes(&output).is_empty());

    let before = stamps(&bench);
    assert!((4..13).contains(&before.len()), "{} results", before.len());
    let ended = bench.run(&["run"]).expect(0);
    let counts = format!(
        "{} had results already, {} completed",
        before.len(),
        13 - before.len()
    );
    assert!(ended.out.contains(&counts), "{}", ended.out);
    let after = stamps(&bench);
    assert_eq!(after.len(), 13);
    for (id, stamp) in &before {
        assert_eq!(after[id], *stamp, "trial {id} was trained again");
    }

    let (done, _) = &*DONE;
    assert_eq!(losses(&bench), losses(done));
    let table = |bench: &Workbench| bench.run(&["table"]).expect(0).out;
    assert_eq!(table(&bench), table(done));
}
