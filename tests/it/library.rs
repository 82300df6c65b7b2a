//! Files that are no plugin, or one of another build: refused in a sentence,
//! most of them before any worker is started.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use flops_fit_record::{ABI_MAJOR, ABI_MINOR, What};
use flops_fit_trial::{
    DescribeRequest, DescribeResponse, FORMAT, Failure, WantedComponent, read_json, write_json,
};
use serde_json::json;

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
    let worker = worker.to_str().expect("a path in UTF-8");
    bench.run_with(&["run", "--set", &set], &[("FLOPS_FIT_WORKER", worker)])
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
    let other_abi = |major: u32| {
        let mut library = whole.clone();
        let record = find(&library, b"flops-fit plugin");
        library[record + 16..record + 20].copy_from_slice(&major.to_le_bytes());
        library
    };
    put("libnewer.so", &other_abi(ABI_MAJOR + 1));
    refused(
        &bench,
        "libnewer.so",
        "[dir]/libnewer.so: plugin flops-fit-hostile 0.1.0 was built with plugin ABI 2.0 (flops-fit-plugin 0.1.0), this flops-fit has plugin ABI 1.0; upgrade flops-fit, or build the plugin against this version's flops-fit-plugin",
    );
    put("libolder.so", &other_abi(ABI_MAJOR - 1));
    refused(
        &bench,
        "libolder.so",
        "was built with plugin ABI 0.0 (flops-fit-plugin 0.1.0), this flops-fit has plugin ABI 1.0; set the plugin's flops-fit-plugin dependency to this flops-fit's version and run `cargo build --release --lib`",
    );
}

/// Where `wanted` first begins.
fn find(bytes: &[u8], wanted: &[u8]) -> usize {
    let mut windows = bytes.windows(wanted.len());
    let place = windows.position(|window| window == wanted);
    place.expect("it is there")
}

/// A copy of the reference plugin in which `from` reads `to`.
fn patched(from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut library = fs::read(programs::plugin("gpt")).expect("read");
    let place = find(&library, from);
    library[place..place + to.len()].copy_from_slice(to);
    library
}

/// The reference plugin with a symbol that nothing defines, `getcws`.
pub(crate) fn without_a_symbol() -> Vec<u8> {
    // The names that the linker looks up come first in a library.
    patched(b"\0getcwd\0", b"\0getcws\0")
}

/// Plans with `library` in the place of the reference plugin.
fn plan_with(name: &str, library: &[u8]) -> Ended {
    let bench = Workbench::new(name, SWEEP);
    fs::write(bench.path("libpatched.so"), library).expect("written");
    bench.run(&["plan", "--set", "model.plugin=libpatched.so"])
}

#[test]
fn a_plugin_of_another_libtorch_is_refused_with_the_fix() {
    let other = patched(b"\x002.13.0\0", b"\x002.12.0\0");
    let ended = plan_with("other-libtorch", &other).expect(4);
    let words = "model.plugin: [dir]/libpatched.so was built with libtorch 2.12.0, this flops-fit has libtorch 2.13.0; run `flops-fit setup` in the plugin's folder, then `cargo build --release --lib`";
    assert!(ended.err.contains(words), "{}", ended.err);
}

#[test]
fn a_plugin_of_another_tch_is_refused_with_the_fix() {
    let other = patched(b"\x000.26.0\0", b"\x000.25.0\0");
    let ended = plan_with("other-tch", &other).expect(4);
    let words = "model.plugin: [dir]/libpatched.so was built with tch 0.25.0, this flops-fit has tch 0.26.0; run `flops-fit setup` in the plugin's folder, then `cargo build --release --lib`";
    assert!(ended.err.contains(words), "{}", ended.err);
}

/// Two sizes of the sweep.
const TWO: &str = "sweep.grid=[{ budget = 3e8, sizes = [4, 8] }]";

/// Trains two sizes with the loss of a library of another layout.
fn train_with_loss(name: &str, library: &[u8]) -> (Workbench, Ended) {
    let manifest = SWEEP.replace(
        "kind = \"cross_entropy\"",
        "plugin = \"libskewed.so\"\nkind = \"skewed\"",
    );
    let bench = Workbench::new(name, &manifest);
    fs::write(bench.path("libskewed.so"), library).expect("written");
    let ended = bench.run(&["train", "--set", TWO]);
    (bench, ended)
}

/// The library of another layout that is built as example `name`.
pub(crate) fn skewed(name: &str) -> Vec<u8> {
    fs::read(programs::built(&format!("examples/lib{name}.so"))).expect("read")
}

