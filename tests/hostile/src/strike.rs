//! Ways to end or hold up a process, whatever the call.

use std::{
    ffi::OsStr, fs::File, hint::black_box, io::Write, os::fd::FromRawFd, path::Path,
    process::Command, thread, time::Duration,
};

/// Ends the process as if all were well.
#[expect(clippy::exit, reason = "the fault itself")]
pub(crate) fn exit() -> ! {
    std::process::exit(0)
}

/// Does so on another thread, while this one waits.
pub(crate) fn exit_in_thread() -> ! {
    thread::spawn(|| exit());
    hang()
}

/// Writes where nothing is mapped.
pub(crate) fn null_write() {
    let _ = writeln!(std::io::stderr(), "about to write to address 8");
    let nowhere = std::ptr::without_provenance_mut::<u8>(black_box(8));
    // SAFETY: none; the process is meant to die of it.
    unsafe { nowhere.write_volatile(1) }
}

/// Calls itself until the stack ends.
pub(crate) fn overflow(depth: u64) -> u64 {
    let page = black_box([depth; 512]);
    if depth == u64::MAX {
        return 0;
    }
    overflow(depth + 1) + page[depth as usize % 512]
}

/// Whether this is the thread of a rank that is not the first, which has the main
/// thread: the one whose number is the process's.
pub(crate) fn follows() -> bool {
    let here = std::fs::read_link("/proc/thread-self").expect("a Linux system");
    let process = here.iter().next();
    process != here.file_name()
}

/// Does nothing, for ever.
pub(crate) fn hang() -> ! {
    loop {
        thread::sleep(Duration::from_secs(1));
    }
}

/// Computes nothing, for ever, and never rests.
pub(crate) fn spin() -> ! {
    loop {
        black_box(0);
    }
}

/// Ends the process, or never returns, while the library is being loaded. The
/// environment says for which of the worker's commands, which of the two, and for which
/// size, if that command trains one.
extern "C" fn at_load() {
    let Some(fault) = std::env::var_os("FLOPS_FIT_HOSTILE_LOAD") else {
        return;
    };
    let fault = fault.to_string_lossy();
    let mut words = fault.split(' ');
    let mut arguments = std::env::args_os().skip(1);
    if words.next() != arguments.next().as_deref().and_then(OsStr::to_str) {
        return;
    }
    let fault = words.next().expect("a fault");
    if let Some(size) = words.next() {
        let trial = Path::new(&arguments.next().expect("a folder")).join("trial.json");
        let spec = std::fs::read_to_string(trial).expect("a trial");
        if !spec.contains(&format!("\"size\": {size},")) {
            return;
        }
    }
    match fault {
        "exit" => exit(),
        "spin" => spin(),
        other => panic!("unknown fault {other:?}"),
    }
}

// SAFETY: the loader calls what stands in this section once, with nothing else of
// the library running.
#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = at_load;

/// Asks for more memory than there is, and not of libtorch.
pub(crate) fn hoard() {
    let hoard: Vec<u8> = Vec::with_capacity(black_box(1 << 60));
    black_box(hoard);
}

/// Starts a process that has a session of its own, and no parent here.
pub(crate) fn fugitive() {
    // The shell ends at once, so that nobody of this group is its parent.
    let shell = "setsid sleep 600 & echo left behind: $! >&2";
    let status = Command::new("sh").args(["-c", shell]).status();
    assert!(status.is_ok_and(|status| status.success()));
    // It has to be away before the group is killed.
    thread::sleep(Duration::from_millis(300));
}

/// Starts threads that outlive every call.
pub(crate) fn threads() {
    for _ in 0..8 {
        thread::spawn(idle);
    }
}

fn idle() {
    hang()
}

/// Takes away what the process was told by its environment.
pub(crate) fn forget() {
    for (name, _) in std::env::vars_os() {
        // SAFETY: none; the plugin is not to do this while other threads run.
        unsafe { std::env::remove_var(name) };
    }
}

/// Leaves a process behind.
#[expect(clippy::zombie_processes, reason = "the fault itself")]
pub(crate) fn leave_process() {
    let child = Command::new("sleep").arg("600").spawn();
    let child = child.expect("every Linux has `sleep`");
    // The test reads which one to look for from the log.
    let _ = writeln!(std::io::stderr(), "left behind: {}", child.id());
}

/// Prints 16 MiB on standard output.
pub(crate) fn flood() {
    let line = [b"y".repeat(1023), b"\n".to_vec()].concat();
    for _ in 0..16 << 10 {
        let _ = std::io::stdout().write_all(&line);
    }
}

/// Closes standard output under everyone's feet.
pub(crate) fn close_stdout() {
    // SAFETY: nothing here uses descriptor 1 again; whoever else does gets an error.
    drop(unsafe { File::from_raw_fd(1) });
}
