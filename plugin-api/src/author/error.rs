//! What a plugin returns when something is wrong.

use std::fmt;

/// A result whose error may come from any crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of a plugin: a sentence, and the configuration key it is about if
/// it is about one. Every [`std::error::Error`] converts into it, so `?` works
/// on tch, I/O and your own errors alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    key: Option<String>,
    message: String,
}

impl Error {
    /// Something went wrong; say what, with what, and how to mend it.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            key: None,
            message: message.into(),
        }
    }

    /// The configuration's `key` has a value that can't be used. The host adds
    /// the manifest's file and line.
    pub fn config(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            key: Some(key.into()),
            message: message.into(),
        }
    }

    /// The configuration key it is about.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The sentence.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{key}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(next) = cause {
            message.push_str(": ");
            message.push_str(&next.to_string());
            cause = next.source();
        }
        Self::new(message)
    }
}
