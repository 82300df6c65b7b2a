//! Where a value came from, so that a message can point at it.

use std::{fmt, path::Path, sync::Arc};

/// The place where a key or a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In a file; `line` and `column` count from 1, columns in characters.
    File {
        /// The file, as it was named.
        path: Arc<Path>,
        /// Line.
        line: usize,
        /// Column.
        column: usize,
        /// How near the file is to the one that was run: 0 for a file without
        /// `extends`, one more for each file that extends it.
        layer: usize,
    },
    /// On the command line.
    Set {
        /// What followed `--set`.
        argument: Arc<str>,
    },
}

impl Origin {
    /// Whether this was written over `other`: a later layer wins.
    pub(crate) fn overrides(&self, other: &Self) -> bool {
        self.layer() > other.layer()
    }

    fn layer(&self) -> usize {
        match self {
            Self::File { layer, .. } => *layer,
            Self::Set { .. } => usize::MAX,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File {
                path, line, column, ..
            } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Set { argument } => write!(f, "--set {argument}"),
        }
    }
}

/// One source text, able to turn a byte offset into a place.
#[derive(Debug, Clone)]
pub(super) enum Text<'t> {
    /// A file.
    File {
        path: Arc<Path>,
        text: &'t str,
        layer: usize,
        lines: Lines,
    },
    /// An argument; all of it is one place.
    Set { argument: Arc<str> },
}

/// Where lines begin, and how many characters come before every so many bytes:
/// a place is found without reading the text from its start, which a long list
/// would otherwise have done for each of its values.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    starts: Vec<usize>,
    characters: Vec<usize>,
}

/// Bytes between two counts of characters.
const STRIDE: usize = 64;

impl Lines {
    fn of(text: &str) -> Self {
        let newlines = text.bytes().zip(1..).filter(|(byte, _)| *byte == b'\n');
        let starts = std::iter::once(0).chain(newlines.map(|(_, next)| next));
        let mut count = 0;
        let characters = text.as_bytes().chunks(STRIDE).map(|chunk| {
            let before = count;
            count += beginnings(chunk);
            before
        });
        Self {
            characters: characters.collect(),
            starts: starts.collect(),
        }
    }

    /// Line and column of the byte at `offset`, both from 1.
    fn place(&self, text: &str, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let before = |offset: usize| {
            let from = offset / STRIDE;
            let counted = self.characters.get(from).copied().unwrap_or(0);
            let rest = text.as_bytes().get(from * STRIDE..offset);
            counted + rest.map_or(0, beginnings)
        };
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        (line, before(offset) - before(start) + 1)
    }
}

/// Characters that begin in `bytes` of a text.
fn beginnings(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| *byte & 0xc0 != 0x80).count()
}

impl<'t> Text<'t> {
    pub(super) fn file(path: &Path, text: &'t str, layer: usize) -> Self {
        Self::File {
            path: Arc::from(path),
            text,
            layer,
            lines: Lines::of(text),
        }
    }

    pub(super) fn at(&self, offset: usize) -> Origin {
        match self {
            Self::Set { argument } => Origin::Set {
                argument: argument.clone(),
            },
            Self::File {
                path,
                text,
                layer,
                lines,
            } => {
                let (line, column) = lines.place(text, offset.min(text.len()));
                Origin::File {
                    path: path.clone(),
                    line,
                    column,
                    layer: *layer,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_that_of_a_walk_from_the_start() {
        let text = "a = 1\n\nlöng = \"ü\" # ".to_owned() + &"é€x".repeat(100) + "\nb = 2\n";
        let lines = Lines::of(&text);
        for (offset, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let before = &text[..offset];
            let start = before.rfind('\n').map_or(0, |newline| newline + 1);
            let walked = (
                before.matches('\n').count() + 1,
                before[start..].chars().count() + 1,
            );
            assert_eq!(lines.place(&text, offset), walked, "{offset}");
        }
    }
}
