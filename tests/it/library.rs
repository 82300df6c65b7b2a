//! Files that are no plugin, or one of another build: refused in a sentence,
//! most of them before any worker is started.

use std::{fs, path::PathBuf};

use flops_fit_record::{ABI_MAJOR, What};

use crate::{
    programs,
    sweep::SWEEP,
    workbench::{Ended, Workbench},
};

#[test]
fn a_real_librarys_record_says_what_it_is() {
    let record = flops_fit_record::read(&programs::plugin("gpt")).expect("a plugin");
    assert_eq!(record.name, "flops-fit-gpt");
    assert_eq!(record.kinds(What::Model), ["gpt"]);
    assert_eq!(
        record.kinds(What::Dataset),
        ["stories", "text", "tinystories"]
    );
    assert_eq!(record.kinds(What::Loss), ["cross_entropy"]);
    assert_eq!(record.panic, "unwind");
    assert_eq!(record.tch, "0.26.0");
    assert_eq!(record.libtorch, "2.13.0");
    record.check_abi().expect("this build's ABI");
}

/// Plans with the file at `plugin` as the model's library, and a worker that
/// could not even be started: a refusal that comes all the same came before.
fn plan_without_worker(bench: &Workbench, plugin: &str) -> Ended {
    let worker = bench.path("no-program");
    fs::write(&worker, "").expect("written");
    let set = format!("model.plugin={plugin}");
    let mut command = bench.command(&["run", "--set", &set]);
    let output = command.env("FLOPS_FIT_WORKER", worker).output();
    bench.ended(&output.expect("started"))
}

#[track_caller]
fn refused(bench: &Workbench, plugin: &str, words: &str) {
    let ended = plan_without_worker(bench, plugin).expect(4);
    assert!(
        ended.err.contains(words) && ended.err.contains("model.plugin: "),
        "{}",
        ended.err
    );
    assert!(!bench.output("small").join("plan.json").exists());
}

/// A library of the system, by what this process has mapped.
fn system_library() -> PathBuf {
    let maps = fs::read_to_string("/proc/self/maps").expect("a Linux system");
    let path = maps
        .lines()
        .filter_map(|line| line.split_whitespace().nth(5))
        .find(|path| path.contains("/libm.so") || path.contains("/libc.so"));
    PathBuf::from(path.expect("the C library"))
}

#[test]
fn a_file_that_is_no_plugin_never_meets_a_worker() {
    let bench = Workbench::new("no-plugin", SWEEP);
    let whole = fs::read(programs::plugin("hostile")).expect("read");
    let put = |name: &str, bytes: &[u8]| fs::write(bench.path(name), bytes).expect("written");

    // A sound one gets as far as the worker, which shows that the test can fail.
    let sound = plan_without_worker(&bench, &programs::plugin("gpt").display().to_string());
    sound.expect(7);

    put("libtext.so", b"all work and no play");
    refused(
        &bench,
        "libtext.so",
        "[dir]/libtext.so is not a flops-fit plugin: the file is no ELF library; expected a cdylib whose crate uses flops_fit_plugin::export_plugin!",
    );
    put("libempty.so", b"");
    refused(
        &bench,
        "libempty.so",
        "[dir]/libempty.so is not a flops-fit plugin: the file is empty",
    );
    fs::create_dir(bench.path("libfolder.so")).expect("made");
    refused(
        &bench,
        "libfolder.so",
        "[dir]/libfolder.so is not a flops-fit plugin: it is a folder",
    );
    put("libother.so", &fs::read(system_library()).expect("read"));
    refused(
        &bench,
        "libother.so",
        "[dir]/libother.so is not a flops-fit plugin: it is a library without a `.flops_fit` section",
    );
    put("libhalf.so", &whole[..whole.len() / 2]);
    refused(
        &bench,
        "libhalf.so",
        "plugin [dir]/libhalf.so is truncated: its headers promise ",
    );
    refused(
        &bench,
        "flops_fit_gtp",
        "no library libflops_fit_gtp.so; did you mean `flops_fit_gpt`? build it with `cargo build --release --lib`",
    );

    let mut arm = whole.clone();
    arm[18..20].copy_from_slice(&183_u16.to_le_bytes());
    put("libarm.so", &arm);
    refused(
        &bench,
        "libarm.so",
        "plugin [dir]/libarm.so was built for 64-bit Arm, this machine is x86-64",
    );
    let mut newer = whole;
    let record = find(&newer, b"flops-fit plugin");
    newer[record + 16..record + 20].copy_from_slice(&(ABI_MAJOR + 1).to_le_bytes());
    put("libnewer.so", &newer);
    refused(
        &bench,
        "libnewer.so",
        "upgrade flops-fit, or build the plugin against this version's flops-fit-plugin",
    );
}

/// Where `wanted` first begins.
fn find(bytes: &[u8], wanted: &[u8]) -> usize {
    let mut windows = bytes.windows(wanted.len());
    let place = windows.position(|window| window == wanted);
    place.expect("it is there")
}

/// Plans with a copy of the reference plugin in which `from` reads `to`.
fn plan_patched(name: &str, from: &[u8], to: &[u8]) -> Ended {
    assert_eq!(from.len(), to.len());
    let mut library = fs::read(programs::plugin("gpt")).expect("read");
    let place = find(&library, from);
    library[place..place + to.len()].copy_from_slice(to);
    let bench = Workbench::new(name, SWEEP);
    fs::write(bench.path("libpatched.so"), library).expect("written");
    bench.run(&["plan", "--set", "model.plugin=libpatched.so"])
}

#[test]
fn a_plugin_of_another_libtorch_is_refused_with_the_fix() {
    let ended = plan_patched("other-libtorch", b"\x002.13.0\0", b"\x002.12.0\0").expect(4);
    let words = "model.plugin: [dir]/libpatched.so was built with libtorch 2.12.0, this flops-fit has libtorch 2.13.0; run `flops-fit setup` in the plugin's folder, then `cargo build --release --lib`";
    assert!(ended.err.contains(words), "{}", ended.err);
}

#[test]
fn a_plugin_that_lacks_a_symbol_fails_as_it_is_loaded() {
    // The names that the linker looks up come first in a library.
    let ended = plan_patched("undefined", b"\0getcwd\0", b"\0getcws\0").expect(4);
    assert!(
        ended
            .err
            .contains("[dir]/libpatched.so could not be loaded")
            && ended.err.contains("undefined symbol: getcws"),
        "{}",
        ended.err
    );
}
