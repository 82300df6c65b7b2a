//! The parent is light: it maps no libtorch, and its help comes at once.

use std::{
    process::Command,
    time::{Duration, Instant},
};

const BINARY: &str = env!("CARGO_BIN_EXE_flops-fit");

#[test]
fn maps_no_libtorch() {
    // The dynamic linker lists what it would map.
    let listed = Command::new(BINARY)
        .env("LD_TRACE_LOADED_OBJECTS", "1")
        .output()
        .expect("started");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("libc.so"), "{listed}");
    assert!(
        !listed.contains("torch") && !listed.contains("c10"),
        "{listed}"
    );
}

#[test]
fn help_within_ten_milliseconds() {
    let best = (0..20)
        .map(|_| {
            let begun = Instant::now();
            let status = Command::new(BINARY)
                .arg("--help")
                .output()
                .expect("started")
                .status;
            assert!(status.success());
            begun.elapsed()
        })
        .min()
        .expect("twenty times");
    // A debug build is not what is promised.
    if !cfg!(debug_assertions) {
        assert!(best < Duration::from_millis(10), "{best:?}");
    }
}
