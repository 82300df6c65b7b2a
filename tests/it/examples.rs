//! The examples: the plugin crate that authors are told to copy, and flops-fit used from
//! Rust and from a script.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    programs,
    workbench::{Ended, Workbench},
};

#[test]
fn a_model_of_ones_own_finds_its_laws() {
    programs::plugin("my_model");
    let bench = Workbench::new("my-model", "");
    let output = format!("output.dir={}", bench.output("my-model").display());
    let manifest = programs::example("my-model").display().to_string();
    // The largest budget is left out: it takes most of the time.
    let grid = "sweep.grid=[{ budget = 2e8, sizes = [1, 2, 3, 4] }, { budget = 3e8, sizes = [1, 2, 4, 8] }]";
    let ended = bench
        .run(&["run", &manifest, "--set", &output, "--set", grid])
        .expect(0);
    assert!(
        ended.out.contains("my-model: 8 trials, 8 completed"),
        "{}",
        ended.out
    );
    for trial in bench.trials("my-model").values() {
        let measured = trial.measured();
        // Bytes of source code: far better than a uniform guess, never sure.
        assert!((1.0..4.5).contains(&measured.loss), "{measured:?}");
        assert_eq!(measured.n as i64, 256 * trial.spec.recipe.size);
        assert!(measured.unique.is_some());
        assert!(trial.spec.recipe.dataset.config.get("path").is_none());
    }
}

/// Runs a program of an example in the workbench's folder.
fn run(bench: &Workbench, command: &mut Command) -> Ended {
    let output = command
        .current_dir(bench.path(""))
        .env("FLOPS_FIT", programs::flops_fit())
        // Where the example in Rust puts its results.
        .env("TMPDIR", bench.path(""))
        .stdin(Stdio::null())
        .output();
    bench.ended(&output.expect("started"))
}

/// What stands between `before` and `after` (or the end) on a line of `text`, as a number.
#[track_caller]
fn figure(text: &str, before: &str, after: &str) -> f64 {
    let figure = text.lines().find_map(|line| {
        let (_, rest) = line.split_once(before)?;
        let words = rest.split_once(after).map_or(rest, |(words, _)| words);
        words.trim().parse().ok()
    });
    figure.unwrap_or_else(|| panic!("no number between {before:?} and {after:?} in {text}"))
}

/// N* of Chinchilla's published law (Hoffmann et al. 2022, Approach 3) at C = 6·N·D.
fn chinchilla_optimum(c: f64) -> f64 {
    let (a, alpha, b, beta) = (406.4_f64, 0.34, 410.7, 0.28);
    let scale = (alpha * a / (beta * b)).powf(1.0 / (alpha + beta));
    scale * (c / 6.0).powf(beta / (alpha + beta))
}

#[test]
fn the_library_goes_from_a_design_in_code_to_a_report() {
    let bench = Workbench::new("programmatic", "");
    let program = programs::built("flops-fit-programmatic");
    let ended = run(&bench, &mut Command::new(program)).expect(0);
    let planned = figure(&ended.out, "", " trials, ") as usize;
    let followed = ended.err.lines().filter_map(|line| line.split_once(": "));
    let last = followed
        .filter_map(|(number, _)| number.parse().ok())
        .next_back();
    assert_eq!(last, Some(planned), "{}", ended.err);
    // The simulated law comes back, in the sweep and far beyond it.
    for budget in [1e18, 3e18, 1e19, 3e19] {
        let found = figure(&ended.out, &format!("{budget:.1e} FLOPs: N* = "), ",");
        let off = found / chinchilla_optimum(budget);
        assert!(
            (0.8..1.25).contains(&off),
            "{budget:e}, {off}: {}",
            ended.out
        );
    }
    let further = figure(&ended.out, "times the largest budget: N* =", ";");
    let off = further / chinchilla_optimum(3e21);
    assert!((0.5..2.0).contains(&off), "{off}: {}", ended.out);
    assert_eq!(figure(&ended.out, "", " runs, ") as usize, planned);
    let report = ended
        .out
        .lines()
        .find_map(|line| line.strip_prefix("report: [dir]/"));
    let report = bench.path(report.expect("the report is named"));
    assert!(report.is_file(), "{}", report.display());
}

#[test]
fn a_script_reads_the_json_and_the_exit_code() {
    if Command::new("python3").arg("-V").output().is_err() {
        return programs::skipped("there is no python3 on PATH");
    }
    let design = fs::read_to_string(programs::example("simulated")).expect("read");
    let bench = Workbench::new("cli-wrapper", &design);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/cli-wrapper/sweep.py");
    let wrapped = |manifest: &str| {
        let mut command = Command::new("python3");
        command.arg(&script).args([manifest, "--budget", "1e22"]);
        run(&bench, &mut command)
    };
    let ended = wrapped("manifest.toml").expect(0);
    let folder = bench.path("outputs/chinchilla-simulated");
    let trials = fs::read_dir(folder.join("trials")).expect("trials").count();
    assert_eq!(figure(&ended.out, "", " runs in ") as usize, trials);
    let found = figure(&ended.out, "N* = ", " (");
    let low = figure(&ended.out, " (", " to ");
    let high = figure(&ended.out, " to ", ")");
    assert!(low < found && found < high, "{}", ended.out);
    let off = found / chinchilla_optimum(1e22);
    assert!((0.5..2.0).contains(&off), "{off}: {}", ended.out);

    // What went wrong is flops-fit's to say, and its code is the script's.
    let ended = wrapped("no-such.toml").expect(3);
    assert!(ended.err.contains("no-such.toml"), "{}", ended.err);
    assert!(!ended.err.contains("Traceback"), "{}", ended.err);
}
