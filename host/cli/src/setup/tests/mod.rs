//! Whole set-ups on made-up machines: the order of search, what is laid out,
//! what is left behind, and how a bad libtorch is told.
#![expect(clippy::unwrap_used, reason = "tests")]

pub(crate) mod machine;
mod sentences;

use std::fs;
use std::path::Path;

use machine::Machine;

use super::{Error, Flaw, Options, Origin, Variant};

fn cpu() -> Options {
    Options::default()
}

fn linked_to(folder: &Path) -> Options {
    Options {
        cuda: false,
        link: Some(folder.to_owned()),
    }
}

/// A machine whose pip delivers the wheels.
fn connected() -> Machine {
    let machine = Machine::new();
    let index = machine.wheels();
    machine.python_with_pip(&format!("cp {}/*.whl \"$dest\"", index.display()));
    machine
}

/// A folder as a set-up by pip makes it, on a machine of its own.
fn finished() -> (Machine, std::path::PathBuf) {
    let machine = connected();
    let home = machine.set_up(&cpu()).0.unwrap().libtorch;
    (machine, home)
}

#[test]
fn pip_delivers_a_libtorch_that_holds_only_what_the_cpu_needs() {
    let machine = connected();
    let workspace = machine.path("clone");
    let (report, progress) = machine.set_up(&linked_to(&workspace));
    let report = report.unwrap();

    assert_eq!(report.libtorch, machine.path("cache/libtorch-2.13.0-cpu"));
    assert_eq!(report.variant, Variant::Cpu);
    assert!(matches!(report.origin, Origin::Pip { .. }));
    assert_eq!(report.link.as_deref(), Some(&*workspace.join(".libtorch")));
    assert_eq!(
        fs::read_link(workspace.join(".libtorch")).unwrap(),
        report.libtorch
    );
    assert!(
        progress.contains("downloading libtorch 2.13.0 (cpu"),
        "{progress}"
    );

    let mut libraries: Vec<_> = fs::read_dir(report.libtorch.join("lib"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    libraries.sort();
    assert_eq!(
        libraries,
        [
            "libc10.so",
            "libcudart.so.13",
            "libtorch.so",
            "libtorch_cpu.so"
        ]
    );
    assert_eq!(
        fs::read_to_string(report.libtorch.join("lib/libtorch.so")).unwrap(),
        "INPUT(libtorch_cpu.so)\n"
    );
    assert_eq!(
        fs::read_to_string(report.libtorch.join("build-version")).unwrap(),
        "2.13.0"
    );
    let left: Vec<_> = fs::read_dir(machine.path("cache"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("partial"))
        .collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}

#[test]
fn pip_is_asked_for_the_same_wheels_whatever_python_runs() {
    let (machine, _) = finished();
    let arguments = fs::read_to_string(machine.path("pip-arguments")).unwrap();
    for part in [
        "-m pip download",
        "--no-deps",
        "--only-binary=:all:",
        "--python-version 3.11 --implementation cp",
        "--abi cp311",
        "--platform manylinux_2_28_x86_64",
        "--platform manylinux2014_x86_64",
        "torch==2.13.0 nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85",
    ] {
        assert!(arguments.contains(part), "no `{part}` in: {arguments}");
    }
}

#[test]
fn a_second_set_up_uses_the_first_one_and_needs_no_python() {
    let (machine, home) = finished();
    fs::remove_file(machine.path("bin/python3")).unwrap();
    let report = machine.set_up(&cpu()).0.unwrap();
    assert_eq!(report.origin, Origin::Cache);
    assert_eq!(report.libtorch, home);
    assert!(
        report
            .to_string()
            .contains(&format!("export LIBTORCH={}", home.display()))
    );
}

#[test]
fn an_interrupted_set_up_starts_over() {
    let machine = connected();
    let cache = machine.path("cache");
    // As if killed while unpacking, and as if an older flops-fit had left a
    // folder without the marker in the final place.
    let partial = cache.join("libtorch-2.13.0-cpu.partial-7");
    fs::create_dir_all(partial.join("libtorch/lib")).unwrap();
    fs::write(partial.join("libtorch/lib/libtorch_cpu.so"), "half").unwrap();
    fs::create_dir_all(cache.join("libtorch-2.13.0-cpu/lib")).unwrap();

    let report = machine.set_up(&cpu()).0.unwrap();
    assert!(matches!(report.origin, Origin::Pip { .. }));
    assert!(!partial.exists());
}

#[test]
fn a_damaged_cache_is_set_up_again() {
    let (machine, home) = finished();
    let library = home.join("lib/libtorch_cpu.so");
    let whole = fs::read(&library).unwrap();
    fs::write(&library, &whole[..whole.len() / 2]).unwrap();

    let (report, progress) = machine.set_up(&cpu());
    assert!(matches!(report.unwrap().origin, Origin::Pip { .. }));
    assert!(
        progress.contains("libtorch_cpu.so is cut off"),
        "{progress}"
    );
    assert_eq!(fs::read(&library).unwrap(), whole);
}

#[test]
fn a_python_with_the_right_torch_is_linked_to() {
    let machine = Machine::new();
    let site = machine.site_packages();
    machine.python_with_torch("2.13.0+cu130", &site);
    let report = machine.set_up(&cpu()).0.unwrap();
    assert!(matches!(report.origin, Origin::Python { .. }));
    let library = report.libtorch.join("lib/libtorch_cpu.so");
    assert_eq!(
        fs::read_link(library).unwrap(),
        site.join("torch/lib/libtorch_cpu.so")
    );
    assert_eq!(
        fs::read_link(report.libtorch.join("include")).unwrap(),
        site.join("torch/include")
    );
    assert!(!report.libtorch.join("lib/libtorch_cuda.so").exists());
}

#[test]
fn a_python_with_another_torch_is_passed_over() {
    let machine = Machine::new();
    machine.python_with_torch("2.9.1", &machine.site_packages());
    let (result, progress) = machine.set_up(&cpu());
    assert!(progress.contains("it is 2.9.1, not 2.13.0"), "{progress}");
    // This Python's `-m pip` fails.
    assert!(matches!(result, Err(Error::NoPip { .. })));
}

#[test]
fn a_good_libtorch_variable_wins_and_a_bad_one_is_an_error() {
    let (_other, home) = finished();
    let mut machine = connected();
    machine.environment.libtorch = Some(home.clone());
    let report = machine.set_up(&cpu()).0.unwrap();
    assert_eq!(
        (report.origin, report.libtorch),
        (Origin::Variable, home.clone())
    );

    fs::write(home.join("build-version"), "2.6.0+cpu\n").unwrap();
    let message = machine.set_up(&cpu()).0.unwrap_err().to_string();
    assert!(
        message.contains("it holds libtorch 2.6.0+cpu, not 2.13.0"),
        "{message}"
    );
    assert!(message.contains("unset it"), "{message}");
}

#[test]
fn a_libtorch_variable_that_is_the_workspaces_own_link_counts_as_unset() {
    let mut machine = connected();
    let workspace = machine.path("clone");
    fs::create_dir(&workspace).unwrap();
    machine.environment.libtorch = Some(workspace.join(".libtorch"));
    let report = machine.set_up(&linked_to(&workspace)).0.unwrap();
    assert!(matches!(report.origin, Origin::Pip { .. }));
    let again = machine.set_up(&linked_to(&workspace)).0.unwrap();
    assert_eq!(again.origin, Origin::Linked);
}

#[test]
fn a_link_to_a_libtorch_of_the_users_own_is_kept() {
    let (_other, home) = finished();
    let mut machine = connected();
    let workspace = machine.path("clone");
    machine.environment.libtorch = Some(home.clone());
    machine.set_up(&linked_to(&workspace)).0.unwrap();
    machine.environment.libtorch = None;
    let report = machine.set_up(&linked_to(&workspace)).0.unwrap();
    assert_eq!(report.origin, Origin::Linked);
    assert_eq!(report.libtorch, home.canonicalize().unwrap());
}

#[test]
fn gpu_libraries_are_not_taken_from_a_libtorch_without_them() {
    let (mut machine, home) = finished();
    machine.environment.libtorch = Some(home);
    let options = Options {
        cuda: true,
        link: None,
    };
    let error = machine.set_up(&options).0.unwrap_err();
    assert!(
        matches!(
            error,
            Error::LibtorchVariable {
                flaw: Flaw::NoCuda,
                ..
            }
        ),
        "{error}"
    );
}

/// Breaks a good libtorch in one way and checks the reason given.
fn check_flaw(damage: impl FnOnce(&Path), expected: &str) {
    let (mut machine, home) = finished();
    damage(&home);
    machine.environment.libtorch = Some(home);
    let message = machine.set_up(&cpu()).0.unwrap_err().to_string();
    assert!(message.contains(expected), "no `{expected}` in: {message}");
}

#[test]
fn every_flaw_of_a_libtorch_is_named() {
    let remove = |name: &'static str| move |home: &Path| fs::remove_file(home.join(name)).unwrap();
    let write = |name: &'static str, bytes: &'static [u8]| {
        move |home: &Path| fs::write(home.join(name), bytes).unwrap()
    };
    check_flaw(
        |home| fs::remove_dir_all(home).unwrap(),
        "there is no such folder",
    );
    check_flaw(
        |home| {
            remove("build-version")(home);
            remove("version.py")(home);
        },
        "it is no libtorch folder",
    );
    check_flaw(
        |home| {
            remove("build-version")(home);
            fs::write(home.join("version.py"), "__version__ = '2.12.1'\n").unwrap();
        },
        "it holds libtorch 2.12.1, not 2.13.0",
    );
    check_flaw(
        remove("include/torch/csrc/api/include/torch/torch.h"),
        "it has no include/torch",
    );
    check_flaw(remove("lib/libtorch.so"), "it has no lib/libtorch.so");
    check_flaw(remove("lib/libc10.so"), "it has no lib/libc10.so");
    check_flaw(
        remove("lib/libcudart.so.13"),
        "its lib/libtorch_cpu.so needs libcudart.so.13",
    );
    check_flaw(
        write("lib/libc10.so", b"hello"),
        "its lib/libc10.so is no ELF library",
    );
    check_flaw(
        |home| {
            let path = home.join("lib/libc10.so");
            let mut bytes = fs::read(&path).unwrap();
            // e_machine: AArch64.
            bytes[18..20].copy_from_slice(&183u16.to_le_bytes());
            fs::write(&path, bytes).unwrap();
        },
        "its lib/libc10.so is no x86-64 shared library",
    );
    check_flaw(
        |home| {
            let path = home.join("lib/libtorch_cpu.so");
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        },
        "its lib/libtorch_cpu.so is cut off",
    );
}

#[test]
fn a_wheel_that_is_cut_off_or_incomplete_is_no_libtorch() {
    let machine = connected();
    let wheel = machine
        .path("index")
        .join("torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl");
    let bytes = fs::read(&wheel).unwrap();
    fs::write(&wheel, &bytes[..bytes.len() / 2]).unwrap();
    let error = machine.set_up(&cpu()).0.unwrap_err();
    assert!(matches!(error, Error::Wheel { .. }), "{error}");

    fs::remove_file(&wheel).unwrap();
    let error = machine.set_up(&cpu()).0.unwrap_err();
    assert!(
        matches!(&error, Error::Incomplete { missing, .. } if missing == "libtorch_cpu.so"),
        "{error}"
    );

    fs::write(&wheel, &bytes).unwrap();
    fs::remove_file(
        machine
            .path("index")
            .join("nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.whl"),
    )
    .unwrap();
    let error = machine.set_up(&cpu()).0.unwrap_err();
    assert!(
        matches!(&error, Error::Unusable { flaw: Flaw::Unmet { needs, .. }, .. } if needs == "libcudart.so.13"),
        "{error}"
    );
}

#[test]
fn the_report_is_machine_readable() {
    let (machine, home) = finished();
    let report = machine.set_up(&cpu()).0.unwrap();
    let value = serde_json::to_value(&report).unwrap();
    assert_eq!(
        value,
        serde_json::json!({
            "libtorch": home,
            "version": "2.13.0",
            "variant": "cpu",
            "origin": { "kind": "cache" },
            "link": null,
            "rebuild_torch_sys": false,
            "compiler": machine.path("bin/c++"),
        })
    );
}
