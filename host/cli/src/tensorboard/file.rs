//! One event file: records with masked checksums (the `TFRecord` format).
//!
//! ```text
//! u64 length · u32 masked CRC-32C of the length · data · u32 masked CRC-32C of the data
//! ```
//!
//! all little-endian. Each record is written by one call, so a reader that follows sees
//! whole records or a torn last one. The end of a session is the last record of a file
//! that nothing is missing from.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
    time::{Duration, SystemTime},
};

use prost::Message as _;
use rustix::system::uname;

use super::event::{Event, SessionLog, SessionStatus, Summary, Value, What};

/// The format that readers know restarts by.
const VERSION: &str = "brain.Event:2";

/// Added to a rotated checksum, so that one of data that holds checksums is sound too.
const MASK: u32 = 0xa282_ead8;

/// Bytes of a record's checksum,
const SUM: usize = 4;

/// and of what precedes its data.
const HEAD: usize = 8 + SUM;

/// An event file that is being written.
#[derive(Debug)]
pub(super) struct EventFile(File);

impl EventFile {
    /// The next file in `folder`, which is made where it is missing. Readers take the
    /// files of a folder in the order of their names: by time, then by number.
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let number = fs::read_dir(folder)?.count();
        let host = uname();
        let host = host.nodename().to_string_lossy();
        let seconds = now() as u64;
        let name = format!("events.out.tfevents.{seconds:010}.{number:04}.{host}");
        let mut file = Self(File::create(folder.join(name))?);
        file.write(now(), 0, What::FileVersion(VERSION.to_owned()))?;
        Ok(file)
    }

    /// What was seen at `step` or later is void.
    pub(super) fn restart(&mut self, time: f64, step: u64) -> io::Result<()> {
        let status = SessionStatus::Start.into();
        self.write(time, step, What::SessionLog(SessionLog { status }))
    }

    /// Nothing more comes: it is whole.
    pub(super) fn stop(&mut self) -> io::Result<()> {
        self.0.write_all(&record(&stop(now()).encode_to_vec()))
    }

    /// Values at `step`, by tag.
    pub(super) fn scalars<'t>(
        &mut self,
        time: f64,
        step: u64,
        values: impl IntoIterator<Item = (&'t str, f64)>,
    ) -> io::Result<()> {
        let value: Vec<Value> = values
            .into_iter()
            .map(|(tag, value)| Value {
                tag: tag.to_owned(),
                simple_value: Some(value as f32),
            })
            .collect();
        if value.is_empty() {
            return Ok(());
        }
        self.write(time, step, What::Summary(Summary { value }))
    }

    fn write(&mut self, wall_time: f64, step: u64, what: What) -> io::Result<()> {
        let event = Event {
            wall_time,
            step: step as i64,
            what: Some(what),
        };
        self.0.write_all(&record(&event.encode_to_vec()))
    }
}

/// Whether the newest file in `folder` is whole.
pub(super) fn is_whole(folder: &Path) -> bool {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let newest = files.map(|file| file.path()).max();
    newest.is_some_and(|path| stops(&path).unwrap_or(false))
}

/// Whether the last record of the file at `path` is a session's end.
fn stops(path: &Path) -> io::Result<bool> {
    // All of them are equally long.
    let mut end = record(&stop(now()).encode_to_vec());
    let mut file = File::open(path)?;
    file.seek(SeekFrom::End(-(end.len() as i64)))?;
    file.read_exact(&mut end)?;
    let data = &end[HEAD..end.len() - SUM];
    let is_stop = |event: Event| event == stop(event.wall_time);
    Ok(record(data) == end && Event::decode(data).is_ok_and(is_stop))
}

fn stop(wall_time: f64) -> Event {
    let status = SessionStatus::Stop.into();
    Event {
        wall_time,
        step: 0,
        what: Some(What::SessionLog(SessionLog { status })),
    }
}

/// Seconds since 1970.
pub(super) fn now() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or(Duration::ZERO).as_secs_f64()
}

fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(HEAD + data.len() + SUM);
    record.extend(length);
    record.extend(masked(&length).to_le_bytes());
    record.extend(data);
    record.extend(masked(data).to_le_bytes());
    record
}

pub(super) fn masked(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(MASK)
}
