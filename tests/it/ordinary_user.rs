//! What the machine does to a user without root's rights, shown by root.

use std::{
    fs,
    os::unix::fs::chown,
    path::Path,
    process::{Command, Output},
};

use crate::{programs, small_disk::say, workbench::FOLDER};

/// User and group of those who own nothing.
const NOBODY: u32 = 65534;

/// Tests of which root sees another side, or none.
const TESTS: [&str; 3] = [
    "machine::a_disk_that_becomes_read_only",
    "machine::a_disk_that_is_nearly_full",
    "machine::a_folder_that_this_user_may_no_longer_write_to",
];

/// `program` as that user, who has only `home` to write to.
fn as_nobody(program: &Path, home: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args([
            format!("--reuid={NOBODY}"),
            format!("--regid={NOBODY}"),
            "--clear-groups".to_owned(),
        ])
        .arg(program)
        .current_dir(home)
        .env("HOME", home);
    command
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

#[test]
fn disks_and_folders_are_lost_to_an_ordinary_user_as_to_root() {
    if !rustix::process::geteuid().is_root() {
        // The tests themselves run as one.
        return;
    }
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ordinary-user");
    let _ = fs::remove_dir_all(&home);
    fs::create_dir_all(&home).expect("made");
    chown(&home, Some(NOBODY), Some(NOBODY)).expect("root may");

    let worker = programs::built("flops-fit-worker");
    if !succeeds(as_nobody(&worker, &home).arg("--version")) {
        say(
            "SKIPPED: a user who is not root, since user 65534 may not read the target folder or libtorch's",
        );
        return;
    }
    let mount = ["-rm", "mount", "-t", "tmpfs", "tmpfs"];
    if !succeeds(
        as_nobody(Path::new("unshare"), &home)
            .args(mount)
            .arg(&home),
    ) {
        say("SKIPPED: a user who is not root, since user 65534 may make no user namespace");
        return;
    }
    let test = std::env::current_exe().expect("the test's own path");
    let Output {
        status,
        stdout,
        stderr,
    } = as_nobody(&test, &home)
        .args(TESTS)
        .args(["--exact", "--nocapture"])
        .env(FOLDER, &home)
        .env("FLOPS_FIT_NO_SKIPS", "1")
        .output()
        .expect("started");
    let said = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let [out, err] = &said;
    assert!(
        status.success() && out.contains("3 passed"),
        "{status}:\n{out}\n{err}"
    );
    assert!(!said.concat().contains("SKIPPED"), "{out}\n{err}");
}
