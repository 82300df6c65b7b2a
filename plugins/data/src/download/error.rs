//! Why the official files are not at hand.

use std::io;
use std::path::PathBuf;

/// A download that was not asked for, or didn't work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// Files are missing and the manifest doesn't allow a download.
    #[error(
        "{} absent: {}; set dataset.config.download = true to fetch the official files ({size}), or \
         set dataset.config.dir to a folder that holds them",
        if files.len() == 1 { "a file is" } else { "files are" },
        list(files)
    )]
    Absent {
        /// Where they were looked for.
        files: Vec<PathBuf>,
        /// What a download would fetch, such as `2.3 GB`.
        size: &'static str,
    },
    /// No answer, or the connection kept breaking.
    #[error(
        "{url} can't be fetched ({received} bytes are kept, and a later run goes on from there); \
         check the network and the proxy, set dataset.config.base_url to a mirror, or set \
         dataset.config.dir to a folder that holds the file"
    )]
    Unreachable {
        /// What was asked for.
        url: String,
        /// Bytes that have arrived so far, in this run and before.
        received: u64,
        /// The last failure.
        source: ureq::Error,
    },
    /// The server refused.
    #[error(
        "{url} was answered with status {status}; expected 200 or 206; check dataset.config.base_url"
    )]
    Status {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server doesn't say what the file should be.
    #[error(
        "{url} came without a usable {header} header, so that the file could not be checked; set \
         dataset.config.base_url to a server that sends it, as the Hugging Face hub does"
    )]
    NoHeader {
        /// What was asked for.
        url: String,
        /// The header that is missing or malformed.
        header: &'static str,
    },
    /// The file is longer or shorter than the official one.
    #[error(
        "{url} is {found} bytes long, expected {expected}; the server's copy is not the official file"
    )]
    Size {
        /// What was asked for.
        url: String,
        /// Bytes that the official file has.
        expected: u64,
        /// Bytes that the server has, or sent.
        found: u64,
    },
    /// The file has another content than the official one.
    #[error(
        "{url} has sha256 {found}, expected {expected}; what was downloaded is thrown away: run \
         again, or use another dataset.config.base_url"
    )]
    Sha256 {
        /// What was asked for.
        url: String,
        /// The official digest, in hexadecimal.
        expected: String,
        /// That of what was downloaded.
        found: String,
    },
    /// The file can't be written.
    #[error("{} can't be written; free space there, or set dataset.config.dir to another folder", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl FetchError {
    /// The key of `[dataset.config]` to change.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Absent { .. } => "download",
            Self::Unwritable { .. } => "dir",
            Self::Unreachable { .. }
            | Self::Status { .. }
            | Self::NoHeader { .. }
            | Self::Size { .. }
            | Self::Sha256 { .. } => "base_url",
        }
    }
}

fn list(files: &[PathBuf]) -> String {
    files
        .iter()
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}
