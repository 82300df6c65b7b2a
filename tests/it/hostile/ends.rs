//! How a trial is to end, and how it did.

use std::{collections::BTreeMap, fs, path::Path};

use flops_fit_trial::{Outcome, TrialDir};

use crate::workbench::Workbench;

/// What must become of a trial.
#[derive(Clone, Copy)]
pub(super) enum Ends {
    Completed,
    /// With these words.
    Diverged(&'static str),
    /// With this tag in result.json, and these words.
    Failed(&'static str, &'static str),
    /// Without a result of its own: `exit` beside a running forward pass may
    /// take the tensors away under it.
    Gone,
    /// A panic with this message in this call; the line is looked up.
    Panicked(&'static str, &'static str),
}

use Ends::{Completed, Diverged, Failed, Gone, Panicked};

/// `at tests/hostile/src/<file>:<line>` of the statement that holds `words`.
pub(super) fn place(words: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile/src");
    let mut places = Vec::new();
    for entry in fs::read_dir(folder).expect("sources") {
        let path = entry.expect("listed").path();
        if path.is_dir() {
            // Faults that only `flops-fit check` sees: none of them panics.
            continue;
        }
        let text = fs::read_to_string(&path).expect("source");
        let name = path.file_name().expect("named").to_string_lossy();
        for (line, _) in (1..).zip(text.lines()).filter(|(_, l)| l.contains(words)) {
            places.push(format!("tests/hostile/src/{name}:{line}"));
        }
    }
    assert_eq!(places.len(), 1, "{words}: {places:?}");
    places.remove(0)
}

/// Whether `outcome` is `wanted`; if not, what is wrong.
pub(super) fn check(wanted: Ends, outcome: &Outcome) -> Result<(), String> {
    let tag = serde_json::to_value(outcome).expect("plain data");
    let tag = tag["failure"]["kind"].as_str().unwrap_or_default();
    let (fits, words) = match (wanted, outcome) {
        (Completed, Outcome::Completed { .. }) => (true, String::new()),
        (Diverged(words), Outcome::Diverged { reason, .. }) => {
            (reason.contains(words), words.to_owned())
        }
        (Failed(kind, words), Outcome::Failed { failure }) => {
            let fits = tag == kind && failure.to_string().contains(words);
            (fits, format!("{kind}: {words}"))
        }
        (Gone, Outcome::Failed { .. }) => (
            ["exited_early", "crashed"].contains(&tag),
            "a worker that is gone".to_owned(),
        ),
        (Panicked(phase, words), Outcome::Failed { failure }) => {
            let said = failure.to_string();
            let start =
                format!("plugin flops-fit-hostile panicked in {phase} at tests/hostile/src/");
            (
                tag == "panicked" && said.starts_with(&start) && said.ends_with(words),
                format!("{start}…: {words}"),
            )
        }
        _ => (false, "another end".to_owned()),
    };
    if fits {
        return Ok(());
    }
    Err(format!("wanted {words}, got {outcome:?}"))
}

/// What became of each size.
pub(super) fn outcomes(bench: &Workbench) -> BTreeMap<i64, (TrialDir, Outcome)> {
    let trials = bench.trials("hostile").into_values();
    trials
        .map(|t| (t.spec.recipe.size, (t.dir, t.result.outcome)))
        .collect()
}