#[test]
fn tables_of_another_layout_are_refused_before_they_are_asked_for() {
    // The library's root table would abort the process.
    for (name, built) in [
        ("swapped", "another layout of the plugin tables"),
        ("opted_out", "the layout check switched off"),
    ] {
        let (bench, ended) = train_with_loss(name, &skewed(name));
        let ended = ended.expect(4);
        let words = format!(
            "loss.plugin: [dir]/libskewed.so was built with {built}, this flops-fit has flops-fit-plugin 0.1.0; rebuild it against this version's flops-fit-plugin with `cargo build --release --lib`"
        );
        assert!(ended.err.contains(&words), "{}", ended.err);

        // Where they differ is for those who ask, and then it is still one refusal.
        assert!(!ended.err.contains("Layout of"), "{}", ended.err);
        let verbose = bench.run(&["plan", "--verbose"]).expect(4);
        let shown = verbose.err.contains("Layout of expected type:")
            && verbose.err.contains("Layout of found type:");
        assert_eq!(shown, name == "swapped", "{}", verbose.err);
        assert!(verbose.err.contains(&words), "{}", verbose.err);
    }
}

#[test]
fn a_table_that_grew_at_its_end_loads() {
    let mut library = skewed("appended");
    let record = find(&library, b"flops-fit plugin");
    library[record + 20..record + 24].copy_from_slice(&(ABI_MINOR + 1).to_le_bytes());
    let (bench, ended) = train_with_loss("appended", &library);
    let ended = ended.expect(0);
    assert!(ended.out.contains("2 completed"), "{}", ended.out);
    for trial in bench.trials("small").values() {
        assert!(trial.measured().loss < 4.0, "{:?}", trial.measured());
        assert_eq!(trial.spec.recipe.loss.plugin, "appended");
    }
}

#[test]
fn two_plugins_with_one_type_of_root_are_told_apart() {
    let manifest = SWEEP
        .replace(
            "kind = \"stories\"\nconfig = { seq_len = 32 }",
            "plugin = \"flops_fit_hostile\"\nkind = \"hostile\"",
        )
        .replace(
            "kind = \"cross_entropy\"",
            "plugin = \"flops_fit_gpt\"\nkind = \"cross_entropy\"",
        );
    let bench = Workbench::new("two-plugins", &manifest);
    bench.run(&["train", "--set", TWO]).expect(0);
    let trials = bench.trials("small");
    assert_eq!(trials.len(), 2);
    for trial in trials.values() {
        let recipe = &trial.spec.recipe;
        let names = [&recipe.model, &recipe.dataset, &recipe.loss].map(|c| c.plugin.as_str());
        assert_eq!(
            names,
            ["flops-fit-gpt", "flops-fit-hostile", "flops-fit-gpt"]
        );
        assert_eq!(recipe.fingerprint, "counting", "the hostile plugin's data");
        assert_eq!(trial.result.environment.libraries.len(), 2);
    }
}

/// The parent reads the kinds in the record, so that a worker is asked for one that is
/// not there only where the library was exchanged in between. It says so all the same.
#[test]
fn a_worker_names_the_kinds_that_there_are() {
    let bench = Workbench::new("unknown-kind", SWEEP);
    let part = |kind: &str| WantedComponent {
        library: programs::plugin("gpt"),
        kind: kind.to_owned(),
        config: json!({}),
    };
    for (index, (what, available)) in [
        ("model", &["gpt"][..]),
        ("dataset", &["stories", "text", "tinystories"]),
        ("loss", &["cross_entropy"]),
    ]
    .into_iter()
    .enumerate()
    {
        let mut parts = ["gpt", "stories", "cross_entropy"].map(part);
        parts[index] = part("strange");
        let [model, dataset, loss] = parts;
        let question = DescribeRequest {
            format: FORMAT,
            model,
            dataset,
            loss,
            base_dir: bench.path(""),
            size_param: "d_model".to_owned(),
            sizes: vec![16],
            compute: None,
        };
        let files = ["question.json", "answer.json"].map(|name| bench.path(name));
        write_json(&files[0], &question).expect("written");
        let status = Command::new(programs::built("flops-fit-worker"))
            .arg("describe")
            .args(&files)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(status.is_ok_and(|status| status.success()), "an answer");
        let failure = match read_json(&files[1]).expect("read") {
            DescribeResponse::Failed { failure, .. } => failure,
            described @ DescribeResponse::Described { .. } => panic!("{described:?}"),
        };
        let expected = Failure::UnknownKind {
            plugin: "flops-fit-gpt".to_owned(),
            what: what.to_owned(),
            wanted: "strange".to_owned(),
            available: available.iter().map(|&kind| kind.to_owned()).collect(),
        };
        assert_eq!(failure, expected);
        let words = format!(
            "plugin flops-fit-gpt exports no {what} `strange`; it has: {}",
            available.join(", ")
        );
        assert_eq!(failure.to_string(), words);
    }
}

#[test]
fn a_plugin_that_lacks_a_symbol_fails_as_it_is_loaded() {
    let ended = plan_with("undefined", &without_a_symbol()).expect(4);
    assert!(
        ended
            .err
            .contains("[dir]/libpatched.so could not be loaded")
            && ended.err.contains("undefined symbol: getcws")
            && ended
                .err
                .contains("`getcws` is in none of the libraries that it links"),
        "{}",
        ended.err
    );
}
