//! The parent maps neither libtorch nor a plugin, whatever it is asked to do.
//!
//! The dynamic linker itself says what it maps, `dlopen` included, into one file
//! for each process.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    sweep::{DONE, SWEEP},
    workbench::Workbench,
};

/// Names of the libraries that a process mapped.
fn mapped(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    text.lines()
        .filter_map(|line| line.split_once("file=")?.1.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

fn is_foreign(library: &str) -> bool {
    ["torch", "c10", "libflops_fit", "gomp", "cuda"]
        .iter()
        .any(|name| library.contains(name))
}

/// Runs a command; what it mapped, and what each process that it started did.
fn watch(bench: &Workbench, arguments: &[&str]) -> (Vec<String>, Vec<PathBuf>) {
    let folder = bench.path("linker");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).expect("made");
    let mut child = bench
        .command(arguments)
        .env("LD_DEBUG", "files")
        .env("LD_DEBUG_OUTPUT", folder.join("log"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    let own = folder.join(format!("log.{}", child.id()));
    let status = child.wait().expect("reaped");
    assert!(status.success(), "{arguments:?}");
    let all = fs::read_dir(&folder).expect("listed");
    let others = all
        .map(|entry| entry.expect("listed").path())
        .filter(|path| *path != own)
        .collect();
    (mapped(&own), others)
}

#[test]
fn commands_that_need_no_worker_map_no_libtorch() {
    let (done, _) = &*DONE;
    let bench = Workbench::new("footprint", SWEEP);
    // Other tests look for processes that name the sweep's own folder.
    let status = Command::new("cp")
        .arg("-r")
        .args([done.path("outputs"), bench.path("outputs")])
        .status();
    assert!(status.is_ok_and(|status| status.success()));
    let output = bench.output("small").display().to_string();
    let runs = bench.output("small").join("runs.csv").display().to_string();
    for arguments in [
        &["--help"][..],
        &["run", "--help"],
        &["--version"],
        &["status", &output],
        &["table", &output],
        &["predict", &output, "--budget", "1e10"],
        &["analyze", &runs],
    ] {
        let (mapped, others) = watch(&bench, arguments);
        assert!(mapped.iter().any(|name| name.contains("libc.so")));
        let foreign: Vec<_> = mapped.iter().filter(|name| is_foreign(name)).collect();
        assert!(foreign.is_empty(), "{arguments:?} maps {foreign:?}");
        assert!(others.is_empty(), "{arguments:?} started {others:?}");
    }
}

#[test]
fn while_its_workers_do_the_parent_maps_no_libtorch() {
    let bench = Workbench::new("footprint-run", SWEEP);
    let grid = "sweep.grid=[{ budget = 3e8, sizes = [4, 8] }]";
    let (parent, others) = watch(&bench, &["train", "--set", grid]);
    assert!(!parent.iter().any(|name| is_foreign(name)), "{parent:?}");
    // One worker described, two trained.
    assert_eq!(others.len(), 3, "{others:?}");
    for worker in others {
        let mapped = mapped(&worker);
        for name in ["libtorch_cpu.so", "libflops_fit_gpt.so"] {
            assert!(
                mapped.iter().any(|library| library.contains(name)),
                "{} maps {mapped:?}",
                worker.display()
            );
        }
    }
}
