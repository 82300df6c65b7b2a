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

/// One line of `progress.jsonl`. A program of the user's may leave out all but stage
/// and step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Seconds since the worker began.
    #[serde(default)]
    pub at: f64,
    /// The time of day, in seconds since 1970.
    #[serde(default)]
    pub time: Option<f64>,
    /// Where it is.
    pub stage: Stage,
    /// Optimizer steps done.
    pub step: u64,
    /// Optimizer steps in all.
    #[serde(default)]
    pub steps: u64,
    /// Units (tokens, images) seen.
    #[serde(default)]
    pub units: u64,
    /// Mean training loss since the line before, where known.
    pub loss: Option<f64>,
    /// Learning rate of the last step.
    #[serde(default)]
    pub lr: f64,
    /// Global gradient norm at the last step, where it was computed.
    pub grad_norm: Option<f64>,
    /// Units per second since the line before.
    pub units_per_second: Option<f64>,
    /// FLOP/s since the line before: units per second times the FLOPs of a unit.
    #[serde(default)]
    pub flops_per_second: Option<f64>,
    /// Share that this is of the rate of a matrix product on the same threads and
    /// devices, about in [0, 1]; absent where that was not measured.
    #[serde(default)]
    pub gemm_share: Option<f64>,
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

    /// Goes on with a file that another process began, which may have been ended
    /// in the midst of a line.
    pub fn append(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(b"\n")?;
        Ok(Self(file))
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

    /// Follows `path` from its present end.
    pub fn from_end(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let offset = std::fs::metadata(&path).map_or(0, |meta| meta.len());
        Self { path, offset }
    }

    /// Follows `path` from its last 64 KiB on: enough for the newest lines of a file
    /// of any length.
    pub fn near_end(path: impl Into<PathBuf>) -> Self {
        let mut reader = Self::from_end(path);
        reader.offset = reader.offset.saturating_sub(NEAR);
        reader
    }

    /// The whole lines that came since the last call, or all if the file was begun
    /// anew; foreign lines are passed over, a torn last line is left for the next call. No more than 1 MiB is
    /// read at a time: what is longer and has no end of line is passed over too.
    pub fn poll(&mut self) -> Vec<Progress> {
        let mut bytes = Vec::new();
        let read = File::open(&self.path).and_then(|mut file| {
            if file.metadata()?.len() < self.offset {
                self.offset = 0;
            }
            file.seek(SeekFrom::Start(self.offset))?;
            file.take(LARGEST).read_to_end(&mut bytes)
        });
        if read.is_err() {
            return Vec::new();
        }
        let (lines, mut whole) = parse_progress(&bytes);
        if whole == 0 && bytes.len() as u64 == LARGEST {
            whole = bytes.len();
        }
        self.offset += whole as u64;
        lines
    }
}

/// How much of a file is near its end.
const NEAR: u64 = 1 << 16;

/// Most bytes that are read at a time.
const LARGEST: u64 = 1 << 20;

/// The lines in `bytes` that are progress, and the length of all that are whole.
pub fn parse_progress(bytes: &[u8]) -> (Vec<Progress>, usize) {
    let end = bytes.iter().rposition(|&byte| byte == b'\n');
    let whole = &bytes[..end.map_or(0, |end| end + 1)];
    let lines = whole
        .split(|&byte| byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok());
    (lines.collect(), whole.len())
}

/// The lines of one run from those of all attempts: where a trial was continued,
/// what came after that step before is left out.
pub fn continuous(lines: impl IntoIterator<Item = Progress>) -> Vec<Progress> {
    let mut kept: Vec<Progress> = Vec::new();
    for line in lines {
        while kept.last().is_some_and(|last| last.step > line.step) {
            kept.pop();
        }
        kept.push(line);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(step: u64) -> Progress {
        Progress {
            at: 0.5,
            time: Some(1.8e9),
            stage: Stage::Train,
            step,
            steps: 10,
            units: 32 * step,
            loss: Some(2.5),
            lr: 1.0,
            grad_norm: None,
            units_per_second: None,
            flops_per_second: None,
            gemm_share: None,
        }
    }

    #[test]
    fn a_continued_file_is_followed_and_read_as_one_run() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("progress.jsonl");
        let mut writer = ProgressWriter::create(&path).expect("created");
        for step in [0, 2, 4] {
            writer.write(&line(step)).expect("written");
        }
        writer.0.write_all(b"{\"at\":").expect("written");
        let mut follower = ProgressReader::from_end(&path);
        assert!(follower.poll().is_empty());
        let mut writer = ProgressWriter::append(&path).expect("opened");
        for step in [3, 5] {
            writer.write(&line(step)).expect("written");
        }
        assert_eq!(follower.poll(), [line(3), line(5)]);
        let all = continuous(ProgressReader::new(&path).poll());
        assert_eq!(all, [0, 2, 3, 5].map(line));
        // Begun anew, it is read anew.
        let mut writer = ProgressWriter::create(&path).expect("created");
        writer.write(&line(1)).expect("written");
        assert_eq!(follower.poll(), [line(1)]);
    }

    #[test]
    fn the_newest_lines_of_a_long_file_are_near_its_end() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("progress.jsonl");
        let mut writer = ProgressWriter::create(&path).expect("created");
        let steps = (2 * LARGEST / 100).max(1);
        for step in 0..steps {
            writer.write(&line(step)).expect("written");
        }
        assert!(path.metadata().expect("there").len() > 2 * LARGEST);
        let last = ProgressReader::near_end(&path).poll().pop();
        assert_eq!(last, Some(line(steps - 1)));
    }

    #[test]
    fn a_reader_sees_whole_lines_once() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("progress.jsonl");
        let mut reader = ProgressReader::new(&path);
        assert!(reader.poll().is_empty());

        let line = line(3);
        let mut writer = ProgressWriter::create(&path).expect("created");
        writer.write(&line).expect("written");
        writer.0.write_all(b"{\"at\":").expect("written");
        assert_eq!(reader.poll(), vec![line.clone()]);
        assert!(reader.poll().is_empty());

        // What is no text, or has no end, holds nothing up.
        writer.0.write_all(b"\xff\n").expect("written");
        writer.write(&line).expect("written");
        assert_eq!(reader.poll(), vec![line.clone()]);
        let endless = vec![b' '; LARGEST as usize + 5];
        writer.0.write_all(&endless).expect("written");
        assert!(reader.poll().is_empty());
        writer.0.write_all(b"\n").expect("written");
        writer.write(&line).expect("written");
        assert_eq!(reader.poll(), vec![line]);
    }
}
