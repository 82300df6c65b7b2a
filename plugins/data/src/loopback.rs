//! A server on the loopback interface that misbehaves as told, and a client with
//! little patience, for the tests of downloading.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::download::{Fetcher, settings};

/// Three attempts without a pause, and no proxy that the machine may have: the
/// server is here.
pub fn impatient() -> Fetcher {
    Fetcher {
        agent: settings().proxy(None).build().new_agent(),
        attempts: 3,
        pause: Duration::from_millis(1),
    }
}

/// How the server answers one GET.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// The range that was asked for.
    Range,
    /// All of the file, whatever was asked for.
    Whole,
    /// The range that was asked for, but the connection ends after so many bytes.
    CutAfter(usize),
    /// This status and no file.
    Status(u16),
    /// "It is there now", meaning the next answer.
    Redirect,
}

/// One file, its announcement, and answers to the GETs for it in turn; when
/// they are used up the last one stays.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    ranges: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Serves `body`, announced with this size and SHA-256 if any.
    pub fn start(body: Vec<u8>, announced: Option<(u64, String)>, answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback interface has a port");
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");
        let ranges = Arc::new(Mutex::new(Vec::new()));
        let seen = ranges.clone();
        // The thread ends with the test process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut seen = seen.lock().expect("no test panics while it looks");
                // A client that is gone is the client's affair.
                let _ = serve(stream, &body, announced.as_ref(), &answers, &mut seen);
            }
        });
        Self { address, ranges }
    }

    /// Where the file is.
    pub fn url(&self) -> String {
        format!("http://{}/file", self.address)
    }

    /// The Range headers of the GETs so far.
    pub fn ranges(&self) -> Vec<String> {
        self.ranges
            .lock()
            .expect("the server does not panic")
            .clone()
    }
}

/// An address of this machine on which nobody listens, as long as this is there.
#[derive(Debug)]
pub struct Nobody {
    /// Holds the port, at another address of the loopback network.
    taken: TcpListener,
}

impl Nobody {
    /// Takes a port.
    ///
    /// # Panics
    /// If there is none.
    pub fn listens() -> Self {
        let taken = TcpListener::bind("127.0.0.1:0").expect("the loopback interface has a port");
        Self { taken }
    }

    /// Where nobody answers.
    ///
    /// # Panics
    /// Never: a bound listener has an address.
    pub fn url(&self) -> String {
        let address = self.taken.local_addr();
        let port = address.expect("a bound listener has an address").port();
        format!("http://127.0.0.2:{port}")
    }
}

fn serve(
    stream: TcpStream,
    body: &[u8],
    announced: Option<&(u64, String)>,
    answers: &[Answer],
    ranges: &mut Vec<String>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    for line in BufReader::new(&stream).lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let Some(request) = head.first() else {
        // Somebody else came by, and asked for nothing.
        return Ok(());
    };
    let mut stream = stream;
    let common = "Connection: close\r\n";
    if request.starts_with("HEAD") {
        let linked = announced.map_or(String::new(), |(size, sha256)| {
            format!("X-Linked-Size: {size}\r\nX-Linked-Etag: \"{sha256}\"\r\n")
        });
        return write!(
            stream,
            "HTTP/1.1 302 Found\r\nLocation: /there\r\n{linked}{common}\r\n"
        );
    }
    let range = head
        .iter()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("range"))
        .map_or_else(String::new, |(_, range)| range.to_owned());
    let start = range
        .trim_start_matches("bytes=")
        .trim_end_matches('-')
        .parse()
        .unwrap_or(0);
    let answer = answers.get(ranges.len()).or(answers.last()).copied();
    ranges.push(range);
    let total = body.len();
    match answer {
        None | Some(Answer::Whole) => {
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {total}\r\n{common}\r\n"
            )?;
            stream.write_all(body)
        }
        Some(Answer::Status(status)) => {
            write!(
                stream,
                "HTTP/1.1 {status} So\r\nContent-Length: 0\r\n{common}\r\n"
            )
        }
        Some(Answer::Redirect) => {
            write!(
                stream,
                "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n{common}\r\n"
            )
        }
        Some(Answer::Range | Answer::CutAfter(_)) if start >= total => {
            write!(
                stream,
                "HTTP/1.1 416 Beyond\r\nContent-Length: 0\r\n{common}\r\n"
            )
        }
        Some(Answer::Range | Answer::CutAfter(_)) => {
            let rest = &body[start..];
            write!(
                stream,
                "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {start}-{}/{total}\r\n\
                 Content-Length: {}\r\n{common}\r\n",
                total - 1,
                rest.len()
            )?;
            let sent = match answer {
                Some(Answer::CutAfter(bytes)) => bytes.min(rest.len()),
                _ => rest.len(),
            };
            stream.write_all(&rest[..sent])
        }
    }
}
