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
    },
    /// An argument; all of it is one place.
    Set { argument: Arc<str> },
}

impl<'t> Text<'t> {
    pub(super) fn file(path: &Path, text: &'t str, layer: usize) -> Self {
        Self::File {
            path: Arc::from(path),
            text,
            layer,
        }
    }

    pub(super) fn at(&self, offset: usize) -> Origin {
        match self {
            Self::Set { argument } => Origin::Set {
                argument: argument.clone(),
            },
            Self::File { path, text, layer } => {
                let before = text.get(..offset).unwrap_or(text);
                let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
                Origin::File {
                    path: path.clone(),
                    line: before.matches('\n').count() + 1,
                    column: before[line_start..].chars().count() + 1,
                    layer: *layer,
                }
            }
        }
    }
}
