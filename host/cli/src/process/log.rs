//! A worker's log, whatever a plugin prints: its beginning and its end are kept,
//! what is between is counted and dropped.
//!
//! A child writes into a pipe, which a thread empties into the file, so that no
//! plugin can fill the disk. What it keeps true: the file never holds more than
//! the limit and one line about what was cut; the first half of the limit is in
//! the file as soon as it was printed, the end as soon as the child has ended.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Read, Write},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, sync_channel},
    },
    time::{Duration, Instant},
};

/// Most bytes of a log.
pub(crate) const LIMIT: usize = 4 << 20;

/// Bytes that are kept for a message.
const WORDS: usize = 8192;

/// How long a pipe may stay open after its child's end: a process that left the group
/// may hold it for ever.
const PIPE_GRACE: Duration = Duration::from_secs(2);

/// How long the file may take to be written then.
const FILE_GRACE: Duration = Duration::from_mins(1);

/// A log that is being written.
#[derive(Debug)]
pub(crate) struct Log {
    done: Receiver<()>,
    state: Arc<State>,
}

/// What the thread that writes a log tells.
#[derive(Debug, Default)]
struct State {
    /// It waits for the child, not for the disk.
    waits: AtomicBool,
    /// The last of what was printed, whatever became of the file.
    last: Mutex<VecDeque<u8>>,
}

impl State {
    fn heard(&self, bytes: &[u8]) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.extend(bytes);
        let excess = last.len().saturating_sub(WORDS);
        last.drain(..excess);
    }
}

impl Log {
    /// Empties `source` into `file` until it ends.
    pub(crate) fn start(source: impl Read + Send + 'static, file: File) -> io::Result<Self> {
        let (sender, done) = sync_channel(1);
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || {
                // A log that can't be written is no reason to end a trial.
                let _ = copy(source, file, LIMIT, &shared);
                let _ = sender.send(());
            })?;
        Ok(Self { done, state })
    }

    /// Waits until the file is complete, unless somebody holds the pipe open or the
    /// disk stands still.
    pub(crate) fn finish(&self) {
        let begun = Instant::now();
        loop {
            let waited = begun.elapsed();
            let waits = self.state.waits.load(Ordering::Relaxed);
            if waited > FILE_GRACE || (waits && waited > PIPE_GRACE) {
                return;
            }
            if self.done.recv_timeout(Duration::from_millis(50))
                != Err(std::sync::mpsc::RecvTimeoutError::Timeout)
            {
                return;
            }
        }
    }

    /// The last `count` lines that were printed, those that are empty left out.
    pub(crate) fn last_lines(&self, count: usize) -> Vec<String> {
        let last = self.state.last.lock();
        let bytes: Vec<u8> = last
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .copied()
            .collect();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        let first = lines.len().saturating_sub(count);
        lines[first..].iter().map(|&line| line.to_owned()).collect()
    }
}

/// Copies `source` to `file`, of more than `limit` bytes the two halves at its ends.
/// The source is read to its end even when the file takes no more: a child that
/// writes into a full pipe would stand still.
fn copy(
    mut source: impl Read,
    mut file: impl Write,
    limit: usize,
    state: &State,
) -> io::Result<()> {
    let mut head = limit / 2;
    let mut tail: VecDeque<u8> = VecDeque::new();
    let mut cut = 0_u64;
    let mut written = Ok(());
    let mut buffer = vec![0; 1 << 16];
    loop {
        state.waits.store(true, Ordering::Relaxed);
        let read = source.read(&mut buffer);
        state.waits.store(false, Ordering::Relaxed);
        let length = match read {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        state.heard(&buffer[..length]);
        let (first, rest) = buffer[..length].split_at(length.min(head));
        head -= first.len();
        written = written.and_then(|()| file.write_all(first));
        tail.extend(rest);
        let excess = tail.len().saturating_sub(limit - limit / 2);
        tail.drain(..excess);
        cut += excess as u64;
    }
    written?;
    if cut > 0 {
        // The end begins at the start of a line.
        let partial = tail.iter().position(|byte| *byte == b'\n');
        let partial = partial.map_or(0, |at| at + 1);
        tail.drain(..partial);
        cut += partial as u64;
        write!(
            file,
            "\n[flops-fit left out {cut} bytes here: a log keeps its first and its last {} KiB]\n",
            limit / 2 / 1024
        )?;
    }
    let (a, b) = tail.as_slices();
    file.write_all(a)?;
    file.write_all(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(text: &str, limit: usize) -> String {
        let mut file = Vec::new();
        let state = State::default();
        copy(text.as_bytes(), &mut file, limit, &state).expect("memory takes any text");
        String::from_utf8(file).expect("text")
    }

    #[test]
    fn a_short_log_is_kept_whole() {
        for text in ["", "one\n", "one\ntwo\nthree\n"] {
            assert_eq!(copied(text, 16), text);
        }
    }

    #[test]
    fn a_long_log_keeps_its_ends_and_says_what_is_missing() {
        let lines: Vec<String> = (0..100_000).map(|i| format!("line {i}\n")).collect();
        let text = lines.concat();
        let kept = copied(&text, 4096);
        assert!(kept.starts_with("line 0\nline 1\n"), "{kept}");
        assert!(kept.ends_with("line 99998\nline 99999\n"), "{kept}");
        let (head, rest) = kept.split_once("\n[flops-fit left out ").expect("a note");
        let (cut, tail) = rest
            .split_once(" bytes here: a log keeps its first and its last 2 KiB]\n")
            .expect("a note");
        let cut: usize = cut.parse().expect("a number");
        assert_eq!(head.len() + cut + tail.len(), text.len());
        assert!(tail.starts_with("line "), "{tail}");
        assert!(kept.len() < 4096 + 120);
    }

    #[test]
    fn the_last_words_are_known_though_the_file_could_not_be_written() {
        let file = tempfile::NamedTempFile::new().expect("temporary file");
        let not_for_writing = File::open(file.path()).expect("opened");
        let lines: Vec<String> = (0..10_000).map(|i| format!("line {i}\n\n")).collect();
        let log = Log::start(io::Cursor::new(lines.concat()), not_for_writing).expect("started");
        log.finish();
        assert_eq!(log.last_lines(2), ["line 9998", "line 9999"]);
        let length = std::fs::metadata(file.path()).expect("it is there").len();
        assert_eq!(length, 0);
    }

    #[test]
    fn a_pipe_that_somebody_holds_open_is_not_waited_for_for_ever() {
        let (reader, writer) = io::pipe().expect("a pipe");
        let file = tempfile::tempfile().expect("temporary file");
        let log = Log::start(reader, file).expect("started");
        (&writer).write_all(b"words").expect("written");
        log.finish();
        assert_eq!(log.last_lines(8), ["words"]);
        drop(writer);
    }
}
