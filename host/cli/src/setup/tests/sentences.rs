//! The whole sentence for everything that a machine may lack: what was found
//! and what to do.

use std::fs;

use super::machine::Machine;
use super::{connected, cpu};

/// Checks the whole sentence of a set-up that can't succeed, with the
/// machine's folder written as `<machine>`.
fn check_error(machine: &Machine, expected: &str) {
    let message = machine.set_up(&cpu()).0.unwrap_err().to_string();
    let message = message.replace(&machine.path("").display().to_string(), "<machine>/");
    assert_eq!(message, expected);
    assert!(!machine.path("cache/libtorch-2.13.0-cpu").exists());
}

#[test]
fn other_platforms_are_refused() {
    let mut machine = connected();
    machine.environment.os = "macos".to_owned();
    machine.environment.arch = "aarch64".to_owned();
    check_error(
        &machine,
        "libtorch is set up on Linux x86-64 only, and this machine is macos aarch64: train on a \
         Linux x86-64 machine; analysing finished runs works here all the same",
    );
}

#[test]
fn a_missing_compiler_is_named_before_anything_is_downloaded() {
    let machine = connected();
    fs::remove_file(machine.path("bin/c++")).unwrap();
    check_error(
        &machine,
        "no C++ compiler found (tried c++, g++, clang++): install one, for example \
         `apt install g++`, or name it in CXX",
    );
    machine.program("clang++", "exit 0");
    check_error(
        &machine,
        "found the C++ compiler <machine>/bin/clang++ but no `c++`, which cargo builds look for: \
         run `export CXX=<machine>/bin/clang++` and try again",
    );
}

#[test]
fn a_compiler_that_cannot_compile_is_named_with_its_error() {
    let mut machine = connected();
    machine.environment.cxx = Some("ccxx -O2".into());
    machine.program(
        "ccxx",
        "cat > /dev/null; echo \"<stdin>:1:10: fatal error: optional: No such file ($1)\" >&2; exit 1",
    );
    check_error(
        &machine,
        "the C++ compiler <machine>/bin/ccxx can't compile a C++17 program (<stdin>:1:10: fatal \
         error: optional: No such file (-O2)): install its standard library, for example \
         `apt install g++`, or name another compiler in CXX",
    );
}

#[test]
fn missing_python_and_missing_pip_are_told_apart() {
    let machine = Machine::new();
    check_error(
        &machine,
        "no Python found (tried python3 and python on PATH): install Python 3 with pip, for \
         example `apt install python3-pip`, or point LIBTORCH at an unpacked libtorch 2.13.0",
    );
    machine.program("python3", "exit 1");
    check_error(
        &machine,
        "found <machine>/bin/python3, but it has no pip: install it, for example `apt install \
         python3-pip` or `<machine>/bin/python3 -m ensurepip`, or point LIBTORCH at an unpacked \
         libtorch 2.13.0",
    );
}

#[test]
fn an_unreachable_index_is_told_from_one_without_the_package() {
    let machine = Machine::new();
    let not_offered = "ERROR: No matching distribution found for torch==2.13.0";
    machine.python_with_pip(&format!(
        "cat >&2 <<'END'
WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<x at 0x7f>: Failed to establish a new connection: [Errno 111] Connection refused')': /simple/torch/
{not_offered}
END
         exit 1"
    ));
    check_error(
        &machine,
        "pip could not reach its package index (Failed to establish a new connection: [Errno 111] \
         Connection refused): connect to the network or point pip at a mirror, then run set-up \
         again; or point LIBTORCH at an unpacked libtorch 2.13.0",
    );
    machine.python_with_pip(&format!("echo '{not_offered}' >&2; exit 1"));
    check_error(
        &machine,
        "pip's package index does not offer what libtorch 2.13.0 is made from (No matching \
         distribution found for torch==2.13.0): use an index that has it, or point LIBTORCH at an \
         unpacked libtorch 2.13.0",
    );
    machine.python_with_pip("echo 'ERROR: out of quota.' >&2; exit 2");
    check_error(
        &machine,
        "`<machine>/bin/python3 -m pip download` failed (exit status: 2): out of quota; once that \
         is mended, run set-up again",
    );
}
