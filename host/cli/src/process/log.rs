//! A worker's log, whatever a plugin prints: its beginning and its end are kept,
//! what is between is counted and dropped.
//!
//! A child writes into a pipe, which a thread empties into the file, so that no
//! plugin can fill the disk. What it keeps true: the file never holds more than
//! the limit and one line about what was cut; the first half of the limit is in
//! the file as soon as it was printed, the end as soon as the child has ended.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

/// Most bytes of a log.
pub(crate) const LIMIT: usize = 4 << 20;

/// A log that is being written.
#[derive(Debug)]
pub(crate) struct Log {
    done: Receiver<()>,
}

impl Log {
    /// Empties `source` into `file` until it ends.
    pub(crate) fn start(source: impl Read + Send + 'static, file: File) -> io::Result<Self> {
        let (sender, done) = sync_channel(1);
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || {
                // A log that can't be written is no reason to end a trial.
                let _ = copy(source, file, LIMIT);
                let _ = sender.send(());
            })?;
        Ok(Self { done })
    }

    /// Waits until the file is complete, for `limit` at most: a process that left
    /// its group may hold the pipe open for ever.
    pub(crate) fn finish(&self, limit: Duration) {
        let _ = self.done.recv_timeout(limit);
    }
}

/// Copies `source` to `file`, of more than `limit` bytes the two halves at its ends.
/// The source is read to its end even when the file takes no more: a child that
/// writes into a full pipe would stand still.
fn copy(mut source: impl Read, mut file: impl Write, limit: usize) -> io::Result<()> {
    let mut head = limit / 2;
    let mut tail: VecDeque<u8> = VecDeque::new();
    let mut cut = 0_u64;
    let mut written = Ok(());
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
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
        copy(text.as_bytes(), &mut file, limit).expect("memory takes any text");
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
}
