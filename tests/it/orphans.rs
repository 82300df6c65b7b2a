//! Workers whose parent dies, and what they have started.

use std::{
    fs::{self, File},
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream, process::ExitStatusExt as _},
    },
    process::{Child, Command, Stdio},
};

use rustix::{
    io::Errno,
    net::{RecvFlags, recv, sockopt::socket_peercred},
    process::{Pid, PidfdFlags, PidfdGetfdFlags, Signal, pidfd_getfd, pidfd_open},
};

use crate::{
    kill::{send, wait_until},
    programs,
    small_disk::say,
    workbench::Workbench,
};

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
fn fugitive(bench: &Workbench) -> (Child, u32, u32) {
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

/// Starts a worker by hand for the only trial of `bench`, tied to whoever is behind
/// `parent`, and waits until it is killed; what another worker has reserved stays as it is.
fn is_killed_at_once(bench: &Workbench, parent: OwnedFd) {
    let mut trials = fs::read_dir(bench.output("hostile").join("trials")).expect("begun");
    let trial = trials.next().expect("one trial").expect("listed").path();
    let reserved = trial.join(".part-result");
    fs::write(&reserved, "another's").expect("written");
    let mut worker = Command::new(programs::built("flops-fit-worker"))
        .arg("train")
        .arg(&trial)
        .stdin(parent)
        .stdout(Stdio::null())
        .stderr(File::create(bench.path("worker.log")).expect("created"))
        .spawn()
        .expect("started");
    let mut ended = None;
    wait_until("the worker lives on", || {
        ended = worker.try_wait().expect("a child");
        ended.is_some()
    });
    let ended = ended.expect("it has ended");
    assert_eq!(ended.signal(), Some(Signal::KILL.as_raw()), "{ended}");
    let reserved = fs::read_to_string(reserved).expect("it is there");
    assert_eq!(reserved, "another's");
}

#[test]
fn a_worker_whose_parent_was_dead_before_touches_nothing() {
    let bench = Workbench::new("fugitive-late", FUGITIVE);
    let (mut parent, worker, left) = fugitive(&bench);
    let open = [parent.id(), worker].map(held_open);
    // Held still, the parent can't begin another trial.
    send(Signal::STOP, parent.id());
    for process in [worker, left, parent.id()] {
        send(Signal::KILL, process);
    }
    parent.wait().expect("reaped");

    let (ours, theirs) = UnixStream::pair().expect("made");
    drop(theirs);
    is_killed_at_once(&bench, ours.into());

    let [Some(of_parent), Some(of_worker)] = open else {
        say(
            "SKIPPED: a parent that was dead before while its sockets are open, since this user may not copy another process's open files",
        );
        return;
    };
    let is_its_socket = |file: &&OwnedFd| {
        let made = socket_peercred(file)
            .is_ok_and(|by| Pid::as_raw(Some(by.pid)).cast_unsigned() == parent.id());
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        made && recv(file, &mut [0_u8], flags) == Err(Errno::AGAIN)
    };
    let socket = of_parent.iter().find(is_its_socket);
    let socket = socket.expect("the worker's").try_clone().expect("a copy");
    is_killed_at_once(&bench, socket);
    drop((of_parent, of_worker));
}
