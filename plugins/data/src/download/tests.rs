//! Downloads from a server that cuts, redirects, refuses and lies.

use super::*;
use crate::loopback::{Answer, Nobody, Server, impatient};

/// 100 kB in which every place is different from its neighbours.
fn official() -> Vec<u8> {
    (0..25_000_u32).flat_map(u32::to_le_bytes).collect()
}

struct Bench {
    folder: tempfile::TempDir,
    server: Server,
}

impl Bench {
    /// A server that announces the official file and answers the requests
    /// for it in turn.
    fn new(answers: &[Answer]) -> Self {
        let body = official();
        let announced = (body.len() as u64, Digest::of(&body).to_string());
        let server = Server::start(body, Some(announced), answers.to_vec());
        Self {
            folder: tempfile::tempdir().unwrap(),
            server,
        }
    }

    fn fetch(&self) -> Result<(), FetchError> {
        let to = self.folder.path().join("file");
        impatient().fetch(&self.server.url(), Expected::Linked, &to)
    }

    fn part(&self) -> Option<Vec<u8>> {
        fs::read(self.folder.path().join("file.part")).ok()
    }

    fn check_whole(&self) {
        assert!(fs::read(self.folder.path().join("file")).unwrap() == official());
        assert_eq!(self.part(), None);
    }
}

#[test]
fn a_file_is_fetched_once() {
    let bench = Bench::new(&[Answer::Range]);
    bench.fetch().unwrap();
    bench.check_whole();
    bench.fetch().unwrap();
    assert_eq!(bench.server.ranges(), ["bytes=0-"]);
}

#[test]
fn a_cut_connection_is_resumed_where_it_broke() {
    let bench = Bench::new(&[Answer::CutAfter(30_000), Answer::CutAfter(1), Answer::Range]);
    bench.fetch().unwrap();
    bench.check_whole();
    assert_eq!(
        bench.server.ranges(),
        ["bytes=0-", "bytes=30000-", "bytes=30001-"]
    );
}

#[test]
fn a_later_run_goes_on_from_what_an_earlier_one_left() {
    let bench = Bench::new(&[
        Answer::CutAfter(70_000),
        Answer::Status(500),
        Answer::Status(500),
        Answer::Status(500),
        Answer::Range,
    ]);
    let error = bench.fetch().unwrap_err();
    assert!(
        matches!(error, FetchError::Status { status: 500, .. }),
        "{error}"
    );
    assert_eq!(bench.part().unwrap(), official()[..70_000]);
    bench.fetch().unwrap();
    bench.check_whole();
    assert_eq!(bench.server.ranges().last().unwrap(), "bytes=70000-");
}

#[test]
fn a_server_without_ranges_starts_over() {
    let bench = Bench::new(&[Answer::CutAfter(5000), Answer::Whole]);
    bench.fetch().unwrap();
    bench.check_whole();
}

#[test]
fn redirections_are_followed_with_the_range() {
    let bench = Bench::new(&[Answer::CutAfter(5000), Answer::Redirect, Answer::Range]);
    bench.fetch().unwrap();
    bench.check_whole();
    assert_eq!(
        bench.server.ranges(),
        ["bytes=0-", "bytes=5000-", "bytes=5000-"]
    );
}

#[test]
fn a_passing_failure_is_waited_out() {
    let bench = Bench::new(&[Answer::Status(503), Answer::Status(429), Answer::Range]);
    bench.fetch().unwrap();
    bench.check_whole();
}

#[test]
fn a_refusal_is_final() {
    let bench = Bench::new(&[Answer::Status(404), Answer::Range]);
    let error = bench.fetch().unwrap_err();
    assert!(
        matches!(error, FetchError::Status { status: 404, .. }),
        "{error}"
    );
    assert_eq!(bench.server.ranges().len(), 1);
}

#[test]
fn another_content_is_thrown_away() {
    let mut body = official();
    body[54_321] ^= 1;
    let announced = (body.len() as u64, Digest::of(&official()).to_string());
    let server = Server::start(body, Some(announced), vec![Answer::Range]);
    let bench = Bench {
        folder: tempfile::tempdir().unwrap(),
        server,
    };
    let error = bench.fetch().unwrap_err();
    assert!(matches!(error, FetchError::Sha256 { .. }), "{error}");
    assert_eq!(bench.part(), None);
    assert!(!bench.folder.path().join("file").exists());
}

#[test]
fn another_size_is_refused() {
    let check = |body: Vec<u8>, answer: Answer, expected: u64| {
        let announced = (100_000, Digest::of(&official()).to_string());
        let server = Server::start(body, Some(announced), vec![answer]);
        let bench = Bench {
            folder: tempfile::tempdir().unwrap(),
            server,
        };
        let error = bench.fetch().unwrap_err();
        assert!(
            matches!(error, FetchError::Size { expected: 100_000, found, .. } if found == expected),
            "{error}"
        );
        assert!(!bench.folder.path().join("file").exists());
    };
    let longer = [official(), vec![7; 50]].concat();
    check(longer.clone(), Answer::Range, 100_050);
    check(longer, Answer::Whole, 100_001);
    check(official()[..99_000].to_vec(), Answer::Range, 99_000);
}

#[test]
fn a_left_over_that_is_too_long_is_no_beginning() {
    let bench = Bench::new(&[Answer::Range]);
    fs::write(bench.folder.path().join("file.part"), vec![1; 200_000]).unwrap();
    bench.fetch().unwrap();
    bench.check_whole();
}

#[test]
fn a_server_that_announces_nothing_is_not_trusted() {
    let server = Server::start(official(), None, vec![Answer::Range]);
    let bench = Bench {
        folder: tempfile::tempdir().unwrap(),
        server,
    };
    let error = bench.fetch().unwrap_err();
    assert!(
        matches!(error, FetchError::NoHeader { header: SIZE, .. }),
        "{error}"
    );
}

#[test]
fn being_offline_is_said_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = Nobody::listens();
    let error = impatient()
        .fetch(
            &format!("{}/x", nobody.url()),
            Expected::Linked,
            &folder.path().join("x"),
        )
        .unwrap_err();
    assert!(
        matches!(error, FetchError::Unreachable { received: 0, .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("dataset.config.base_url"),
        "{error}"
    );
}

#[test]
fn a_published_content_needs_no_announcement() {
    let check = |content: Content, found: Option<&str>| {
        let server = Server::start(
            official(),
            None,
            vec![Answer::CutAfter(40_000), Answer::Range],
        );
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("file");
        let result = impatient().fetch(&server.url(), Expected::Known(content), &to);
        match (result, found) {
            (Ok(()), None) => assert!(fs::read(&to).unwrap() == official()),
            (Err(error), Some(words)) => assert!(error.to_string().contains(words), "{error}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(to.exists(), found.is_none());
    };
    let content = Content {
        size: 100_000,
        sha256: Digest::of(&official()),
    };
    check(content, None);
    let size = 100_001;
    check(
        Content { size, ..content },
        Some("is 100000 bytes long, expected 100001"),
    );
    let sha256 = Digest::of(b"another");
    check(Content { sha256, ..content }, Some("has sha256"));
}
