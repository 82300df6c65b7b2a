//! A file of token ids, mapped into memory.
//!
//! ```text
//! magic "FFTOKENS" · version u32 · bytes per id u32 · vocabulary u64 · key [u8; 32]
//! number of parts u32 · crc32 of the ids u32 · per part: tokens u64, text bytes u64
//! crc32 of all above u32 · the ids
//! ```
//!
//! Numbers are little-endian. An id takes one, two or four bytes, whatever the
//! vocabulary needs. A file is only ever replaced by another, never written in
//! place; one that is torn, damaged or somebody else's is told by its header,
//! its length and its checksums.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use flops_fit_data::Digest;
use flops_fit_data::cache::{beside, publish};

const MAGIC: &[u8; 8] = b"FFTOKENS";
const VERSION: u32 = 1;
/// Header bytes before the parts.
const FIXED: usize = 64;
/// Header bytes of one part.
const PART: usize = 16;
/// A checksum's bytes.
const CRC: usize = 4;
/// No recipe has more source files.
const MOST_PARTS: u32 = 1 << 20;

/// What one source file became.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// How many tokens.
    pub tokens: u64,
    /// How many bytes of UTF-8 they stand for.
    pub bytes: u64,
}

/// Why a file holds no tokens that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// Another kind of file, or another version of the format.
    Foreign,
    /// The header's checksum is not that of the header.
    Header,
    /// Tokens of another text or tokenizer.
    OtherKey,
    /// Shorter or longer than the header says.
    Length,
    /// The ids' checksum is not that of the ids.
    Ids,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Foreign => "not a token file of this version",
            Self::Header => "its header is damaged",
            Self::OtherKey => "it belongs to another text",
            Self::Length => "it is not as long as it says",
            Self::Ids => "its tokens are damaged",
        })
    }
}

/// Bytes that any id below `vocabulary` fits in.
fn bytes_per_id(vocabulary: usize) -> usize {
    match vocabulary {
        ..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    }
}

/// Token ids of one or more source files, in order. Reading it needs no lock.
#[derive(Debug)]
pub struct TokenFile {
    map: Mmap,
    /// Where the ids begin in the map.
    start: usize,
    bytes_per_id: usize,
    vocabulary: usize,
    parts: Vec<Part>,
}

impl TokenFile {
    /// Maps the file and checks all of it; `Ok(Err(_))` if it must be made anew.
    pub(super) fn open(path: &Path, key: Digest) -> io::Result<Result<Self, Damage>> {
        let file = File::open(path)?;
        if file.metadata()?.len() == 0 {
            return Ok(Err(Damage::Foreign));
        }
        // SAFETY: token files are replaced by rename and never written or cut in
        // place (see the head of this file), so the mapped bytes don't change.
        let map = unsafe { Mmap::map(&file) }?;
        Ok(Self::check(map, key))
    }

    fn check(map: Mmap, key: Digest) -> Result<Self, Damage> {
        let u32_at = |at: usize| {
            map.get(at..at + 4)
                .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        };
        let u64_at = |at: usize| Some(u64::from(u32_at(at)?) | u64::from(u32_at(at + 4)?) << 32);
        if map.get(..8) != Some(MAGIC) || u32_at(8) != Some(VERSION) {
            return Err(Damage::Foreign);
        }
        let parts = u32_at(56)
            .filter(|&parts| parts <= MOST_PARTS)
            .ok_or(Damage::Header)? as usize;
        let summed = FIXED + parts * PART;
        let header = map.get(..summed).ok_or(Damage::Length)?;
        if u32_at(summed) != Some(crc32fast::hash(header)) {
            return Err(Damage::Header);
        }
        // From here on the header is what was once written.
        let word = |at| u64_at(at).expect("the checked header has these bytes");
        if map[24..56] != key.0 {
            return Err(Damage::OtherKey);
        }
        let vocabulary = word(16) as usize;
        let parts: Vec<Part> = (0..parts)
            .map(|part| FIXED + part * PART)
            .map(|at| Part {
                tokens: word(at),
                bytes: word(at + 8),
            })
            .collect();
        let start = summed + CRC;
        let bytes_per_id = bytes_per_id(vocabulary);
        let tokens: u64 = parts.iter().map(|part| part.tokens).sum();
        if (map.len() - start) as u64 != tokens * bytes_per_id as u64 {
            return Err(Damage::Length);
        }
        if u32_at(60) != Some(crc32fast::hash(&map[start..])) {
            return Err(Damage::Ids);
        }
        Ok(Self {
            map,
            start,
            bytes_per_id,
            vocabulary,
            parts,
        })
    }

    /// Every id is below this.
    pub fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// What each source file became, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// How many tokens there are in all.
    pub fn tokens(&self) -> u64 {
        self.parts.iter().map(|part| part.tokens).sum()
    }

