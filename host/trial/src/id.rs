//! A trial's name: the hash of everything that is meant to decide its outcome.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Recipe, canonical::canonical_hash};

/// Sixteen hexadecimal digits: the first 64 bits of the SHA-256 of the
/// recipe's canonical JSON. Two recipes share an id only if they are equal, for
/// any sweep that fits on a disk.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrialId(String);

impl TrialId {
    /// The id of `recipe`.
    pub fn of(recipe: &Recipe) -> Self {
        let value = serde_json::to_value(recipe).expect("a recipe is plain data");
        Self(canonical_hash(&value))
    }

    /// The bits of the hash as a number, for whatever is to differ from trial to trial.
    pub fn number(&self) -> u64 {
        u64::from_str_radix(&self.0, 16).unwrap_or_default()
    }

    /// The digits, as they name the trial's directory.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TrialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
