//! Doctor on made-up machines: what each check says, and that only what stops
//! a sweep is a problem.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::setup::tests::machine::Machine;

fn examine(machine: &Machine, worker: Option<PathBuf>) -> Report {
    let options = Options {
        worker,
        output: PathBuf::from("outputs"),
    };
    machine.starting(|environment| run_in(&options, environment))
}

fn check<'a>(report: &'a Report, name: &str) -> &'a Check {
    report
        .checks
        .iter()
        .find(|check| check.name == name)
        .unwrap_or_else(|| panic!("no check called {name}"))
}

#[test]
fn a_bare_machine_has_problems_with_a_fix_each() {
    let machine = Machine::new();
    let report = examine(&machine, None);
    assert_eq!(report.status(), Status::Problem);

    let libtorch = check(&report, "libtorch");
    assert_eq!(libtorch.status, Status::Problem);
    assert_eq!(libtorch.found, "none is set up");
    assert_eq!(libtorch.fix.as_deref(), Some("run `flops-fit setup`"));
    assert_eq!(check(&report, "worker").status, Status::Problem);
    // Plugins can't be compiled here, but finished ones can be trained.
    assert_eq!(check(&report, "Rust").status, Status::Warning);
    for check in &report.checks {
        assert_eq!(check.fix.is_none(), check.status == Status::Ok, "{check:?}");
    }
}

#[test]
fn a_machine_that_is_set_up_is_ready() {
    let machine = Machine::new();
    let index = machine.wheels();
    machine.python_with_pip(&format!("cp {}/*.whl \"$dest\"", index.display()));
    machine.set_up(&crate::setup::Options::default()).0.unwrap();
    machine.program("cargo", "echo cargo 1.99.0");
    machine.program("rustc", "echo 'rustc 1.99.0 (abc 2027-01-01)'");
    machine.program("flops-fit-worker", "echo flops-fit-worker 0.1.0");
    machine.program("nvidia-smi", "echo 'NVIDIA H100, 81559 MiB, 580.1'; exit 0");

    let report = examine(&machine, Some(machine.path("bin/flops-fit-worker")));
    let problems: Vec<_> = report
        .checks
        .iter()
        .filter(|check| check.status == Status::Problem)
        .collect();
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(
        check(&report, "Rust").found,
        "rustc 1.99.0 (abc 2027-01-01)"
    );
    assert_eq!(check(&report, "GPU").found, "NVIDIA H100, 81559 MiB, 580.1");
    assert!(
        check(&report, "libtorch")
            .found
            .starts_with("2.13.0 (cpu) in ")
    );
    assert!(
        check(&report, "worker")
            .found
            .starts_with("flops-fit-worker 0.1.0, ")
    );
    assert!(report.to_string().ends_with("Ready to train.\n"));
}

#[test]
fn an_old_rust_is_noted() {
    let machine = Machine::new();
    machine.program("cargo", "echo cargo 1.70.0");
    machine.program("rustc", "echo 'rustc 1.70.0 (abc 2023-06-01)'");
    let report = examine(&machine, None);
    let rust = check(&report, "Rust");
    assert_eq!(rust.status, Status::Warning);
    assert!(rust.found.contains("1.70.0"), "{rust:?}");
    assert!(rust.fix.as_deref().unwrap().contains("rustup update"));
}

#[test]
fn a_worker_that_does_not_start_is_quoted() {
    let machine = Machine::new();
    machine.program(
        "flops-fit-worker",
        "echo 'error while loading shared libraries: libtorch_cpu.so' >&2; exit 127",
    );
    let report = examine(&machine, Some(machine.path("bin/flops-fit-worker")));
    let worker = check(&report, "worker");
    assert_eq!(worker.status, Status::Problem);
    assert!(worker.found.contains("libtorch_cpu.so"), "{worker:?}");
}

#[test]
fn a_libtorch_variable_that_leads_nowhere_is_a_problem_in_two_parts() {
    let mut machine = Machine::new();
    machine.environment.libtorch = Some(PathBuf::from("/nowhere"));
    let report = examine(&machine, None);
    let libtorch = check(&report, "libtorch");
    assert_eq!(
        libtorch.found,
        "LIBTORCH names /nowhere, but there is no such folder"
    );
    assert!(
        libtorch
            .fix
            .as_deref()
            .unwrap()
            .starts_with("point LIBTORCH at")
    );
}

#[test]
fn versions_of_rust_are_read_and_ordered_as_numbers() {
    assert_eq!(
        checks::rust_version("rustc 1.95.0 (abc 2026-03-21)"),
        Some((1, 95))
    );
    assert_eq!(
        checks::rust_version("rustc 1.100.0-nightly"),
        Some((1, 100))
    );
    assert_eq!(checks::rust_version("1.95"), Some((1, 95)));
    assert_eq!(checks::rust_version("no number"), None);
}

#[test]
fn little_memory_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    let meminfo = folder.path().join("meminfo");
    let found = |available: &str| {
        let table = format!("MemTotal:  24000000 kB\nMemAvailable:  {available} kB\n");
        fs::write(&meminfo, table).unwrap();
        checks::memory(&meminfo)
    };
    assert_eq!(found("20000000").status, Status::Ok);
    assert_eq!(found("20000000").found, "20.5 GB free of 24.6 GB");
    assert_eq!(found("900000").status, Status::Warning);
    assert_eq!(
        checks::memory(Path::new("/nowhere")).status,
        Status::Warning
    );
}
