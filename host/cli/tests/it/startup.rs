//! The parent is light: it maps no libtorch. (How fast its help comes is
//! measured by `cargo xtask bench help`.)

use std::process::Command;

const BINARY: &str = env!("CARGO_BIN_EXE_flops-fit");

#[test]
fn maps_no_libtorch() {
    // The dynamic linker lists what it would map.
    let listed = Command::new(BINARY)
        .env("LD_TRACE_LOADED_OBJECTS", "1")
        .output()
        .expect("started");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    // Names alone: an address may hold any digits.
    let names: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let maps = |name: &str| names.iter().any(|mapped| mapped.contains(name));
    assert!(maps("libc.so"), "{listed}");
    assert!(!maps("torch") && !maps("c10"), "{listed}");
}
