//! What a worker has started and left, in whatever session.
//!
//! A process group is left by `setsid`, a parent by forking twice. As the reaper
//! of its descendants a parent becomes the parent of every process whose own has
//! died, so nothing can get out of sight: what is a child here and was never
//! started here is an orphan.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::Child,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use flops_fit_trial::{processes_of, trial_of};
use rustix::process::{
    Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, waitpid,
};

/// How long a process that was killed may take to be gone.
const PATIENCE: Duration = Duration::from_secs(2);

static ADOPTING: AtomicBool = AtomicBool::new(false);

/// The children that were started here and have not been reaped, with the trial
/// of each.
static OWN: Mutex<BTreeMap<i32, Option<OsString>>> = Mutex::new(BTreeMap::new());

fn own() -> MutexGuard<'static, BTreeMap<i32, Option<OsString>>> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes this process the parent of what its workers leave behind; from now on
/// such orphans are killed when their trial ends. Only for a process that starts
/// no children but through this library: it would kill others.
///
/// # Errors
/// If the kernel refuses.
pub fn adopt_orphans() -> io::Result<()> {
    set_child_subreaper(Some(getpid()))?;
    ADOPTING.store(true, Ordering::Relaxed);
    Ok(())
}

/// Starts a child of `trial` and takes note of it, in one step for [`end`].
pub(super) fn start(
    trial: Option<OsString>,
    spawn: impl FnOnce() -> io::Result<Child>,
) -> io::Result<Child> {
    let mut own = own();
    let child = spawn()?;
    own.insert(Pid::from_child(&child).as_raw_nonzero().get(), trial);
    Ok(child)
}

/// Forgets a child that was reaped.
pub(super) fn forget(pid: Pid) {
    own().remove(&pid.as_raw_nonzero().get());
}

/// Kills and reaps the orphans whose trial is not running.
pub(super) fn end() {
    if !ADOPTING.load(Ordering::Relaxed) {
        return;
    }
    let own = own();
    let begun = Instant::now();
    loop {
        let orphans: Vec<Pid> = children()
            .into_iter()
            .filter(|pid| !own.contains_key(pid))
            .filter(|&pid| {
                let trial = trial_of(pid.unsigned_abs());
                trial.is_none() || !own.values().any(|running| *running == trial)
            })
            .filter_map(Pid::from_raw)
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

/// The children of this process, zombies among them.
fn children() -> Vec<i32> {
    let own = getpid().as_raw_nonzero().get();
    let Ok(all) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|&pid| parent(pid) == Some(own))
        .collect()
}

fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // pid (name) state parent …; the name may hold anything.
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split_whitespace().nth(1)?.parse().ok()
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
