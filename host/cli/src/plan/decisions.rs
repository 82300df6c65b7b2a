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

/// The decisions in `bytes` that the plan was made by last. A line that is none is passed
/// over.
pub fn parse_decisions(bytes: &[u8]) -> Vec<Decision> {
    let all = parse(bytes);
    let of = all.last().map(|last| last.of.clone());
    all.into_iter()
        .filter(|decided| Some(&decided.of) == of.as_ref() && !decided.dormant)
        .map(|decided| decided.decision)
        .collect()
}

/// The decisions in `output` of the sweep with identity `of`, and those of others.
pub(super) fn read(
    output: &Output,
    of: &str,
) -> Result<(Vec<Decided>, Vec<Decided>), DocumentError> {
    let path = output.decisions();
    let bytes = match read_bounded(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read.map_err(|source| DocumentError::Io {
            action: "reading",
            path,
            source,
        })?,
    };
    let known = parse(&bytes).into_iter().filter(|one| !one.of.is_empty());
    Ok(known.partition(|one| one.of == of))
}

/// The file of `decided`.
pub(super) fn lines<'a>(decided: impl Iterator<Item = &'a Decided>) -> String {
    decided
        .map(|one| serde_json::to_string(one).expect("a decision is plain data") + "\n")
        .collect()
}

fn parse(bytes: &[u8]) -> Vec<Decided> {
    bytes
        .split(|&byte| byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect()
}
