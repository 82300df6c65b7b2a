//! A worker does not outlive the sweep that started it.
//!
//! The parent gives its workers a pipe for standard input and never writes to
//! it; the pipe's end is the parent's end, however that came about. Where
//! standard input is anything else (a terminal, a debugger), nobody is watched.

use std::{io::Read, thread};

use rustix::{
    fs::{FileType, fstat},
    process::{Signal, getpid, kill_process, set_parent_process_death_signal},
};

/// Ends this process when the one that started it ends.
pub(crate) fn follow() {
    let piped = fstat(std::io::stdin())
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo);
    if !piped {
        return;
    }
    // The kernel's way is quicker where it works: it fires when the thread that
    // spawned us ends.
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    thread::spawn(|| {
        let mut byte = [0];
        while matches!(std::io::stdin().read(&mut byte), Ok(1)) {}
        let _ = kill_process(getpid(), Signal::KILL);
    });
}
