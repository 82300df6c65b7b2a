//! Downloads one large file: by one process at a time, from where an earlier
//! attempt stopped, and under its own name only once its size and SHA-256 are
//! the expected ones.

mod error;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::thread;
use std::time::Duration;

use ureq::config::ConfigBuilder;
use ureq::http::{HeaderMap, Response, StatusCode};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::typestate::AgentScope;
use ureq::{Agent, Body};

use crate::cache::{Lock, beside, publish};
use crate::digest::Digest;
use crate::progress::Progress;

pub use error::FetchError;

/// A hub's header for the size in bytes of a file that lives elsewhere.
const SIZE: &str = "X-Linked-Size";
/// The hub's header for its SHA-256, in quotation marks.
const SHA256: &str = "X-Linked-Etag";

/// An HTTP client with patience.
#[derive(Debug)]
pub struct Fetcher {
    pub(crate) agent: Agent,
    /// Failures in a row, without a byte between them, before giving up.
    pub(crate) attempts: u32,
    /// Rest after a first failure; it doubles with each further one.
    pub(crate) pause: Duration,
}

/// What a file should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// Bytes.
    pub size: u64,
    /// Digest of all of them.
    pub sha256: Digest,
}

/// How it is known what a file should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It was published.
    Known(Content),
    /// The server says so, in the headers `X-Linked-Size` and `X-Linked-Etag` of
    /// its answer to HEAD, as the Hugging Face hub does.
    Linked,
}

/// The client's settings: the system's certificates and proxy, and time limits
/// on silence but none on a download that goes on.
pub(crate) fn settings() -> ConfigBuilder<AgentScope> {
    Agent::config_builder()
        .tls_config(
            TlsConfig::builder()
                .root_certs(RootCerts::PlatformVerifier)
                .build(),
        )
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_recv_response(Some(Duration::from_mins(1)))
        .timeout_per_read(Some(Duration::from_mins(1)))
        .http_status_as_error(false)
        .accept_encoding("identity")
        .user_agent(concat!("flops-fit/", env!("CARGO_PKG_VERSION")))
}

impl Default for Fetcher {
    fn default() -> Self {
        Self::new()
    }
}

impl Fetcher {
    /// Five attempts, the first pause one second.
    pub fn new() -> Self {
        Self {
            agent: settings().build().new_agent(),
            attempts: 5,
            pause: Duration::from_secs(1),
        }
    }

