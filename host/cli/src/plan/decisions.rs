//! `decisions.jsonl`: each round of an adaptive sweep and why it was laid out, a line each.
//!
//! A decision follows from the results that are there when it is made. More may come
//! later, of a trial that had failed or of another seed, and what was trained meanwhile
//! stays in the plan all the same: what has been carried out is read back, and not decided
//! anew.
//!
//! What was decided in the same folder with other settings stays in front.
//!
//! A line carries the checksum of what it says and of the line before, so that none is
//! changed or taken out unseen. Earlier builds wrote lines without.

use std::io;

use flops_fit_scaling::adaptive::Decision;
use flops_fit_trial::{DocumentError, canonical_hash, read_bounded};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

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

/// The key of a line that holds its checksum.
const SUM: &str = "sum";

/// The checksum of a line that says `line`, after one with the checksum `before`.
fn sum(before: &str, line: &Value) -> String {
    canonical_hash(&json!([before, line]))
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
    let mut before = String::new();
    let line = |one| {
        let mut line = serde_json::to_value(one).expect("a decision is plain data");
        before = sum(&before, &line);
        line[SUM] = before.as_str().into();
        line.to_string() + "\n"
    };
    decided.map(line).collect()
}

/// The decisions up to the first line that is none, and what is wrong with that.
fn parse(bytes: &[u8]) -> (Vec<Decided>, Option<String>) {
    let mut all = Vec::new();
    let mut before = String::new();
    let lines = (1..).zip(bytes.split(|&byte| byte == b'\n'));
    for (number, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
        match parse_line(line, &mut before) {
            Ok(decided) => all.push(decided),
            Err(what) => {
                let why = format!(
                    "line {number} is not {what}; those before it stand, later rounds are decided by the results that are there"
                );
                return (all, Some(why));
            }
        }
    }
    (all, None)
}

/// The decision in `line`, after one with the checksum `before`, which becomes its own;
/// or what it is not.
fn parse_line(line: &[u8], before: &mut String) -> Result<Decided, String> {
    let none = |error| format!("a decision that flops-fit wrote: {error}");
    let mut line: Value = serde_json::from_slice(line).map_err(none)?;
    let stored = line.as_object_mut().and_then(|object| object.remove(SUM));
    *before = sum(before, &line);
    if stored.is_some_and(|stored| stored != before.as_str()) {
        return Err("as flops-fit wrote it: its checksum is another".to_owned());
    }
    Decided::deserialize(line).map_err(none)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(budget: f64) -> Decided {
        let decision = json!({
            "found": null,
            "action": {
                "kind": "train", "budget": budget, "sizes": [8, 16, 24],
                "reason": { "kind": "first", "center": 7168.5 },
            },
        });
        Decided {
            of: "ab".to_owned(),
            from: vec!["c0".to_owned()],
            dormant: false,
            decision: serde_json::from_value(decision).expect("a decision"),
        }
    }

    #[test]
    fn lines_are_read_as_they_were_written_and_no_other_way() {
        let all = [1e9, 3e9, 1e10].map(decided);
        let text = lines(all.iter());
        assert_eq!(parse(text.as_bytes()), (all.to_vec(), None));

        let check = |text: &str, stand: usize, line: usize| {
            let (read, why) = parse(text.as_bytes());
            assert_eq!(read, all[..stand], "{text}");
            let expected = format!("line {line} is not as flops-fit wrote it: its checksum");
            let why = why.expect("it is told");
            assert!(why.starts_with(&expected), "{why}");
        };
        check(&text.replacen("3000000000", "4000000000", 1), 1, 2);
        let rows: Vec<&str> = text.split_inclusive('\n').collect();
        check(&[rows[0], rows[2]].concat(), 1, 2);
        check(&[rows[1], rows[0], rows[2]].concat(), 0, 1);

        let older: String = all
            .iter()
            .map(|one| serde_json::to_string(one).expect("plain data") + "\n")
            .collect();
        assert_eq!(parse(older.as_bytes()), (all.to_vec(), None));
    }
}
