//! A worker does not outlive the sweep that started it.
//!
//! The parent gives its workers a pipe for standard input and never writes to
//! it; the pipe's end is the parent's end, however that came about. Where
//! standard input is anything else (a terminal, a debugger), nobody is watched.

use std::{io::Read, thread};

use rustix::{
    fs::{FileType, fstat},
    process::{Signal, getpgrp, getpid, kill_current_process_group, kill_process},
};

/// Ends this process when the one that started it ends.
pub(crate) fn follow() {
    let piped = fstat(std::io::stdin())
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo);
    if !piped {
        return;
    }
    thread::spawn(|| {
        let mut byte = [0];
        while matches!(std::io::stdin().read(&mut byte), Ok(1)) {}
        // What the plugin started goes too, where the parent gave us a group.
        if getpgrp() == getpid() {
            let _ = kill_current_process_group(Signal::KILL);
        }
        let _ = kill_process(getpid(), Signal::KILL);
    });
}
