//! A shared library's headers, read without loading it: is it whole, is it for
//! x86-64, and which libraries does it ask for.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use object::elf::{self, FileHeader64};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, ReadCache, ReadRef};

/// What the dynamic section of a library says.
#[derive(Debug, Default)]
pub(super) struct Library {
    /// File names of the libraries that it needs (`DT_NEEDED`).
    pub(super) needs: Vec<String>,
    /// Folders that it searches first, with `$ORIGIN` replaced.
    pub(super) search: Vec<PathBuf>,
}

/// Why a file is no usable library.
#[derive(Debug)]
pub(super) enum Defect {
    Unreadable(io::Error),
    NotElf,
    OtherMachine,
    Truncated { bytes: u64, expected: u64 },
}

type Header = FileHeader64<Endianness>;

/// Reads the headers of the library at `path`.
pub(super) fn read(path: &Path) -> Result<Library, Defect> {
    let file = File::open(path).map_err(Defect::Unreadable)?;
    let bytes = file.metadata().map_err(Defect::Unreadable)?.len();
    let cache = ReadCache::new(file);
    let data = &cache;
    let header = Header::parse(data).map_err(|_| Defect::NotElf)?;
    let endian = header.endian().map_err(|_| Defect::NotElf)?;
    if header.e_machine(endian) != elf::EM_X86_64 || header.e_type(endian) != elf::ET_DYN {
        return Err(Defect::OtherMachine);
    }
    let expected = extent(header, endian, data).ok_or(Defect::Truncated {
        bytes,
        expected: bytes + 1,
    })?;
    if bytes < expected {
        return Err(Defect::Truncated { bytes, expected });
    }
    let origin = path.parent().unwrap_or(Path::new("."));
    dynamic(header, endian, data, origin).map_err(|_| Defect::NotElf)
}

/// The least length that a file with these headers can have. `None` if the
/// program headers themselves are cut off.
fn extent<'data, R: ReadRef<'data>>(header: &Header, endian: Endianness, data: R) -> Option<u64> {
    let segments = header
        .program_headers(endian, data)
        .ok()?
        .iter()
        .filter(|segment| segment.p_type(endian) == elf::PT_LOAD)
        .map(|segment| {
            segment
                .p_offset(endian)
                .saturating_add(segment.p_filesz(endian))
        });
    let sections = header.e_shoff(endian)
        + u64::from(header.e_shnum(endian)) * u64::from(header.e_shentsize(endian));
    segments.chain([sections]).max()
}

fn dynamic<'data, R: ReadRef<'data>>(
    header: &Header,
    endian: Endianness,
    data: R,
    origin: &Path,
) -> object::Result<Library> {
    let mut library = Library::default();
    let table = header.sections(endian, data)?.dynamic_table(endian, data)?;
    for entry in &table {
        let text = || Ok(String::from_utf8_lossy(table.string(entry)?));
        match entry.tag {
            elf::DT_NEEDED => library.needs.push(text()?.into_owned()),
            elf::DT_RPATH | elf::DT_RUNPATH => {
                let origin = origin.to_string_lossy();
                library.search.extend(
                    text()?
                        .split(':')
                        .filter(|folder| !folder.is_empty())
                        .map(|folder| PathBuf::from(folder.replace("$ORIGIN", &origin))),
                );
            }
            _ => {}
        }
    }
    Ok(library)
}
