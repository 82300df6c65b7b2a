//! The parts of a trial.

use serde::{Deserialize, Serialize};

/// The part of a trial during which something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Opening a library.
    Load,
    /// Constructing model, dataset or loss.
    Build,
    /// Making a batch.
    Batch,
    /// A forward pass.
    Forward,
    /// Computing the loss.
    Loss,
    /// The backward pass.
    Backward,
    /// The optimizer's update.
    Update,
    /// Held-out evaluation.
    Evaluate,
    /// Dropping a plugin's objects.
    Drop,
    /// Saving or reading a checkpoint.
    Checkpoint,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Load => "load",
            Self::Build => "build",
            Self::Batch => "batch",
            Self::Forward => "forward",
            Self::Loss => "loss",
            Self::Backward => "backward",
            Self::Update => "update",
            Self::Evaluate => "evaluate",
            Self::Drop => "drop",
            Self::Checkpoint => "checkpoint",
        })
    }
}

impl Phase {
    const ALL: [Self; 10] = [
        Self::Load,
        Self::Build,
        Self::Batch,
        Self::Forward,
        Self::Loss,
        Self::Backward,
        Self::Update,
        Self::Evaluate,
        Self::Drop,
        Self::Checkpoint,
    ];

    /// Its number in a [`Pulse`](crate::Pulse).
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_has_its_number() {
        for (number, phase) in (0..).zip(Phase::ALL) {
            assert_eq!(phase.code(), number);
            assert_eq!(Phase::from_code(number), Some(phase));
        }
        assert_eq!(Phase::from_code(10), None);
    }
}
