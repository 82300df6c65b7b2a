//! What a training trial says of itself: one JSON line now and then.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// Where a trial is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Opening plugins, building model and dataset.
    Start,
    /// Training.
    Train,
    /// Held-out evaluation.
    Evaluate,
}

/// One line of `progress.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Seconds since the worker began.
    pub at: f64,
    /// Where it is.
    pub stage: Stage,
    /// Optimizer steps done.
    pub step: u64,
    /// Optimizer steps in all.
    pub steps: u64,
    /// Units (tokens, images) seen.
    pub units: u64,
    /// Mean training loss since the line before, where known.
    pub loss: Option<f64>,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Global gradient norm at the last step, where it was computed.
    pub grad_norm: Option<f64>,
    /// Units per second since the line before.
    pub units_per_second: Option<f64>,
}

/// Appends lines; each is written by one call, so a reader sees whole lines or
/// a torn last one.
#[derive(Debug)]
pub struct ProgressWriter(File);

impl ProgressWriter {
    /// Starts the file anew.
    pub fn create(path: &Path) -> io::Result<Self> {
        OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .open(path)
            .map(Self)
    }

    /// Appends one line.
    pub fn write(&mut self, progress: &Progress) -> io::Result<()> {
        let mut line = serde_json::to_vec(progress)?;
        line.push(b'\n');
        self.0.write_all(&line)
    }
}

/// Follows a file that another process writes.
#[derive(Debug)]
pub struct ProgressReader {
    path: PathBuf,
    offset: u64,
}

impl ProgressReader {
    /// Follows `path`, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            offset: 0,
        }
    }

    /// The whole lines that came since the last call; foreign lines are passed
    /// over, a torn last line is left for the next call.
    pub fn poll(&mut self) -> Vec<Progress> {
        let mut text = String::new();
        let read = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.offset))?;
            file.read_to_string(&mut text)
        });
        let whole = match (read, text.rfind('\n')) {
            (Ok(_), Some(end)) => &text[..=end],
            _ => return Vec::new(),
        };
        self.offset += whole.len() as u64;
        whole
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_sees_whole_lines_once() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("progress.jsonl");
        let mut reader = ProgressReader::new(&path);
        assert!(reader.poll().is_empty());

        let line = Progress {
            at: 0.5,
            stage: Stage::Train,
            step: 3,
            steps: 10,
            units: 96,
            loss: Some(2.5),
            lr: 1.0,
            grad_norm: None,
            units_per_second: None,
        };
        let mut writer = ProgressWriter::create(&path).expect("created");
        writer.write(&line).expect("written");
        writer.0.write_all(b"{\"at\":").expect("written");
        assert_eq!(reader.poll(), vec![line]);
        assert!(reader.poll().is_empty());
    }
}
