//! What `flops-fit check` asks the worker, and what comes back: one JSON line
//! when a check begins and one when it has ended, so that a plugin which ends
//! the process still leaves a report of everything before.

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::WantedComponent;

/// The question: a file that `flops-fit-worker check` reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckRequest {
    /// Version of this file.
    pub format: u32,
    /// The dataset.
    pub dataset: WantedComponent,
    /// Model and loss, at one size; absent where a dataset is checked alone.
    pub trained: Option<WantedTrained>,
    /// Folder that relative paths in a configuration start from.
    pub base_dir: PathBuf,
    /// Units (tokens, images) in an optimizer step; 512 where absent.
    pub batch_units: Option<u64>,
    /// Seed of initialisation, data order and augmentation.
    pub seed: u64,
    /// Intra-op threads on the CPU.
    pub threads: u32,
    /// What is wanted.
    pub scope: CheckScope,
}

/// Model and loss of a [`CheckRequest`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedTrained {
    /// The model, its size set.
    pub model: WantedComponent,
    /// Configurations of further sizes, of which only N is checked.
    pub further: Vec<Value>,
    /// The loss.
    pub loss: WantedComponent,
}

/// What a worker is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckScope {
    /// Every check.
    Whole,
    /// The digest alone, to be compared with that of another process.
    Digest,
}

/// One line of the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum CheckEvent {
    /// A check has begun.
    Begun {
        /// Which.
        check: CheckName,
    },
    /// A check has ended.
    Ended {
        /// With what.
        finding: Finding,
    },
    /// Hashes of what a seed decides, by what was hashed.
    Digest {
        /// SHA-256 in hexadecimal.
        hashes: BTreeMap<String, String>,
    },
}

/// What a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckName {
    /// The record in the library's file.
    Record,
    /// Opening the library.
    Load,
    /// What the parts say of themselves.
    Describe,
    /// Shapes, types and values of batches.
    Batches,
    /// The same draws give the same bytes.
    SameData,
    /// No held-out example is trained on.
    HeldOut,
    /// Every parameter drives the output.
    Parameters,
    /// The declared N is the built one.
    Count,
    /// Gradients are there and finite.
    Gradients,
    /// The loss falls.
    Learning,
    /// The same seed gives the same bits.
    Repeatable,
    /// Randomness comes from the seeds alone.
    Randomness,
    /// Evaluation changes nothing.
    Evaluation,
    /// All state is declared.
    State,
    /// Two models leave each other alone.
    Instances,
    /// Parts of a batch add up to the whole.
    Shards,
    /// Objects go without a trace.
    Drop,
    /// Time and memory of a step.
    Cost,
    /// The declared FLOPs can be.
    Flops,
    /// Two processes agree.
    Processes,
}

impl CheckName {
    /// All checks, in the order in which they are made.
    pub const ALL: [Self; 20] = [
        Self::Record,
        Self::Load,
        Self::Describe,
        Self::Batches,
        Self::SameData,
        Self::HeldOut,
        Self::Parameters,
        Self::Count,
        Self::Gradients,
        Self::Learning,
        Self::Repeatable,
        Self::Randomness,
        Self::Evaluation,
        Self::State,
        Self::Instances,
        Self::Shards,
        Self::Drop,
        Self::Cost,
        Self::Flops,
        Self::Processes,
    ];

    /// Its name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Load => "load",
            Self::Describe => "describe",
            Self::Batches => "batches",
            Self::SameData => "same_data",
            Self::HeldOut => "held_out",
            Self::Parameters => "parameters",
            Self::Count => "count",
            Self::Gradients => "gradients",
            Self::Learning => "learning",
            Self::Repeatable => "repeatable",
            Self::Randomness => "randomness",
            Self::Instances => "instances",
            Self::Shards => "shards",
            Self::Evaluation => "evaluation",
            Self::State => "state",
            Self::Drop => "drop",
            Self::Flops => "flops",
            Self::Cost => "cost",
            Self::Processes => "processes",
        }
    }
}

impl fmt::Display for CheckName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a check came out; the worst is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Does not apply, or could not be made.
    Skip,
    /// As it should be.
    Pass,
    /// Trials would run, but the author should know.
    Warn,
    /// Trials would fail, or give wrong results.
    Fail,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Which check.
    pub check: CheckName,
    /// How it came out.
    pub status: CheckStatus,
    /// What was looked at and found.
    pub found: String,
    /// What to do, unless it passed.
    pub fix: Option<String>,
    /// More than a line about it, for the plugin's author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// Figures by name, their unit at its end.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, f64>,
}

impl Finding {
    /// As it should be.
    pub fn pass(check: CheckName, found: impl Into<String>) -> Self {
        Self::new(check, CheckStatus::Pass, found, None)
    }

    /// Worth knowing.
    pub fn warn(check: CheckName, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(check, CheckStatus::Warn, found, Some(fix.into()))
    }

    /// Has to be mended.
    pub fn fail(check: CheckName, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(check, CheckStatus::Fail, found, Some(fix.into()))
    }

    /// Was not looked at.
    pub fn skip(check: CheckName, why: impl Into<String>) -> Self {
        Self::new(check, CheckStatus::Skip, why, None)
    }

    /// The same with one more figure.
    #[must_use]
    pub fn figure(mut self, name: &str, value: f64) -> Self {
        self.figures.insert(name.to_owned(), value);
        self
    }

    fn new(
        check: CheckName,
        status: CheckStatus,
        found: impl Into<String>,
        fix: Option<String>,
    ) -> Self {
        Self {
            check,
            status,
            found: found.into(),
            fix,
            details: None,
            figures: BTreeMap::new(),
        }
    }
}

/// Writes the answer, a line at a time.
#[derive(Debug)]
pub struct CheckWriter(File);

impl CheckWriter {
    /// Starts the file anew.
    pub fn create(path: &Path) -> io::Result<Self> {
        File::create(path).map(Self)
    }

    /// Appends one line.
    pub fn write(&mut self, event: &CheckEvent) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.0.write_all(&line)
    }
}

/// Most bytes of an answer that are read.
const LARGEST: u64 = 4 << 20;

/// The whole lines of an answer; foreign lines and a torn last one are passed
/// over, and so is what comes after 4 MiB.
pub fn read_check_events(path: &Path) -> io::Result<Vec<CheckEvent>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(parse_check_events(&bytes))
}

/// [`read_check_events`] of bytes in memory.
pub fn parse_check_events(bytes: &[u8]) -> Vec<CheckEvent> {
    let lines = bytes.split(|&byte| byte == b'\n');
    lines
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_wire_and_each_is_listed_once() {
        for name in CheckName::ALL {
            let wire = serde_json::to_value(name).expect("a name");
            assert_eq!(wire, name.as_str());
        }
        let mut all = CheckName::ALL.to_vec();
        all.sort();
        all.dedup();
        assert_eq!(all, CheckName::ALL);
    }

    #[test]
    fn an_answer_that_was_cut_short_is_read_up_to_there() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("answer.jsonl");
        let events = [
            CheckEvent::Begun {
                check: CheckName::Load,
            },
            CheckEvent::Ended {
                finding: Finding::warn(CheckName::Load, "slow", "wait").figure("seconds", 2.5),
            },
        ];
        let mut writer = CheckWriter::create(&path).expect("created");
        for event in &events {
            writer.write(event).expect("written");
        }
        writer
            .0
            .write_all(b"no JSON\n{\"event\":\"beg")
            .expect("written");
        assert_eq!(read_check_events(&path).expect("read"), events);
    }
}
