//! The one place where a configuration's text becomes an author's type.

use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// Parses a configuration; the error names the key, where it is known.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let mut message = error.into_inner().to_string();
        // serde_json adds the place in a text that the author of a manifest never saw.
        if let Some(end) = message.find(" at line ") {
            message.truncate(end);
        }
        match path.as_str() {
            "." => Error::new(message),
            key => Error::config(key, message),
        }
    })
}
