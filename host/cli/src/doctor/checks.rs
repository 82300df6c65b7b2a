//! The checks that need no more than a look: toolchain, compiler, libtorch,
//! cores, memory and disk.

use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, thread};

use super::report::Check;
use crate::setup::{self, Environment, Origin, Variant};

/// Below this much memory a handful of parallel trials may not fit; a trial
/// of the example sweeps takes 0.3 GB.
const LITTLE_MEMORY: u64 = 2_000_000_000;
/// Below this much disk a sweep's checkpoints may not fit.
const LITTLE_DISK: u64 = 1_000_000_000;

/// The Rust that plugins are compiled with, against the oldest that CI builds.
pub(super) fn toolchain(environment: &Environment) -> Check {
    let name = "Rust";
    let wanted = env!("CARGO_PKG_RUST_VERSION");
    let install = format!("install Rust {wanted} or later; finished runs can be analysed without");
    if environment.find("cargo").is_none() {
        return Check::warning(
            name,
            "no cargo on PATH, so no plugin can be compiled",
            install,
        );
    }
    let Some(rustc) = environment.find("rustc") else {
        return Check::warning(
            name,
            "no rustc on PATH, so no plugin can be compiled",
            install,
        );
    };
    let Some(line) = first_line(Command::new(&rustc).arg("--version")) else {
        return Check::warning(name, format!("{} does not run", rustc.display()), install);
    };
    match (rust_version(&line), rust_version(wanted)) {
        (Some(found), Some(oldest)) if found < oldest => Check::warning(
            name,
            format!("{line}, older than {wanted}"),
            format!("update it to {wanted} or later, for example by `rustup update`"),
        ),
        _ => Check::ok(name, line),
    }
}

/// Major and minor from a text such as `rustc 1.95.0 (…)` or `1.95`.
pub(super) fn rust_version(text: &str) -> Option<(u32, u32)> {
    let number = text
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut parts = number.split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The C++ compiler that torch-sys is built by.
pub(super) fn compiler(environment: &Environment) -> Check {
    match setup::compiler(environment) {
        Ok(path) => Check::ok("C++ compiler", path.display().to_string()),
        Err(error) => {
            let (found, fix) = in_two(&error.to_string());
            Check::warning("C++ compiler", found, fix)
        }
    }
}

/// The libtorch that builds would use.
pub(super) fn libtorch(environment: &Environment) -> Check {
    let name = "libtorch";
    let roots: Vec<_> = setup::link_root(environment).into_iter().collect();
    let mut passed_over = Vec::new();
    match setup::existing(environment, &roots, Variant::Cpu, &mut passed_over) {
        Ok(Some(found)) => {
            let origin = match found.origin {
                Origin::Variable => ", named by LIBTORCH",
                Origin::Linked => ", behind this workspace's link",
                _ => ", in the cache",
            };
            let version = setup::VERSION;
            let home = found.home.display();
            Check::ok(
                name,
                format!("{version} ({}) in {home}{origin}", found.variant),
            )
        }
        Ok(None) => {
            let passed_over = String::from_utf8_lossy(&passed_over);
            let found = passed_over.lines().next().unwrap_or("none is set up");
            Check::problem(name, found, "run `flops-fit setup`")
        }
        Err(error) => {
            let (found, fix) = in_two(&error.to_string());
            Check::problem(name, found, fix)
        }
    }
}

/// Cores, which are trials at once.
pub(super) fn cores() -> Check {
    match thread::available_parallelism() {
        Ok(cores) => Check::ok("cores", format!("{cores}: as many trials run at once")),
        Err(error) => Check::warning(
            "cores",
            format!("can't be counted ({error})"),
            "set run.jobs",
        ),
    }
}

/// Memory that new processes may take, from the kernel's table.
pub(super) fn memory(meminfo: &Path) -> Check {
    let name = "memory";
    let table = fs::read_to_string(meminfo).unwrap_or_default();
    let (Some(total), Some(free)) = (bytes(&table, "MemTotal:"), bytes(&table, "MemAvailable:"))
    else {
        let found = format!("{} does not tell", meminfo.display());
        return Check::warning(name, found, "watch it during the first sweep");
    };
    let found = format!("{} free of {}", gigabytes(free), gigabytes(total));
    if free < LITTLE_MEMORY {
        return Check::warning(
            name,
            found,
            "lower run.jobs if trials are killed for memory",
        );
    }
    Check::ok(name, found)
}

fn bytes(table: &str, key: &str) -> Option<u64> {
    let line = table.lines().find_map(|line| line.strip_prefix(key))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// The disk that results are written to.
pub(super) fn disk(output: &Path) -> Check {
    let name = "disk";
    match setup::free_disk(output) {
        Ok(free) => {
            let found = format!("{} free for {}", gigabytes(free), output.display());
            if free < LITTLE_DISK {
                return Check::warning(name, found, "free some, or set output.dir to another disk");
            }
            Check::ok(name, found)
        }
        Err(error) => Check::warning(
            name,
            format!("can't be measured at {} ({error})", output.display()),
            "set output.dir to a folder that can be written to",
        ),
    }
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

/// The first line that a program prints; `None` if it fails.
pub(super) fn first_line(command: &mut Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next()?.trim().to_owned();
    (output.status.success() && !line.is_empty()).then_some(line)
}

/// A set-up's sentence as what was found and what to do.
fn in_two(sentence: &str) -> (String, String) {
    match sentence.split_once(": ") {
        Some((found, fix)) => (found.to_owned(), fix.to_owned()),
        None => (sentence.to_owned(), "run `flops-fit setup`".to_owned()),
    }
}
