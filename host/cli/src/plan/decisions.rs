//! `decisions.jsonl`: each round of an adaptive sweep and why it was laid out, a line each.
//!
//! A decision follows from the results that are there when it is made. More may come
//! later, of a trial that had failed or of another seed, and what was trained meanwhile
//! stays in the plan all the same: what has been carried out is read back, and not decided
//! anew.
//!
//! What was decided in the same folder with other settings stays in front.

use std::io;

use flops_fit_scaling::adaptive::Decision;
use flops_fit_trial::{DocumentError, read_bounded};
use serde::{Deserialize, Serialize};

use crate::output::Output;

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Decided {
    /// Hash of model, data, settings and the spread of sizes; absent in files of before
    /// decisions were read back.
    #[serde(default)]
    pub(super) of: String,
    /// The trials that had completed since the decision before: it was made by their
    /// results and those that decisions before were made by.
    #[serde(default)]
    pub(super) from: Vec<String>,
    /// Whether it is not part of the plan: nothing was trained of it under the manifest that
    /// was planned last. Its trials may be those of other seeds or budgets.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) dormant: bool,
    #[serde(flatten)]
    pub(super) decision: Decision,
}

/// The decisions in `bytes` that the plan was made by last, up to the first line that is
/// none.
pub fn parse_decisions(bytes: &[u8]) -> Vec<Decision> {
    let (all, _) = parse(bytes);
    let of = all.last().map(|last| last.of.clone());
    all.into_iter()
        .filter(|decided| Some(&decided.of) == of.as_ref() && !decided.dormant)
        .map(|decided| decided.decision)
        .collect()
}

/// What is in the file.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// The decisions of one sweep.
    pub(super) own: Vec<Decided>,
    /// Those of others.
    pub(super) others: Vec<Decided>,
    /// Why the file is to be set aside before it is written, if it is: what comes after
    /// these is not known.
    pub(super) foreign: Option<String>,
}

/// The decisions in `output`; `of` is the identity of the sweep whose own they are.
pub(super) fn read(output: &Output, of: &str) -> Result<Read, DocumentError> {
    let path = output.decisions();
    let bytes = match read_bounded(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Read::default()),
        read => read.map_err(|source| DocumentError::Io {
            action: "reading",
            path: path.clone(),
            source,
        }),
    };
    let (all, foreign) = match bytes {
        Ok(bytes) => {
            let (all, bad) = parse(&bytes);
            (all, bad.map(|why| format!("{}: {why}", path.display())))
        }
        Err(error) if error.is_foreign() => (Vec::new(), Some(error.to_string())),
        Err(error) => return Err(error),
    };
    let known = all.into_iter().filter(|one| !one.of.is_empty());
    let (own, others) = known.partition(|one| one.of == of);
    Ok(Read {
        own,
        others,
        foreign,
    })
}

/// The file of `decided`.
pub(super) fn lines<'a>(decided: impl Iterator<Item = &'a Decided>) -> String {
    decided
        .map(|one| serde_json::to_string(one).expect("a decision is plain data") + "\n")
        .collect()
}

/// The decisions up to the first line that is none, and what is wrong with that.
fn parse(bytes: &[u8]) -> (Vec<Decided>, Option<String>) {
    let mut all = Vec::new();
    let lines = (1..).zip(bytes.split(|&byte| byte == b'\n'));
    for (number, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
        match serde_json::from_slice(line) {
            Ok(decided) => all.push(decided),
            Err(error) => {
                let why = format!(
                    "line {number} is not a decision that flops-fit wrote: {error}; those before it stand, later rounds are decided by the results that are there"
                );
                return (all, Some(why));
            }
        }
    }
    (all, None)
}
