//! A worker's sign of life: one byte through the socket that is its standard
//! input.
//!
//! It goes past the disk, so a full one does not make a healthy trial look dead.
//! Its absence is what the silence limit counts; its content says where the
//! worker is, which a worker that hangs or is gone can no longer write down.

use crate::{Phase, Stage};

/// Whose code a worker runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// flops-fit's own.
    Host,
    /// The model's.
    Model,
    /// The dataset's.
    Dataset,
    /// The loss's.
    Loss,
}

/// Where a worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// How far the trial is.
    pub stage: Stage,
    /// Whose code runs.
    pub part: Part,
    /// In which call.
    pub phase: Phase,
}

impl Pulse {
    /// What a parent sends to be told at once.
    pub const QUESTION: u8 = b'?';

    /// What goes before the last pulse of a worker that is made to exit; no pulse
    /// itself.
    pub const FAREWELL: u8 = 0xff;

    /// Two bits of stage, two of part, four of phase.
    pub fn encode(self) -> u8 {
        let stage = match self.stage {
            Stage::Start => 0,
            Stage::Train => 1,
            Stage::Evaluate => 2,
        };
        stage << 6 | (self.part as u8) << 4 | self.phase.code()
    }

    /// `None` if it is no byte that [`Pulse::encode`] makes: a plugin may write
    /// where it should not.
    pub fn decode(byte: u8) -> Option<Self> {
        Some(Self {
            stage: match byte >> 6 {
                0 => Stage::Start,
                1 => Stage::Train,
                2 => Stage::Evaluate,
                _ => return None,
            },
            part: match byte >> 4 & 3 {
                0 => Part::Host,
                1 => Part::Model,
                2 => Part::Dataset,
                _ => Part::Loss,
            },
            phase: Phase::from_code(byte & 15)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_says_what_was_put_in_and_foreign_ones_nothing() {
        let known = (0..=u8::MAX).filter_map(|byte| Some((byte, Pulse::decode(byte)?)));
        let mut count = 0;
        for (byte, pulse) in known {
            assert_eq!(pulse.encode(), byte);
            count += 1;
        }
        assert_eq!(count, 3 * 4 * 10);
        assert_eq!(Pulse::decode(Pulse::FAREWELL), None);
    }
}
