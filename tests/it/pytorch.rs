//! The trainer in PyTorch that authors are told to copy, beside the plugin that it
//! is a copy of. Where no Python has torch, or the text is absent, a test says that it
//! was skipped.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use flops_fit_trial::Measured;

use crate::{programs, workbench::Workbench};

/// A Python that has torch.
fn python() -> Option<String> {
    const VARIABLE: &str = "FLOPS_FIT_BENCH_PYTHON";
    let candidates = match std::env::var(VARIABLE) {
        Ok(named) => vec![named],
        Err(_) => vec!["python3".to_owned(), "python".to_owned()],
    };
    let found = candidates.iter().find(|python| {
        let tried = Command::new(python).args(["-c", "import torch"]).output();
        tried.is_ok_and(|tried| tried.status.success())
    });
    if found.is_none() {
        programs::skipped(&format!(
            "none of {candidates:?} has torch; name a Python that has by {VARIABLE}"
        ));
    }
    found.cloned()
}

/// Sentences whose words depend on the ones before, so that there is something to learn.
fn sentences() -> String {
    const WORDS: [&str; 16] = [
        "the", "sea", "was", "calm", "and", "a", "ship", "came", "slowly", "into", "harbour",
        "while", "people", "waited", "on", "shore",
    ];
    let mut text = String::new();
    let mut state = 1_u64;
    let mut word = 0;
    for _ in 0..60_000 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        word = (3 * word + 1 + (state >> 33) as usize % 4) % WORDS.len();
        write!(text, "{} ", WORDS[word]).expect("a string takes all text");
    }
    text
}

/// What was measured, by budget, size and seed.
type ByDesign = BTreeMap<(u64, i64, u64), Measured>;

/// Trains the example `name` on `text`.
fn trained(bench: &Workbench, name: &str, text: &Path, sets: &[String]) -> ByDesign {
    let text = text.display();
    let text = match name {
        "pytorch" => format!("dataset.config.path='{text}'"),
        _ => format!("dataset.config.paths=['{text}']"),
    };
    let output = format!("output.dir={}", bench.output(name).display());
    let manifest = programs::example(name).display().to_string();
    let mut arguments = vec!["train", &manifest, "--set", &text, "--set", &output];
    for set in sets {
        arguments.extend(["--set", set]);
    }
    bench.run(&arguments).expect(0);
    // Running again trains nothing.
    let again = bench.run(&arguments).expect(0);
    let trials = bench.trials(name);
    let kept = format!("{} had results already", trials.len());
    assert!(again.out.contains(&kept), "{}", again.out);
    let designs = trials.values().map(|trial| {
        let recipe = &trial.spec.recipe;
        let design = (recipe.budget as u64, recipe.size, recipe.seed);
        (design, trial.measured().clone())
    });
    designs.collect()
}

/// Both trainers' sweeps of one grid: the same counts, and losses that are `within` of
/// each other.
fn compare(bench: &Workbench, python: &str, text: &Path, sets: &[&str], within: f64) {
    let sets: Vec<String> = sets.iter().map(|&set| set.to_owned()).collect();
    let command = format!("trainer.command=['{python}', 'train.py']");
    let with_command = [&[command], sets.as_slice()].concat();
    let theirs = trained(bench, "pytorch", text, &with_command);
    let ours = trained(bench, "novels", text, &sets);
    assert!(theirs.keys().eq(ours.keys()), "{theirs:?}\n{ours:?}");
    let mut figures = String::new();
    let mut worst = 0.0_f64;
    for ((design, theirs), ours) in theirs.iter().zip(ours.values()) {
        assert_eq!((theirs.n, theirs.d, theirs.c), (ours.n, ours.d, ours.c));
        assert_eq!(theirs.eval_units, ours.eval_units);
        assert_eq!(theirs.counts.get("total"), ours.counts.get("total"));
        let apart = theirs.loss - ours.loss;
        worst = worst.max(apart.abs());
        writeln!(
            figures,
            "{design:?}: PyTorch {:.4}, plugin {:.4}, {apart:+.4}",
            theirs.loss, ours.loss
        )
        .expect("a string takes all text");
    }
    fs::write(bench.path("figures.txt"), &figures).expect("written");
    assert!(worst < within, "{figures}");
}

/// A second or so of training. Seeds scatter more in so few steps than in the rows
/// of the demonstration.
#[test]
fn a_short_sweep_in_pytorch_is_the_plugins() {
    let Some(python) = python() else { return };
    let bench = Workbench::new("pytorch", "");
    let text = bench.path("words.txt");
    fs::write(&text, sentences()).expect("written");
    let grid =
        "sweep.grid=[{ budget = 1e9, sizes = [8, 16] }, { budget = 3e9, sizes = [8, 16, 24] }]";
    let sets = [grid, "sweep.min_steps=20", "run.jobs=1"];
    compare(&bench, &python, &text, &sets, 0.15);
}

/// The demonstration's rows at 1e10 and 3e10 FLOPs: the example as it stands.
#[test]
#[ignore = "two minutes of training; needs torch and ../shared/data/austen.txt"]
fn the_demonstration_in_pytorch_is_the_plugins() {
    let Some(python) = python() else { return };
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let places = ["../shared/data", "../../shared/data"].map(|place| repository.join(place));
    let mut texts = places.iter().map(|place| place.join("austen.txt"));
    let Some(text) = texts.find(|text: &PathBuf| text.is_file()) else {
        return programs::skipped("../shared/data/austen.txt is not beside this checkout");
    };
    let text = text.canonicalize().expect("there");
    let bench = Workbench::new("pytorch-demonstration", "");
    let grid = "sweep.grid=[{ budget = 1e10, sizes = [8, 16, 24, 32] }, { budget = 3e10, sizes = [8, 16, 24, 32, 40] }]";
    compare(&bench, &python, &text, &[grid], 0.06);
}
