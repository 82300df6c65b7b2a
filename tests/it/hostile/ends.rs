//! How a trial is to end, and how it did.

use std::{collections::BTreeMap, fs, path::Path};

use flops_fit_trial::{Failure, Outcome, Stage, TrialDir, parse_progress};

use crate::workbench::Workbench;

/// What must become of a trial.
#[derive(Clone, Copy)]
pub(crate) enum Ends {
    Completed,
    /// At this step, where it is the same for every size, with these words.
    Diverged(Option<u64>, &'static str),
    /// With this tag in result.json, and these words.
    Failed(&'static str, &'static str),
    /// Killed by this signal, with these words.
    Crashed(i32, &'static str),
    /// A panic in this call with this message, at the line that holds this code.
    Panicked(&'static str, &'static str, &'static str),
}

use Ends::{Completed, Crashed, Diverged, Failed, Panicked};

/// `at tests/hostile/src/<file>:<line>` of the statement that holds `words`.
pub(crate) fn place(words: &str) -> String {
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
pub(crate) fn check(wanted: Ends, outcome: &Outcome) -> Result<(), String> {
    let tag = serde_json::to_value(outcome).expect("plain data");
    let tag = tag["failure"]["kind"].as_str().unwrap_or_default();
    let (fits, words) = match (wanted, outcome) {
        (Completed, Outcome::Completed { .. }) => (true, String::new()),
        (Diverged(wanted, words), Outcome::Diverged { step, reason, .. }) => (
            wanted.is_none_or(|wanted| *step == wanted) && reason.contains(words),
            format!("divergence at step {wanted:?}: {words}"),
        ),
        (Failed(kind, words), Outcome::Failed { failure }) => {
            let fits = tag == kind && failure.to_string().contains(words);
            (fits, format!("{kind}: {words}"))
        }
        (Crashed(wanted, words), Outcome::Failed { failure }) => {
            let signal = match failure {
                Failure::Crashed { signal, .. } => Some(*signal),
                _ => None,
            };
            let fits = signal == Some(wanted) && failure.to_string().contains(words);
            (fits, format!("signal {wanted}: {words}"))
        }
        (Panicked(phase, words, code), Outcome::Failed { failure }) => {
            let line = place(code);
            let said = format!(
                "plugin flops-fit-hostile panicked in {phase} at {line}: {words}; a plugin must not panic: mend {line}, or return an Error there"
            );
            (tag == "panicked" && failure.to_string() == said, said)
        }
        _ => (false, "another end".to_owned()),
    };
    if fits {
        return Ok(());
    }
    Err(format!("wanted {words}, got {outcome:?}"))
}

/// Whether a trial came as far as its first step: a line of progress says so before it
/// is taken.
pub(crate) fn began_to_train(dir: &TrialDir) -> bool {
    let lines = fs::read(dir.progress_path()).unwrap_or_default();
    let (lines, _) = parse_progress(&lines);
    lines.iter().any(|line| line.stage == Stage::Train)
}

/// What became of each size.
pub(crate) fn outcomes(bench: &Workbench) -> BTreeMap<i64, (TrialDir, Outcome)> {
    let trials = bench.trials("hostile").into_values();
    trials
        .map(|t| (t.spec.recipe.size, (t.dir, t.result.outcome)))
        .collect()
}
