//! What can go wrong between files of images and their pixels.

use std::io;
use std::path::{Path, PathBuf};

use flops_fit_data::{FetchError, FileError};

/// Why a dataset of image files can't be used. Each message names the file or
/// the key of `[dataset.config]` to change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A folder lacks a file.
    #[error(
        "{} has neither {name} nor {name}.gz; set dataset.config.dir to the folder that holds the \
         files",
        dir.display()
    )]
    Missing {
        /// The folder.
        dir: PathBuf,
        /// The file's name, without `.gz`.
        name: String,
    },
    /// A file can't be opened, read or decompressed.
    #[error("{} can't be read; get it again, or correct its permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system, or the decompressor, said.
        source: io::Error,
    },
    /// A file begins as no IDX file of this kind does.
    #[error(
        "{} is no IDX file of {what}: it begins with {found:02x?}, expected {expected:02x?}",
        path.display()
    )]
    NotIdx {
        /// The file.
        path: PathBuf,
        /// `images` or `labels`.
        what: &'static str,
        /// Its first bytes, up to four.
        found: Vec<u8>,
        /// Two zeros, the type (8: unsigned bytes), the number of dimensions.
        expected: [u8; 4],
    },
    /// A file is longer or shorter than it says, or than its format is.
    #[error(
        "{} has {} bytes, expected {expected}: {why}; get it again",
        path.display(),
        Bytes(*found, *expected)
    )]
    Length {
        /// The file.
        path: PathBuf,
        /// Bytes it has, decompressed; one more than expected stands for any
        /// number more.
        found: u64,
        /// Bytes it should have.
        expected: u64,
        /// Where that number comes from.
        why: String,
    },
    /// A file has no image, or images without pixels.
    #[error("{} holds {count} images of {height} × {width} pixels; expected at least one of each", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// Images.
        count: u32,
        /// Pixels.
        height: u32,
        /// Pixels.
        width: u32,
    },
    /// Two files that belong together differ.
    #[error("{} holds {found}, and {} {expected}; they are not of one dataset", path.display(), with.display())]
    Disagree {
        /// One file.
        path: PathBuf,
        /// What it holds.
        found: String,
        /// The other file.
        with: PathBuf,
        /// What that one holds.
        expected: String,
    },
    /// A label is no class.
    #[error(
        "{}: label {found} of image {index} is no class; expected 0 to {}; get the file again",
        path.display(),
        classes - 1
    )]
    Label {
        /// The file.
        path: PathBuf,
        /// The image, from 0.
        index: usize,
        /// Its label.
        found: u8,
        /// How many classes there are.
        classes: usize,
    },
    /// An archive is not the published one.
    #[error(
        "{} has sha256 {found}, expected {expected}; remove it and get the official file",
        path.display()
    )]
    Archive {
        /// The file.
        path: PathBuf,
        /// Its digest.
        found: String,
        /// The published one.
        expected: String,
    },
    /// An archive lacks a file.
    #[error("{} has no {name}; remove it and get the official file", path.display())]
    NotInArchive {
        /// The archive.
        path: PathBuf,
        /// What it lacks.
        name: &'static str,
    },
    /// A file can't be written.
    #[error("{} can't be written; free space there, or set dataset.config.dir to another folder", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A crop moves images out of sight.
    #[error(
        "`crop` is {found}, and images are {height} × {width} pixels; expected less than half of a side"
    )]
    Crop {
        /// The value of the key.
        found: u32,
        /// Pixels.
        height: usize,
        /// Pixels.
        width: usize,
    },
    /// The caller asked for an image past the end.
    #[error("image {index} does not exist: the split has {images} of them")]
    NoSuchImage {
        /// The image's index.
        index: u64,
        /// How many there are.
        images: u64,
    },
    /// The cache can't be used.
    #[error(transparent)]
    Files(#[from] FileError),
    /// The official files could not be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
}

/// A length that was only counted up to one more than expected.
struct Bytes(u64, u64);

impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(found, expected) = self;
        if found > expected {
            write!(f, "more than {expected}")
        } else {
            write!(f, "{found}")
        }
    }
}

impl DataError {
    pub(super) fn unreadable(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        move |source| Self::Unreadable {
            path: path.to_path_buf(),
            source,
        }
    }

    pub(super) fn unwritable(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        move |source| Self::Unwritable {
            path: path.to_path_buf(),
            source,
        }
    }

    /// The key of `[dataset.config]` to change, if it is one.
    pub fn key(&self) -> Option<&'static str> {
        match self {
            Self::Crop { .. } => Some("crop"),
            Self::NoSuchImage { .. } => None,
            Self::Files(error) => error.key(),
            Self::Fetch(error) => Some(error.key()),
            _ => Some("dir"),
        }
    }
}
