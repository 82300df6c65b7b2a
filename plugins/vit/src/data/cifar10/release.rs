//! The official archive: where it comes from, what it is, what is in it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use flops_fit_data::cache::{Lock, beside, publish};
use flops_fit_data::download::{Content, Expected};
use flops_fit_data::{Digest, FetchError, Fetcher};
use tar::Archive;

use super::{FOLDER, RECORD, TEST, TRAIN};
use crate::data::DataError;

/// The archive's name, at home and here.
const ARCHIVE: &str = "cifar-10-binary.tar.gz";

/// Its home.
const HOME: &str = "https://www.cs.toronto.edu/~kriz";

/// What of it a user is told beforehand.
const SIZE: &str = "170 MB";

/// An archive as it was published.
#[derive(Debug, Clone, Copy)]
pub struct Release {
    /// Size and digest of the archive.
    pub content: Content,
    /// Images in each file.
    pub records: usize,
}

/// CIFAR-10 as it was published in 2009.
pub const OFFICIAL: Release = Release {
    content: Content {
        size: 170_052_171,
        sha256: Digest::parse("c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd")
            .expect("64 digits"),
    },
    records: 10_000,
};

/// Where the files are, or come from.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// A folder that holds the files, or [`FOLDER`] with them, or the archive; a
    /// download goes there.
    pub dir: &'a Path,
    /// Whether an absent archive may be downloaded.
    pub download: bool,
    /// A mirror of the archive's home.
    pub base_url: Option<&'a str>,
}

impl Release {
    /// The folder that holds all six files, once it does: of several processes
    /// that ask at once one fetches and unpacks, and the others wait for it.
    pub(super) fn find_or_fetch(
        &self,
        source: &Source<'_>,
        fetcher: &Fetcher,
    ) -> Result<PathBuf, DataError> {
        let unpacked = source.dir.join(FOLDER);
        let complete = |folder: &Path| names().all(|name| folder.join(name).is_file());
        if let Some(folder) = [source.dir, unpacked.as_path()]
            .into_iter()
            .find(|f| complete(f))
        {
            return Ok(folder.to_path_buf());
        }
        let archive = source.dir.join(ARCHIVE);
        if !archive.is_file() {
            if !source.download {
                let files = names().map(|name| unpacked.join(name));
                let files = files.filter(|path| !path.is_file()).collect();
                return Err(FetchError::Absent { files, size: SIZE }.into());
            }
            let base = source.base_url.unwrap_or(HOME).trim_end_matches('/');
            let url = format!("{base}/{ARCHIVE}");
            fetcher.fetch(&url, Expected::Known(self.content), &archive)?;
        }
        fs::create_dir_all(&unpacked).map_err(DataError::unwritable(&unpacked))?;
        let _lock = Lock::of(&unpacked).map_err(DataError::unwritable(&unpacked))?;
        if !complete(&unpacked) {
            self.verify(&archive)?;
            self.unpack(&archive, &unpacked)?;
        }
        Ok(unpacked)
    }

    /// An archive that was there already may be anything.
    fn verify(&self, archive: &Path) -> Result<(), DataError> {
        let found = File::open(archive)
            .and_then(|mut file| Digest::of_reader(&mut file, |_| ()))
            .map_err(DataError::unreadable(archive))?;
        if found == self.content.sha256 {
            return Ok(());
        }
        Err(DataError::Archive {
            path: archive.to_path_buf(),
            found: found.to_string(),
            expected: self.content.sha256.to_string(),
        })
    }

    /// Takes the six files out of the archive, each whole or not at all.
    fn unpack(&self, archive: &Path, into: &Path) -> Result<(), DataError> {
        let unreadable = DataError::unreadable(archive);
        let file = File::open(archive).map_err(&unreadable)?;
        let mut members = Archive::new(GzDecoder::new(io::BufReader::new(file)));
        for member in members.entries().map_err(&unreadable)? {
            let mut member = member.map_err(&unreadable)?;
            let path = member.path().map_err(&unreadable)?.into_owned();
            let wanted = names().find(|name| path == Path::new(FOLDER).join(name));
            let Some(name) = wanted else { continue };
            let to = into.join(name);
            let expected = (self.records * RECORD) as u64;
            if member.size() != expected {
                return Err(DataError::Length {
                    path: archive.join(&path),
                    found: member.size(),
                    expected,
                    why: format!("{} images", self.records),
                });
            }
            let partial = beside(&to, "part");
            let mut file = OpenOptions::new()
                .create(true)
                .write(true)
                .truncate(true)
                .open(&partial)
                .map_err(DataError::unwritable(&to))?;
            io::copy(&mut member, &mut file).map_err(&unreadable)?;
            publish(&file, &partial, &to).map_err(DataError::unwritable(&to))?;
        }
        match names().find(|name| !into.join(name).is_file()) {
            None => Ok(()),
            Some(name) => Err(DataError::NotInArchive {
                path: archive.to_path_buf(),
                name,
            }),
        }
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    TRAIN.into_iter().chain([TEST])
}
