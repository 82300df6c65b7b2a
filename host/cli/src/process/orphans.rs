//! What a worker has started and left, in whatever session.
//!
//! A process group is left by `setsid`, a parent by forking twice. As the reaper
//! of its descendants a parent becomes the parent of every process whose own has
//! died, so nothing can get out of sight: what is a child here, was never started
//! here and was not there before is an orphan.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::Child,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use flops_fit_trial::{processes_of, trial_of};
use rustix::process::{
    Pid, Signal, WaitOptions, getpgrp, getpid, kill_process, set_child_subreaper, waitpid,
};

use super::stat::Stat;

/// How long a process that was killed may take to be gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was below this process before it started anything; set once orphans are adopted.
static FOREIGN: OnceLock<Foreign> = OnceLock::new();

/// The children that were started here and have not been reaped.
static OWN: Mutex<BTreeMap<i32, Own>> = Mutex::new(BTreeMap::new());

/// A child that was started here.
#[derive(Debug)]
struct Own {
    trial: Option<OsString>,
    /// Nobody waits for it any more.
    given_up: bool,
}

fn own() -> MutexGuard<'static, BTreeMap<i32, Own>> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Processes that are none of ours: a shell's jobs in the background, where `exec`
/// has put this program in the shell's place.
#[derive(Debug)]
struct Foreign {
    /// When each was started.
    processes: BTreeMap<i32, u64>,
    /// Their groups and this process's own: a worker leads one of its own, and what
    /// it starts can't come into these by accident, but what they start does.
    groups: BTreeSet<i32>,
}

impl Foreign {
    /// What is below this process now.
    fn look() -> Self {
        let all: BTreeMap<i32, Stat> = Stat::all().collect();
        let own = number(getpid());
        let is_below = |pid: i32| {
            let parents = std::iter::successors(Some(pid), |pid| Some(all.get(pid)?.parent));
            parents.skip(1).take(all.len()).any(|parent| parent == own)
        };
        let below = || all.iter().filter(|(pid, _)| is_below(**pid));
        Self {
            processes: below().map(|(&pid, stat)| (pid, stat.started)).collect(),
            groups: below()
                .map(|(_, stat)| stat.group)
                .chain([number(getpgrp())])
                .collect(),
        }
    }

    fn holds(&self, pid: i32, stat: &Stat) -> bool {
        self.processes.get(&pid) == Some(&stat.started) || self.groups.contains(&stat.group)
    }
}

fn number(pid: Pid) -> i32 {
    pid.as_raw_nonzero().get()
}

/// Makes this process the parent of what its workers leave behind; from now on
/// such orphans are killed when their trial ends. Processes that are below it already
/// are left alone. Only for a process that starts no further children but through this
/// library: it would kill what those leave.
///
/// # Errors
/// If the kernel refuses.
pub fn adopt_orphans() -> io::Result<()> {
    FOREIGN.get_or_init(Foreign::look);
    set_child_subreaper(Some(getpid()))?;
    Ok(())
}

/// Starts a child of `trial` and takes note of it, in one step for [`end`].
pub(super) fn start(
    trial: Option<OsString>,
    spawn: impl FnOnce() -> io::Result<Child>,
) -> io::Result<Child> {
    let mut own = own();
    let child = spawn()?;
    let started = Own {
        trial,
        given_up: false,
    };
    own.insert(number(Pid::from_child(&child)), started);
    Ok(child)
}

/// Forgets a child that was reaped.
pub(super) fn forget(pid: Pid) {
    own().remove(&number(pid));
}

/// Leaves a child to itself that can't be ended; [`end`] reaps it once it can.
pub(super) fn give_up(pid: Pid) {
    if let Some(child) = own().get_mut(&number(pid)) {
        child.given_up = true;
    }
}

/// Kills and reaps the orphans whose trial is not running, and reaps what has ended
/// after all.
pub(super) fn end() {
    let mut own = own();
    own.retain(|&pid, child| !(child.given_up && has_been_reaped(pid)));
    let Some(foreign) = FOREIGN.get() else {
        return;
    };
    let begun = Instant::now();
    loop {
        let orphans: Vec<Pid> = children()
            .filter(|(pid, stat)| !own.contains_key(pid) && !foreign.holds(*pid, stat))
            .filter(|&(pid, _)| {
                let trial = trial_of(pid.unsigned_abs());
                trial.is_none() || !own.values().any(|running| running.trial == trial)
            })
            .filter_map(|(pid, _)| Pid::from_raw(pid))
            .collect();
        if orphans.is_empty() || begun.elapsed() > PATIENCE {
            return;
        }
        for pid in orphans {
            let _ = kill_process(pid, Signal::KILL);
            let _ = waitpid(Some(pid), WaitOptions::NOHANG);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Reaps a child that has ended; whether it is gone.
fn has_been_reaped(pid: i32) -> bool {
    !matches!(
        waitpid(Pid::from_raw(pid), WaitOptions::NOHANG),
        Ok(None) | Err(rustix::io::Errno::INTR)
    )
}

/// The children of this process, zombies among them.
fn children() -> impl Iterator<Item = (i32, Stat)> {
    let own = number(getpid());
    Stat::all().filter(move |(_, stat)| stat.parent == own)
}

/// Kills what works on the trials below `output` though no parent of theirs is
/// left: both a parent and its worker can be killed before either could end what
/// the worker had started. Whoever calls this holds the folder's lock.
pub(crate) fn end_leftovers(output: &Path) {
    let output: PathBuf = output.canonicalize().unwrap_or_else(|_| output.to_owned());
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let left = processes_of(&output);
        if left.is_empty() {
            return;
        }
        for pid in left {
            if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
