//! Ways to end or hold up a process, whatever the call.

use std::{
    fs::File, hint::black_box, io::Write, os::fd::FromRawFd, process::Command, thread,
    time::Duration,
};

/// Ends the process as if all were well.
#[expect(clippy::exit, reason = "the fault itself")]
pub(crate) fn exit() -> ! {
    std::process::exit(0)
}

/// Writes where nothing is mapped.
pub(crate) fn null_write() {
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

/// Does nothing, for ever.
pub(crate) fn hang() -> ! {
    loop {
        thread::sleep(Duration::from_secs(1));
    }
}

/// Leaves a process behind and ends.
#[expect(clippy::zombie_processes, reason = "the fault itself")]
pub(crate) fn orphan() -> ! {
    let child = Command::new("sleep").arg("600").spawn();
    let child = child.expect("every Linux has `sleep`");
    // The test reads which one to look for from the log.
    let _ = writeln!(std::io::stderr(), "left behind: {}", child.id());
    exit()
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
