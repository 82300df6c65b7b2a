//! Cuts a text into blocks small enough to be tokenised apart.
//!
//! Where a block ends depends on the text alone, never on how the file was read
//! or on how many threads there are, since a tokenizer may see the difference.

use std::io::{self, Read};
use std::path::Path;

use super::{END_OF_TEXT, Layout};
use crate::data::DataError;

/// Bytes of an ordinary block.
const ORDINARY: usize = 1 << 20;
/// Bytes after which a block ends at any character.
const LARGEST: usize = 64 << 20;

/// The blocks of one file, in order.
pub(super) struct Blocks<'a, R> {
    reader: R,
    path: &'a Path,
    layout: Layout,
    /// Bytes that were read and not yielded yet.
    ahead: Vec<u8>,
    /// Where `ahead` begins in the file.
    offset: u64,
    ordinary: usize,
}

impl<'a, R: Read> Blocks<'a, R> {
    pub(super) fn new(reader: R, path: &'a Path, layout: Layout) -> Self {
        Self {
            reader,
            path,
            layout,
            ahead: Vec::new(),
            offset: 0,
            ordinary: ORDINARY,
        }
    }

    /// Reads until `ahead` has `length` bytes; false if the file ended before.
    fn fill(&mut self, length: usize) -> io::Result<bool> {
        let missing = length.saturating_sub(self.ahead.len());
        let read = self
            .reader
            .by_ref()
            .take(missing as u64)
            .read_to_end(&mut self.ahead)?;
        Ok(read == missing)
    }

    /// The characters in `ahead` that are whole.
    fn text(&self, more: bool) -> Result<&str, DataError> {
        match str::from_utf8(&self.ahead) {
            Ok(text) => Ok(text),
            Err(error) if more && error.error_len().is_none() => {
                let whole = &self.ahead[..error.valid_up_to()];
                Ok(str::from_utf8(whole).expect("this prefix was just found valid"))
            }
            Err(error) => Err(DataError::NotUtf8 {
                path: self.path.to_path_buf(),
                offset: self.offset + error.valid_up_to() as u64,
            }),
        }
    }

    fn next_block(&mut self) -> Result<Option<String>, DataError> {
        let mut length = self.ordinary;
        let end = loop {
            let more = self.fill(length).map_err(|source| DataError::Unreadable {
                path: self.path.to_path_buf(),
                source,
            })?;
            let text = self.text(more)?;
            match self.layout.cut(text) {
                _ if !more => break text.len(),
                Some(end) => break end,
                None if length >= LARGEST => break text.len(),
                None => length += self.ordinary,
            }
        };
        if end == 0 {
            return Ok(None);
        }
        let rest = self.ahead.split_off(end);
        let block = String::from_utf8(std::mem::replace(&mut self.ahead, rest))
            .expect("a prefix that ends with a character was found valid above");
        self.offset += end as u64;
        Ok(Some(block))
    }
}

impl<R: Read> Iterator for Blocks<'_, R> {
    type Item = Result<String, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_block().transpose()
    }
}

impl Layout {
    /// The last place, past the beginning, where a block may end.
    ///
    /// Plain text is cut before a line's end that follows a visible character.
    /// GPT-2's pattern never joins the two sides of such a place, and looks ahead
    /// from within white space only, so that its tokens are those of the whole.
    fn cut(self, text: &str) -> Option<usize> {
        match self {
            Self::Plain => text
                .rmatch_indices(['\n', '\r'])
                .map(|(at, _)| at)
                .find(|&at| {
                    text[..at]
                        .chars()
                        .next_back()
                        .is_some_and(|c| !c.is_whitespace())
                }),
            Self::Documents => text.rfind(END_OF_TEXT).map(|at| at + END_OF_TEXT.len()),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn blocks(text: &[u8], layout: Layout, ordinary: usize) -> Result<Vec<String>, DataError> {
        let mut blocks = Blocks::new(text, Path::new("a.txt"), layout);
        blocks.ordinary = ordinary;
        blocks.collect()
    }

    #[test]
    fn plain_text_is_cut_before_line_ends_after_visible_characters() {
        let check = |text: &str, ordinary, expected: &[&str]| {
            assert_eq!(
                blocks(text.as_bytes(), Layout::Plain, ordinary).unwrap(),
                expected
            );
        };
        check("one\ntwo\nthree\n", 9, &["one\ntwo", "\nthree\n"]);
        check("one\r\ntwo\r\nthree", 11, &["one\r\ntwo", "\r\nthree"]);
        check("one\n\n\ntwo", 5, &["one", "\n\n\ntwo"]);
        check("no line end at all", 4, &["no line end at all"]);
        check("x \ny\u{a0}\nz\nw", 10, &["x \ny\u{a0}\nz", "\nw"]);
        check("", 4, &[]);
    }

    #[test]
    fn documents_stay_whole() {
        let text = format!("one\n{END_OF_TEXT}\ntwo\n{END_OF_TEXT}\nthree");
        let first = format!("one\n{END_OF_TEXT}");
        let second = format!("\ntwo\n{END_OF_TEXT}");
        let found = blocks(text.as_bytes(), Layout::Documents, 20).unwrap();
        assert_eq!(found, [first.as_str(), second.as_str(), "\nthree"]);
    }

    #[test]
    fn a_character_across_two_reads_is_no_error() {
        let text = "äöü€\nß".repeat(40);
        for ordinary in 1..24 {
            let found = blocks(text.as_bytes(), Layout::Plain, ordinary).unwrap();
            assert_eq!(found.concat(), text, "{ordinary}");
            assert!(found.len() > 1, "{ordinary}");
        }
    }

    #[test]
    fn the_first_bad_byte_is_named() {
        let check = |text: &[u8], expected| {
            for ordinary in [2, 5, 1 << 20] {
                let found = blocks(text, Layout::Plain, ordinary);
                assert!(
                    matches!(found, Err(DataError::NotUtf8 { offset, .. }) if offset == expected),
                    "{found:?}"
                );
            }
        };
        check(b"one\ntwo\nth\xffree\n", 10);
        check(b"one\ncut off: \xe2\x82", 13);
        check(b"\x80", 0);
    }
}
