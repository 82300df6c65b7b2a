//! Reads a record out of an ELF file as bytes; nothing of the file is run.
//!
//! dlopen maps what the program headers promise, and a file that ends before
//! that kills the process with SIGBUS inside the dynamic linker. So the ends of
//! all loadable segments are compared with the file's length first.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use object::{
    LittleEndian, ReadCache, ReadRef, elf,
    read::elf::{FileHeader as _, ProgramHeader as _, SectionHeader as _},
};

use crate::{RawRecord, Record, SECTION};

/// Most bytes of headers and of the record that are read: many times what any
/// library has, little enough for any machine.
const MOST_BYTES: u64 = 8 << 20;

/// Why a file is no plugin that could be opened.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It could not be read at all.
    #[error("plugin {} cannot be read: {source}; build it with `cargo build --release --lib` or correct the path", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It is something else.
    #[error("{} is not a flops-fit plugin: {why}; expected a cdylib whose crate uses flops_fit_plugin::export_plugin!", path.display())]
    NotAPlugin {
        /// The file.
        path: PathBuf,
        /// What it is.
        why: String,
    },
    /// It ends before what its headers promise.
    #[error("plugin {} is truncated: its headers promise {promised} bytes, the file has {found}; build or copy it again", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes that it should have.
        promised: u64,
        /// Bytes that it has.
        found: u64,
    },
    /// It was built for another machine.
    #[error("plugin {} was built for {found}, this machine is {expected}; build it here with `cargo build --release --lib`", path.display())]
    WrongArchitecture {
        /// The file.
        path: PathBuf,
        /// What it was built for.
        found: String,
        /// What this is.
        expected: &'static str,
    },
}

/// Reads the record of the library at `path`.
pub fn read(path: &Path) -> Result<Record, RecordError> {
    let unreadable = |source| RecordError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let not = |why: String| RecordError::NotAPlugin {
        path: path.to_owned(),
        why,
    };
    let meta = std::fs::metadata(path).map_err(unreadable)?;
    if !meta.is_file() {
        return Err(not(if meta.is_dir() {
            "it is a folder".into()
        } else {
            "it is no regular file".into()
        }));
    }
    let cache = ReadCache::new(File::open(path).map_err(unreadable)?);
    find(path, &cache, meta.len())
}

/// The record in `bytes`, which are those of the library at `path`.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<Record, RecordError> {
    find(path, bytes, bytes.len() as u64)
}

fn find<'a>(path: &Path, data: impl ReadRef<'a>, length: u64) -> Result<Record, RecordError> {
    let not = |why: String| RecordError::NotAPlugin {
        path: path.to_owned(),
        why,
    };
    let magic = data.read_bytes_at(0, 4).unwrap_or_default();
    if magic != elf::ELFMAG {
        let what = if length == 0 {
            "the file is empty"
        } else {
            "the file is no ELF library"
        };
        return Err(not(what.into()));
    }
    check_machine(data, path, length)?;
    let truncated = |promised| RecordError::Truncated {
        path: path.to_owned(),
        promised,
        found: length,
    };
    // The section table stands at a library's end: a file cut short loses it first.
    let failed = |error: object::read::Error| {
        end_of_headers(data, length).map_or_else(|| not(error.to_string()), truncated)
    };
    let endian = LittleEndian;
    let header = elf::FileHeader64::<LittleEndian>::parse(data).map_err(failed)?;
    for (what, count, size) in [
        (
            "sections",
            header.shnum(endian, data),
            header.e_shentsize(endian),
        ),
        (
            "segments",
            header.phnum(endian, data),
            header.e_phentsize(endian),
        ),
    ] {
        let count = u64::from(count.map_err(failed)?);
        if count * u64::from(size) > MOST_BYTES {
            return Err(not(format!("it has {count} {what}")));
        }
    }
    for segment in header.program_headers(endian, data).map_err(failed)? {
        let end = segment
            .p_offset(endian)
            .saturating_add(segment.p_filesz(endian));
        if segment.p_type(endian) == elf::PT_LOAD && end > length {
            return Err(truncated(end));
        }
    }
    if let Some(end) = end_of_headers(data, length) {
        return Err(truncated(end));
    }
    let sections = header.sections(endian, data).map_err(failed)?;
    let (_, section) = sections
        .section_by_name(endian, SECTION.as_bytes())
        .ok_or_else(|| not(format!("it is a library without a `{SECTION}` section")))?;
    let size = section.sh_size(endian);
    if size > MOST_BYTES {
        return Err(not(format!("its record is {size} bytes long")));
    }
    let bytes = section.data(endian, data).map_err(failed)?;
    decode(bytes).map_err(not)
}

