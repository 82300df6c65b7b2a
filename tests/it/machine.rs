//! What a machine does to a sweep: nothing that had completed is lost, nothing is
//! counted twice, and the next run goes on.

use std::{
    fs,
    os::{fd::OwnedFd, unix::fs::PermissionsExt as _},
};

use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, Signal, pidfd_getfd, pidfd_open};

use crate::{
    determinism::losses,
    kill::{processes, send, stamps, wait_until},
    small_disk::{SmallDisk, say},
    sweep::{DONE, SWEEP},
    workbench::{Ended, Workbench},
};

/// Starts a sweep, strikes when three of its trials have completed, and gives what
/// became of the command.
fn struck(bench: &Workbench, strike: impl FnOnce()) -> Ended {
    let child = bench
        .command(&["run"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("started");
    wait_until("fewer than 3 results", || {
        fs::read_dir(bench.output("small").join("trials")).is_ok_and(|trials| {
            let done = trials.filter(|trial| {
                let trial = trial.as_ref().expect("listed");
                trial.path().join("result.json").is_file()
            });
            done.count() >= 3
        })
    });
    strike();
    bench.ended(&child.wait_with_output().expect("reaped"))
}

/// The next run keeps what there is, trains the rest, and gets what an undisturbed
/// sweep got.
fn goes_on(bench: &Workbench) {
    let before = stamps(bench);
    assert!((3..13).contains(&before.len()), "{} results", before.len());
    let again = bench.run(&["run"]).expect(0);
    let counts = format!(
        "{} had results already, {} completed",
        before.len(),
        13 - before.len()
    );
    assert!(again.out.contains(&counts), "{}", again.out);
    let after = stamps(bench);
    for (id, stamp) in &before {
        assert_eq!(after[id], *stamp, "trial {id} was trained again");
    }
    let (done, _) = &*DONE;
    assert_eq!(losses(bench), losses(done));
}

#[test]
fn a_disk_that_fills_up() {
    let bench = Workbench::new("disk-full", SWEEP);
    let test = "machine::a_disk_that_fills_up";
    let Some(disk) = SmallDisk::mount(test, &bench.path("outputs"), 8).here() else {
        return;
    };
    let ended = struck(&bench, || disk.fill()).expect(1);
    assert!(
        ended.err.contains("error: ")
            && ended.err.contains("No space left on device")
            && ended
                .err
                .contains("make room and run again: what has completed is kept"),
        "{}",
        ended.err
    );
    assert!(processes(&bench.output("small")).is_empty());

    // What was reserved for results is room again; without any, nothing begins.
    disk.fill();
    let again = bench.run(&["run"]).expect(1);
    assert!(
        again.err.contains("No space left on device"),
        "{}",
        again.err
    );
    disk.free();
    goes_on(&bench);
}

/// Room for every file but not for what a worker reserves: no trial is to blame, and
/// the rest of the sweep is not spent on finding that out.
#[test]
fn a_disk_that_is_nearly_full() {
    let bench = Workbench::new("disk-nearly-full", SWEEP);
    let test = "machine::a_disk_that_is_nearly_full";
    let Some(disk) = SmallDisk::mount(test, &bench.path("outputs"), 8).here() else {
        return;
    };
    bench.run(&["train", "--set", THREE]).expect(0);
    bench.run(&["plan"]).expect(0);
    disk.fill();
    disk.give_back(32);
    let ended = bench.run(&["run"]).expect(1);
    assert!(
        ended.err.contains("the worker ended for want of a file")
            && ended.err.contains("No space left on device")
            && ended
                .err
                .contains("make room and run again: what has completed is kept"),
        "{}",
        ended.err
    );
    assert_eq!(
        bench.trials("small").len(),
        3,
        "no trial is said to have failed"
    );
    disk.free();
    goes_on(&bench);
}

/// Three trials of the sweep.
const THREE: &str = "sweep.grid=[{ budget = 3e8, sizes = [4, 8, 12] }]";

#[test]
fn a_disk_that_becomes_read_only() {
    let bench = Workbench::new("read-only", SWEEP);
    let test = "machine::a_disk_that_becomes_read_only";
    let Some(disk) = SmallDisk::mount(test, &bench.path("outputs"), 8).here() else {
        return;
    };
    let words = "output folder [dir]/outputs/small: Read-only file system (os error 30); make room or make it writable, or choose another with --set output.dir=<folder>";
    read_only(&bench, words, |read_only| disk.set_read_only(read_only));
}

#[test]
fn a_folder_that_this_user_may_no_longer_write_to() {
    if rustix::process::geteuid().is_root() {
        say("SKIPPED: a folder without write permission, since root may write to any");
        return;
    }
    let bench = Workbench::new("no-permission", SWEEP);
    let words = "outputs/small/manifest.toml: Permission denied (os error 13); make the folder writable and run again: what has completed is kept";
    read_only(&bench, words, |read_only| {
        let mode = if read_only { 0o555 } else { 0o755 };
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(bench.output("small"), mode).expect("set");
    });
}

/// Has three trials trained, then the folder made read-only: that is said with these
/// `words`, and once it is over the rest is trained.
fn read_only(bench: &Workbench, words: &str, set: impl Fn(bool)) {
    bench.run(&["train", "--set", THREE]).expect(0);
    set(true);
    let ended = bench.run(&["run"]).expect(1);
    assert!(ended.err.contains(words), "{}", ended.err);
    // What only reads still does.
    let status = bench.run(&["status", "outputs/small"]).expect(0);
    assert!(status.out.contains("3 completed"), "{}", status.out);
    set(false);
    goes_on(bench);
}

#[test]
fn an_output_folder_that_vanishes() {
    let bench = Workbench::new("vanished", SWEEP);
    let (here, away) = (bench.output("small"), bench.path("away"));
    let ended = struck(&bench, || fs::rename(&here, &away).expect("moved")).expect(1);
    assert!(
        ended.err.contains("No such file or directory")
            && ended
                .err
                .contains("the folder was moved or removed meanwhile: bring it back and run again"),
        "{}",
        ended.err
    );
    assert!(!here.exists(), "no other folder was begun in its place");
    assert!(processes(&here).is_empty());
    fs::rename(&away, &here).expect("moved");
    goes_on(&bench);
}

/// A disk that is full takes no lines of progress, and may be so for hours.
#[test]
fn a_trial_whose_telemetry_is_lost_is_no_silent_one() {
    let bench = Workbench::new("no-telemetry", SWEEP);
    let child = bench.spawn(&[
        "train",
        "--set",
        "sweep.grid=[{ budget = 1e11, sizes = [16] }]",
        "--set",
        "run.silence_limit=5",
    ]);
    let progress = || {
        let mut trials = fs::read_dir(bench.output("small").join("trials")).ok()?;
        let path = trials.next()?.ok()?.path().join("progress.jsonl");
        fs::read_to_string(&path)
            .is_ok_and(|text| text.contains("\"train\""))
            .then_some(path)
    };
    wait_until("no training", || progress().is_some());
    // The worker writes on into a file that nobody finds any more.
    fs::remove_file(progress().expect("it is there")).expect("removed");
    let status = child.wait_with_output().expect("reaped").status;
    assert_eq!(status.code(), Some(0));
    let trials = bench.trials("small");
    let timing = trials.values().next().expect("one").result.timing;
    assert!(
        timing.train > 5.0,
        "{timing:?}: over before the limit could strike, so this shows nothing; train for longer"
    );
}

/// A model that leaves a process with a session of its own, and never ends.
const FUGITIVE: &str = concat!(
    hostile!(),
    r#"config = { faults = { 8 = "fugitive-and-hang" } }

[dataset]
kind = "hostile"

[loss]
kind = "hostile"

[sweep]
grid = [{ budget = 1e8, sizes = [8] }]
min_steps = 2
"#
);

/// Starts that sweep; the command, its worker, and the process left.
fn fugitive(bench: &Workbench) -> (std::process::Child, u32, u32) {
    let child = bench.spawn(&["train"]);
    let logged = || {
        let mut trials = fs::read_dir(bench.output("hostile").join("trials")).ok()?;
        let log = fs::read_to_string(trials.next()?.ok()?.path().join("worker.log")).ok()?;
        let (_, pid) = log.split_once("left behind: ")?;
        // A line that is not whole yet may lack digits.
        pid.split_once('\n')?.0.parse().ok()
    };
    wait_until("no process is left behind", || logged().is_some());
    let left: u32 = logged().expect("a number");
    let output = bench.output("hostile").canonicalize().expect("it is there");
    let workers = || {
        let mut all = flops_fit_trial::processes_of(&output);
        all.retain(|pid| *pid != left);
        all
    };
    // The shell that left it behind may take a moment to go.
    wait_until("one worker", || workers().len() == 1);
    (child, workers()[0], left)
}

fn is_there(pid: u32) -> bool {
    // A zombie waits for whoever adopted it, which is not ours to answer for.
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn when_the_parent_is_killed_its_worker_ends_what_it_started() {
    let bench = Workbench::new("fugitive-parent", FUGITIVE);
    let (mut parent, worker, left) = fugitive(&bench);
    parent.kill().expect("killed");
    parent.wait().expect("reaped");
    wait_until("something is left", || !is_there(worker) && !is_there(left));
}

/// Copies of what process `pid` has open, as one of its threads keeps them open
/// that waits for a disk while the process dies. `None` where this user may not.
fn held_open(pid: u32) -> Option<Vec<OwnedFd>> {
    let process = Pid::from_raw(pid.cast_signed())?;
    let process = pidfd_open(process, PidfdFlags::empty()).ok()?;
    let copy = |entry: std::io::Result<fs::DirEntry>| {
        let number = entry.ok()?.file_name().to_str()?.parse().ok()?;
        pidfd_getfd(&process, number, PidfdGetfdFlags::empty()).ok()
    };
    let open = fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    let copies: Vec<OwnedFd> = open.filter_map(copy).collect();
    (!copies.is_empty()).then_some(copies)
}

#[test]
fn when_the_parent_is_slow_to_die_its_worker_ends_what_it_started() {
    let bench = Workbench::new("fugitive-slow", FUGITIVE);
    let (mut parent, worker, left) = fugitive(&bench);
    let Some(open) = held_open(parent.id()) else {
        parent.kill().expect("killed");
        parent.wait().expect("reaped");
        say(
            "SKIPPED: a parent that is slow to die, since this user may not copy another process's open files",
        );
        return;
    };
    parent.kill().expect("killed");
    parent.wait().expect("reaped");
    wait_until("something is left", || !is_there(worker) && !is_there(left));
    drop(open);
}

#[test]
fn when_both_are_killed_the_next_run_ends_what_is_left() {
    let bench = Workbench::new("fugitive-both", FUGITIVE);
    let (mut parent, worker, left) = fugitive(&bench);
    // Held still, the parent can't do anything about its worker's end.
    send(Signal::STOP, parent.id());
    send(Signal::KILL, worker);
    send(Signal::KILL, parent.id());
    parent.wait().expect("reaped");
    assert!(is_there(left), "there is nothing to end");
    let ended = bench.run(&["plan"]).expect(0);
    let words = format!("going on where process {} on ", parent.id());
    assert!(ended.err.contains(&words), "{}", ended.err);
    wait_until("something is left", || !is_there(left));
}
