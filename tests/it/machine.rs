//! What a machine does to a sweep: nothing that had completed is lost, nothing is
//! counted twice, and the next run goes on.

use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::{
    determinism::losses,
    kill::{processes, stamps, wait_until},
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