fn check_machine<'a>(data: impl ReadRef<'a>, path: &Path, length: u64) -> Result<(), RecordError> {
    // e_ident, then e_type and e_machine, are the same in every ELF class.
    let head = data
        .read_bytes_at(0, 20)
        .map_err(|()| RecordError::Truncated {
            path: path.to_owned(),
            promised: 64,
            found: length,
        })?;
    let (class, order) = (head[4], head[5]);
    let machine = if order == elf::ELFDATA2LSB.0 {
        u16::from_le_bytes([head[18], head[19]])
    } else {
        u16::from_be_bytes([head[18], head[19]])
    };
    if class == elf::ELFCLASS64.0 && order == elf::ELFDATA2LSB.0 && machine == elf::EM_X86_64.0 {
        return Ok(());
    }
    let found = match machine {
        m if m == elf::EM_AARCH64.0 => "64-bit Arm".to_owned(),
        m if m == elf::EM_386.0 => "32-bit x86".to_owned(),
        m if m == elf::EM_ARM.0 => "32-bit Arm".to_owned(),
        m if m == elf::EM_RISCV.0 => "RISC-V".to_owned(),
        m => format!("ELF machine {m}, class {class}"),
    };
    Err(RecordError::WrongArchitecture {
        path: path.to_owned(),
        found,
        expected: "x86-64",
    })
}

/// The end of the section table, if the file stops before it.
fn end_of_headers<'a>(data: impl ReadRef<'a>, length: u64) -> Option<u64> {
    let header = elf::FileHeader64::<LittleEndian>::parse(data).ok()?;
    let endian = LittleEndian;
    let size = u64::from(header.e_shentsize(endian)) * u64::from(header.e_shnum(endian));
    let end = header.e_shoff(endian).saturating_add(size);
    (end > length).then_some(end)
}

fn decode(bytes: &[u8]) -> Result<Record, String> {
    if bytes.len() < RawRecord::HEAD || bytes[..16] != RawRecord::MAGIC {
        return Err("its record has a foreign magic".into());
    }
    // A newer minor may be longer; an older major may be anything, but then its
    // fixed head still says which it is.
    let mut padded = bytes.to_vec();
    padded.resize(padded.len().max(RawRecord::SIZE), 0);
    RawRecord::from_bytes(&padded)
        .map(|raw| raw.decode())
        .ok_or_else(|| "its record is too short".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, bytes: &[u8], want: &str) {
        let folder =
            std::env::temp_dir().join(format!("flops-fit-record-{}-{name}", std::process::id()));
        std::fs::write(&folder, bytes).expect("written");
        let error = read(&folder).expect_err("refused").to_string();
        std::fs::remove_file(&folder).expect("removed");
        assert!(error.contains(want) && error.contains(name), "{error}");
    }

    #[test]
    fn what_is_no_plugin_is_said_so() {
        check("empty", b"", "the file is empty");
        check("text", b"hello, world", "no ELF library");
        check("head-only", b"\x7fELF\x02\x01\x01", "truncated");
        let own = std::fs::read(std::env::current_exe().expect("path"))
            .expect("this test's own ELF file");
        check("another", &own, "without a `.flops_fit` section");
        check("cut", &own[..own.len() / 2], "truncated");
        let mut arm = own[..64].to_vec();
        arm[18..20].copy_from_slice(&183_u16.to_le_bytes());
        check("arm", &arm, "64-bit Arm");
        let missing = read(Path::new("/nowhere/libx.so"))
            .expect_err("missing")
            .to_string();
        assert!(
            missing.contains("/nowhere/libx.so") && missing.contains("cargo build --release --lib"),
            "{missing}"
        );
        let folder = read(&std::env::temp_dir())
            .expect_err("a folder")
            .to_string();
        assert!(folder.contains("it is a folder"), "{folder}");
    }

    #[test]
    fn bytes_say_what_was_put_in() {
        let raw = RawRecord::new(
            ["0.26.0", "2.13.0", "rustc 1", "0.1.0"],
            "p",
            "2.0.0",
            "model gpt\ndataset text\n",
        );
        // SAFETY: RawRecord is plain bytes of alignment 1 without padding.
        let bytes: [u8; RawRecord::SIZE] = unsafe { std::mem::transmute(raw) };
        let record = decode(&bytes).expect("decoded");
        assert_eq!(record, raw.decode());
        assert_eq!(record.kinds(crate::What::Dataset), ["text"]);
        assert!(decode(&bytes[1..]).is_err());
    }
}
