//! What the datasets of the reference plugins share: a [`cache`] folder, files
//! by their [`digest`], a [`download`] that goes on where it broke, lines of
//! [`progress`], and [`hash`]es as the only source of chance.
//!
//! Nothing here knows libtorch or the host.

pub mod cache;
pub mod digest;
pub mod download;
mod error;
pub mod hash;
#[cfg(any(test, feature = "loopback"))]
pub mod loopback;
pub mod progress;

pub use cache::Cache;
pub use digest::Digest;
pub use download::{FetchError, Fetcher};
pub use error::FileError;
