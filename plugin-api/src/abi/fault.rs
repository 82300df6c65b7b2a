//! What went wrong inside a plugin, as it crosses the boundary.

use serde::{Deserialize, Serialize};

use crate::Error;

/// Crosses as JSON, so that kinds can be added without a new ABI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// It panicked.
    Panic {
        /// The panic's message.
        message: String,
        /// Source file.
        file: String,
        /// Line in it.
        line: u32,
    },
    /// It refuses its configuration.
    Config {
        /// The dotted key, where it is known.
        key: Option<String>,
        /// What was found, what is accepted.
        message: String,
    },
    /// It returned an error.
    Error {
        /// The error's message.
        message: String,
    },
}

impl Fault {
    pub(crate) fn encode(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what a shim encoded; foreign text becomes an error with that text.
    pub fn decode(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|_| Self::Error {
            message: text.to_owned(),
        })
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error.key() {
            Some(key) => Self::Config {
                key: Some(key.to_owned()),
                message: error.message().to_owned(),
            },
            None => Self::Error {
                message: error.message().to_owned(),
            },
        }
    }
}
