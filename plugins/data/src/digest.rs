//! Files by their content: SHA-256, remembered so that the many workers of a
//! sweep don't each read gigabytes to learn what the first of them found.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::FileError;
use crate::cache::{Cache, Lock, write_whole};
use crate::progress::Progress;

/// A file that was written this recently may be written again without its
/// times changing, so its digest isn't remembered.
const SETTLED: Duration = Duration::from_secs(2);

/// A SHA-256 digest. Its text form is 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of bytes in memory.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads 64 hexadecimal digits.
    pub const fn parse(hex: &str) -> Option<Self> {
        let digits = hex.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        let mut place = 0;
        while place < digits.len() {
            let Some(value) = (digits[place] as char).to_digit(16) else {
                return None;
            };
            bytes[place / 2] = bytes[place / 2] << 4 | value as u8;
            place += 1;
        }
        Some(Self(bytes))
    }

    /// The digest of a file's content: remembered if the file is as it was
    /// when it was last read, else computed by one process at a time.
    pub fn of_file(path: &Path, cache: &Cache) -> Result<Self, FileError> {
        let unreadable = |source| FileError::Unreadable {
            path: path.to_path_buf(),
            source,
        };
        let absolute = path.canonicalize().map_err(unreadable)?;
        let name = Self::of(absolute.as_os_str().as_encoded_bytes()).to_string();
        let memory = cache.path("digests", &name)?;
        let stamp = |path: &Path| fs::metadata(path).map(|found| Stamp::of(&found));
        if let Some(digest) = recall(&memory, stamp(&absolute).map_err(unreadable)?) {
            return Ok(digest);
        }
        let cache_failed = |source| FileError::Cache {
            path: memory.clone(),
            source,
        };
        let lock = Lock::of(&memory).map_err(cache_failed)?;
        let before = stamp(&absolute).map_err(unreadable)?;
        if let Some(digest) = recall(&memory, before) {
            return Ok(digest);
        }
        let mut file = File::open(&absolute).map_err(unreadable)?;
        let mut progress = Progress::new(format!("reading {}", path.display()), 0, before.size);
        let digest =
            Self::of_reader(&mut file, |bytes| progress.advance(bytes)).map_err(unreadable)?;
        if stamp(&absolute).map_err(unreadable)? != before {
            return Err(FileError::Changed {
                path: path.to_path_buf(),
            });
        }
        if before.is_settled(SystemTime::now()) {
            let entry = Entry {
                stamp: before,
                sha256: digest.to_string(),
                path: absolute,
            };
            let json = serde_json::to_vec(&entry).map_err(|e| cache_failed(e.into()))?;
            write_whole(&memory, &json).map_err(cache_failed)?;
        }
        drop(lock);
        Ok(digest)
    }

    /// The digest of all that a reader yields; `read` hears of each piece.
    pub fn of_reader(reader: &mut impl Read, mut read: impl FnMut(u64)) -> io::Result<Self> {
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(Self(hasher.finalize().into())),
                Ok(length) => {
                    hasher.update(&buffer[..length]);
                    read(length as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What changes when a file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    size: u64,
    device: u64,
    inode: u64,
    /// Seconds and nanoseconds of the last change of the content.
    modified: (i64, i64),
    /// The same of content or attributes, which no program can set back.
    changed: (i64, i64),
}

impl Stamp {
    fn of(file: &Metadata) -> Self {
        Self {
            size: file.len(),
            device: file.dev(),
            inode: file.ino(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }

    /// Whether a change from `now` on would show in the times.
    fn is_settled(&self, now: SystemTime) -> bool {
        let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(self.changed.0.max(0) as u64);
        now.duration_since(changed).is_ok_and(|age| age > SETTLED)
    }
}

/// A remembered digest, with the path for a person who looks into the cache.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    path: PathBuf,
    #[serde(flatten)]
    stamp: Stamp,
    sha256: String,
}

/// The digest in `memory`, if it is of a file with this stamp. A memory that
/// can't be read is none.
fn recall(memory: &Path, stamp: Stamp) -> Option<Digest> {
    let entry: Entry = serde_json::from_slice(&fs::read(memory).ok()?).ok()?;
    (entry.stamp == stamp).then(|| Digest::parse(&entry.sha256))?
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// The digest of "abc" in FIPS 180-2.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn digests_are_read_and_written_as_hex() {
        let digest = Digest::of(b"abc");
        assert_eq!(digest.to_string(), ABC);
        assert_eq!(Digest::parse(ABC), Some(digest));
        assert_eq!(Digest::parse(&ABC[1..]), None);
        assert_eq!(Digest::parse(&ABC.replace('b', "x")), None);
    }

    #[test]
    fn a_digest_is_remembered_until_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("cache"));
        let path = folder.path().join("a.txt");
        fs::write(&path, "abc").unwrap();
        assert_eq!(Digest::of_file(&path, &cache).unwrap().to_string(), ABC);

        // Put a false memory in place: it is believed while the stamp fits.
        let absolute = path.canonicalize().unwrap();
        let name = Digest::of(absolute.as_os_str().as_encoded_bytes()).to_string();
        let memory = cache.path("digests", &name).unwrap();
        let stamp = Stamp::of(&fs::metadata(&path).unwrap());
        let planted = Digest([7; 32]);
        let entry = Entry {
            path: absolute,
            stamp,
            sha256: planted.to_string(),
        };
        write_whole(&memory, &serde_json::to_vec(&entry).unwrap()).unwrap();
        assert_eq!(Digest::of_file(&path, &cache).unwrap(), planted);

        fs::write(&path, "abcd").unwrap();
        assert_eq!(Digest::of_file(&path, &cache).unwrap(), Digest::of(b"abcd"));
        fs::write(&memory, "{ torn").unwrap();
        assert_eq!(Digest::of_file(&path, &cache).unwrap(), Digest::of(b"abcd"));
    }

    #[test]
    fn a_fresh_file_is_not_settled() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let meta = file.as_file().metadata().unwrap();
        let (stamp, written) = (Stamp::of(&meta), meta.modified().unwrap());
        assert!(!stamp.is_settled(written));
        assert!(stamp.is_settled(written + Duration::from_secs(10)));
    }
}