    /// Fills `ids` with the tokens from `start` on.
    ///
    /// # Panics
    ///
    /// Panics if the file has fewer than `start + ids.len()` tokens.
    pub fn copy(&self, start: u64, ids: &mut [i64]) {
        let from = self.start + start as usize * self.bytes_per_id;
        let bytes = &self.map[from..from + ids.len() * self.bytes_per_id];
        match self.bytes_per_id {
            1 => ids
                .iter_mut()
                .zip(bytes)
                .for_each(|(id, &byte)| *id = i64::from(byte)),
            2 => {
                for (id, b) in ids.iter_mut().zip(bytes.chunks_exact(2)) {
                    *id = i64::from(u16::from_le_bytes([b[0], b[1]]));
                }
            }
            _ => {
                for (id, b) in ids.iter_mut().zip(bytes.chunks_exact(4)) {
                    *id = i64::from(u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
                }
            }
        }
    }
}

/// A token file in the making, under a name of its own until it is finished.
pub(super) struct TokenWriter {
    path: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
    checksum: crc32fast::Hasher,
    vocabulary: usize,
    parts: Vec<Part>,
    encoded: Vec<u8>,
}

impl TokenWriter {
    /// Begins a file of as many parts as there are source files. The caller
    /// holds the lock of `path`: what an earlier process left unfinished is
    /// overwritten.
    pub(super) fn create(path: &Path, vocabulary: usize, parts: usize) -> io::Result<Self> {
        let partial = beside(path, "partial");
        let mut file = BufWriter::new(File::create(&partial)?);
        file.write_all(&vec![0; FIXED + parts * PART + CRC])?;
        Ok(Self {
            path: path.to_path_buf(),
            partial,
            file,
            checksum: crc32fast::Hasher::new(),
            vocabulary,
            parts: vec![Part::default(); parts],
            encoded: Vec::new(),
        })
    }

    /// Appends ids, each below the vocabulary, that stand for `bytes` of the
    /// source file `part`.
    pub(super) fn append(&mut self, part: usize, ids: &[u32], bytes: u64) -> io::Result<()> {
        self.encoded.clear();
        match bytes_per_id(self.vocabulary) {
            1 => self.encoded.extend(ids.iter().map(|&id| id as u8)),
            2 => self
                .encoded
                .extend(ids.iter().flat_map(|&id| (id as u16).to_le_bytes())),
            _ => self
                .encoded
                .extend(ids.iter().flat_map(|&id| id.to_le_bytes())),
        }
        self.checksum.update(&self.encoded);
        self.file.write_all(&self.encoded)?;
        self.parts[part].tokens += ids.len() as u64;
        self.parts[part].bytes += bytes;
        Ok(())
    }

    /// Writes the header, makes the file durable and gives it its name.
    pub(super) fn finish(mut self, key: Digest) -> io::Result<()> {
        let mut header = Vec::with_capacity(FIXED + self.parts.len() * PART + CRC);
        header.extend(MAGIC);
        header.extend(VERSION.to_le_bytes());
        header.extend((bytes_per_id(self.vocabulary) as u32).to_le_bytes());
        header.extend((self.vocabulary as u64).to_le_bytes());
        header.extend(key.0);
        header.extend((self.parts.len() as u32).to_le_bytes());
        header.extend(self.checksum.finalize().to_le_bytes());
        for part in &self.parts {
            header.extend(part.tokens.to_le_bytes());
            header.extend(part.bytes.to_le_bytes());
        }
        let checksum = crc32fast::hash(&header);
        header.extend(checksum.to_le_bytes());
        self.file.rewind()?;
        self.file.write_all(&header)?;
        let file = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        publish(&file, &self.partial, &self.path)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fs;

    use super::*;

    const KEY: Digest = Digest([9; 32]);

    fn write(path: &Path, vocabulary: usize, parts: &[&[u32]]) {
        let mut writer = TokenWriter::create(path, vocabulary, parts.len()).unwrap();
        for (part, ids) in parts.iter().enumerate() {
            writer.append(part, ids, 3 * ids.len() as u64).unwrap();
        }
        writer.finish(KEY).unwrap();
    }

    #[test]
    fn ids_of_every_width_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tokens");
        for (vocabulary, width) in [(2, 1), (256, 1), (257, 2), (65_536, 2), (65_537, 4)] {
            let last = vocabulary as u32 - 1;
            write(&path, vocabulary, &[&[0, last], &[], &[1, last, 0]]);
            let file = TokenFile::open(&path, KEY).unwrap().unwrap();
            assert_eq!((file.vocabulary(), file.tokens()), (vocabulary, 5));
            assert_eq!(
                file.parts()[2],
                Part {
                    tokens: 3,
                    bytes: 9
                }
            );
            assert_eq!(file.map.len(), FIXED + 3 * PART + CRC + 5 * width);
            let mut ids = [0; 4];
            file.copy(1, &mut ids);
            assert_eq!(ids, [i64::from(last), 1, i64::from(last), 0]);
        }
        assert!(!beside(&path, "partial").exists());
    }

    #[test]
    fn damage_is_recognised_wherever_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tokens");
        write(&path, 50_257, &[&[1, 2, 50_256]]);
        let good = fs::read(&path).unwrap();
        let check = |bytes: &[u8], expected: &[Damage]| {
            fs::write(&path, bytes).unwrap();
            let found = TokenFile::open(&path, KEY).unwrap().unwrap_err();
            assert!(
                expected.contains(&found),
                "{found:?}, not one of {expected:?}"
            );
        };
        for byte in 0..good.len() {
            let mut bad = good.clone();
            bad[byte] ^= 0x10;
            let expected: &[Damage] = match byte {
                0..12 => &[Damage::Foreign],
                12..84 => &[Damage::Header, Damage::Length],
                _ => &[Damage::Ids],
            };
            check(&bad, expected);
        }
        for length in 0..good.len() {
            check(
                &good[..length],
                &[Damage::Foreign, Damage::Header, Damage::Length],
            );
        }
        check(&[&good[..], &[0]].concat(), &[Damage::Length]);
        fs::write(&path, &good).unwrap();
        let other = TokenFile::open(&path, Digest([8; 32])).unwrap();
        assert!(matches!(other, Err(Damage::OtherKey)), "{other:?}");
    }
}