    /// Makes sure that `to` is there and whole. A file that is there already is
    /// taken as it is.
    pub fn fetch(&self, url: &str, expected: Expected, to: &Path) -> Result<(), FetchError> {
        let unwritable = |source| FetchError::Unwritable {
            path: to.to_path_buf(),
            source,
        };
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(unwritable)?;
        }
        let _lock = Lock::of(to).map_err(unwritable)?;
        if to.exists() {
            return Ok(());
        }
        let content = match expected {
            Expected::Known(content) => content,
            Expected::Linked => self.linked(url)?,
        };
        let partial = beside(to, "part");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&partial)
            .map_err(unwritable)?;
        self.complete(url, &content, &mut file, to)?;
        file.rewind().map_err(unwritable)?;
        let found = Digest::of_reader(&mut file, |_| ()).map_err(unwritable)?;
        if found != content.sha256 {
            fs::remove_file(&partial).map_err(unwritable)?;
            return Err(FetchError::Sha256 {
                url: url.to_owned(),
                expected: content.sha256.to_string(),
                found: found.to_string(),
            });
        }
        publish(&file, &partial, to).map_err(unwritable)
    }

    /// Asks for the size and digest. They come with the hub's own answer, a
    /// redirection to where the file lives, and not with the file.
    fn linked(&self, url: &str) -> Result<Content, FetchError> {
        let response = self.patiently(url, 0, || {
            self.agent
                .head(url)
                .config()
                .max_redirects(0)
                .max_redirects_will_error(false)
                .build()
                .call()
        })?;
        let status = response.status();
        if !(status.is_success() || status.is_redirection()) {
            return Err(FetchError::Status {
                url: url.to_owned(),
                status: status.as_u16(),
            });
        }
        let missing = |header| FetchError::NoHeader {
            url: url.to_owned(),
            header,
        };
        Ok(Content {
            size: header(response.headers(), SIZE)
                .and_then(|size| size.parse().ok())
                .ok_or_else(|| missing(SIZE))?,
            sha256: header(response.headers(), SHA256)
                .and_then(|etag| Digest::parse(etag.trim_matches('"')))
                .ok_or_else(|| missing(SHA256))?,
        })
    }

    /// Makes a request again while the network or the server fails.
    fn patiently(
        &self,
        url: &str,
        received: u64,
        request: impl Fn() -> Result<Response<Body>, ureq::Error>,
    ) -> Result<Response<Body>, FetchError> {
        let mut attempt = 1;
        loop {
            let result = request();
            let last = attempt >= self.attempts;
            match result {
                Ok(response) if last || !is_passing(response.status()) => return Ok(response),
                Err(source) if last => {
                    return Err(FetchError::Unreachable {
                        url: url.to_owned(),
                        received,
                        source,
                    });
                }
                _ => thread::sleep(self.pause * (1 << (attempt - 1))),
            }
            attempt += 1;
        }
    }

    /// Downloads what `file` lacks.
    fn complete(
        &self,
        url: &str,
        content: &Content,
        file: &mut File,
        to: &Path,
    ) -> Result<(), FetchError> {
        let unwritable = |source| FetchError::Unwritable {
            path: to.to_path_buf(),
            source,
        };
        let wrong_size = |found| FetchError::Size {
            url: url.to_owned(),
            expected: content.size,
            found,
        };
        let mut have = file.metadata().map_err(unwritable)?.len();
        let what = format!("downloading {}", to.display());
        let mut progress = Progress::new(what, have, content.size);
        let mut fruitless = 0;
        while have != content.size {
            if have > content.size {
                // What an earlier attempt left is no beginning of this file.
                file.set_len(0).map_err(unwritable)?;
                have = 0;
            }
            let range = format!("bytes={have}-");
            let response = self.patiently(url, have, || {
                self.agent.get(url).header("Range", &range).call()
            })?;
            match response.status() {
                StatusCode::PARTIAL_CONTENT => {
                    let (start, total) =
                        content_range(response.headers()).ok_or_else(|| FetchError::NoHeader {
                            url: url.to_owned(),
                            header: "Content-Range",
                        })?;
                    if total != content.size {
                        return Err(wrong_size(total));
                    }
                    if start != have {
                        return Err(FetchError::NoHeader {
                            url: url.to_owned(),
                            header: "Content-Range",
                        });
                    }
                }
                // A server that knows no ranges begins at the beginning.
                StatusCode::OK => {
                    file.set_len(0).map_err(unwritable)?;
                    have = 0;
                }
                StatusCode::RANGE_NOT_SATISFIABLE => return Err(wrong_size(have)),
                status => {
                    return Err(FetchError::Status {
                        url: url.to_owned(),
                        status: status.as_u16(),
                    });
                }
            }
            file.seek(io::SeekFrom::Start(have)).map_err(unwritable)?;
            let before = have;
            // One byte too many is enough to know that there are too many.
            let mut body = response
                .into_body()
                .into_reader()
                .take(content.size + 1 - have);
            let failure = copy(&mut body, file, |bytes| {
                have += bytes;
                progress.advance(bytes);
            })
            .map_err(unwritable)?;
            if have > content.size {
                file.set_len(0).map_err(unwritable)?;
                return Err(wrong_size(have));
            }
            fruitless = if have > before { 0 } else { fruitless + 1 };
            if fruitless >= self.attempts {
                let source = failure
                    .unwrap_or(io::ErrorKind::UnexpectedEof.into())
                    .into();
                return Err(FetchError::Unreachable {
                    url: url.to_owned(),
                    received: have,
                    source,
                });
            }
        }
        Ok(())
    }
}

/// Copies until the end or until reading fails; only a failure to write is an
/// error, one to read is handed back for the caller to try again.
fn copy(
    from: &mut impl io::Read,
    to: &mut File,
    mut copied: impl FnMut(u64),
) -> io::Result<Option<io::Error>> {
    let mut buffer = vec![0; 1 << 17];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(None),
            Ok(length) => {
                to.write_all(&buffer[..length])?;
                copied(length as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Ok(Some(error)),
        }
    }
}

/// Whether a status may be gone in a moment.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// First byte and total size of a `Content-Range: bytes 10-99/100` header.
fn content_range(headers: &HeaderMap) -> Option<(u64, u64)> {
    let (range, total) = header(headers, "Content-Range")?
        .strip_prefix("bytes ")?
        .split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.parse().ok()?, total.parse().ok()?))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
