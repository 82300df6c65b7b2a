//! What can be wrong with a manifest. Each mistake is one sentence: where, which
//! key, what was found, what is accepted, and the fix where it isn't plain.

use std::{fmt, io, path::PathBuf};

use super::origin::Origin;

/// A manifest that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file can't be read.
    #[error("{}: {source}{}", path.display(), wanted_by.as_ref().map(|o| format!(" (wanted by `extends` at {o})")).unwrap_or_default())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Who extends it.
        wanted_by: Option<Origin>,
        /// The system's reason.
        source: io::Error,
    },
    /// The folder's name can't be written into the files that name it.
    #[error("{}: the manifest's folder has a name that is no UTF-8 text, which the plan and the results could not repeat; rename the folder", folder.display())]
    Folder {
        /// The folder, without links.
        folder: PathBuf,
    },
    /// The file is not TOML.
    #[error("{origin}: not valid TOML: {}", message.replace('\n', "; "))]
    Syntax {
        /// Where the parser stopped.
        origin: Origin,
        /// The parser's words.
        message: String,
    },
    /// A chain of `extends` that comes back to a file, or does not end.
    #[error("{origin}: extends: {} {}; the chain is {}", path.display(), if repeats(files) { "is already being read" } else { "is one file too many" }, chain(files))]
    Cycle {
        /// The `extends` that closes the circle or goes too far.
        origin: Origin,
        /// The file it names.
        path: PathBuf,
        /// The files read, outermost first.
        files: Vec<PathBuf>,
    },
    /// A `--set` without the form `key=value`.
    #[error("--set {argument}: expected key=value with a dotted key, such as --set train.lr=0.5 or --set sweep.budgets='[1e10, 1e11]'{}", detail.as_ref().map(|d| format!(" ({d})")).unwrap_or_default())]
    Set {
        /// What followed `--set`.
        argument: String,
        /// The TOML parser's words about it.
        detail: Option<String>,
    },
    /// One key is wrong.
    #[error(transparent)]
    Mistake(#[from] Box<Mistake>),
}

/// Whether the last file stands earlier in the chain.
fn repeats(files: &[PathBuf]) -> bool {
    files
        .split_last()
        .is_some_and(|(last, before)| before.contains(last))
}

fn chain(files: &[PathBuf]) -> String {
    let files: Vec<_> = files.iter().map(|f| f.display().to_string()).collect();
    files.join(" -> ")
}

/// One key is wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{origin}: {key}: {problem}")]
pub struct Mistake {
    /// Where it stands, or where it is missing.
    pub origin: Origin,
    /// The dotted key.
    pub key: String,
    /// What is wrong.
    pub problem: Problem,
}

/// A key and where it is written, for what others find wrong with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Where it stands, or what comes nearest.
    pub origin: Origin,
    /// The dotted key.
    pub key: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.key)
    }
}

/// What is wrong with a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Problem {
    /// There is no such key.
    UnknownKey {
        /// The keys that there are.
        accepted: Vec<String>,
        /// The one that was probably meant.
        nearest: Option<String>,
    },
    /// The key isn't there.
    Missing {
        /// What it should hold, with an example.
        expected: String,
    },
    /// The value is of another type, or can't be.
    Unacceptable {
        /// The value.
        found: String,
        /// What is accepted.
        expected: String,
    },
    /// The value is a word that isn't one of a few.
    UnknownWord {
        /// The word.
        found: String,
        /// The words that there are.
        accepted: Vec<String>,
        /// The one that was probably meant.
        nearest: Option<String>,
    },
    /// The plugin does not export what is named.
    UnknownKind {
        /// The plugin's name.
        plugin: String,
        /// `model`, `dataset` or `loss`.
        what: &'static str,
        /// The kind that was asked for.
        found: String,
        /// The kinds that it has.
        available: Vec<String>,
        /// The one that was probably meant.
        nearest: Option<String>,
    },
    /// Two keys that exclude each other are both given.
    Excludes {
        /// The other key.
        other: String,
        /// Where it stands.
        at: Origin,
    },
    /// A plugin's words about its own configuration.
    Refused {
        /// What refuses: `plugin flops_fit_gpt` or `model size 12`.
        by: String,
        /// Its words.
        reason: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey { accepted, nearest } => {
                f.write_str("unknown key; ")?;
                guess(f, nearest.as_deref())?;
                write!(f, "accepted here: {}", accepted.join(", "))
            }
            Self::Missing { expected } => write!(f, "missing; expected {expected}"),
            Self::Unacceptable { found, expected } => {
                write!(f, "found {found}, expected {expected}")
            }
            Self::UnknownWord {
                found,
                accepted,
                nearest,
            } => {
                write!(f, "found {found:?}; ")?;
                guess(f, nearest.as_deref())?;
                let accepted: Vec<_> = accepted.iter().map(|w| format!("{w:?}")).collect();
                write!(f, "expected one of {}", accepted.join(", "))
            }
            Self::UnknownKind {
                plugin,
                what,
                found,
                available,
                nearest,
            } => {
                write!(f, "plugin {plugin} exports no {what} {found:?}; ")?;
                guess(f, nearest.as_deref())?;
                match available.as_slice() {
                    [] => write!(
                        f,
                        "it exports no {what} at all: add one to its export_plugin!, or name another plugin"
                    ),
                    some => {
                        let kinds: Vec<_> = some.iter().map(|kind| format!("{kind:?}")).collect();
                        write!(f, "it has {}", kinds.join(", "))
                    }
                }
            }
            Self::Excludes { other, at } => {
                write!(f, "excludes `{other}` at {at}; remove one of the two")
            }
            Self::Refused { by, reason } => write!(f, "refused by {by}: {reason}"),
        }
    }
}

fn guess(f: &mut fmt::Formatter<'_>, nearest: Option<&str>) -> fmt::Result {
    match nearest {
        Some(nearest) => write!(f, "did you mean `{nearest}`? "),
        None => Ok(()),
    }
}

/// The word of `accepted` that `found` is most likely a misspelling of.
pub(crate) fn nearest<'a>(
    found: &str,
    accepted: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let plain = |word: &str| word.to_lowercase().replace(['-', '_', ' '], "");
    let found = plain(found);
    accepted
        .into_iter()
        .map(|word| {
            (
                strsim::normalized_damerau_levenshtein(&found, &plain(word)),
                word,
            )
        })
        .filter(|(similarity, _)| *similarity >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word.to_owned())
}
