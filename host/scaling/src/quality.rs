//! Which runs are fitted.
//!
//! No run disappears: each one that is left out keeps its position and a reason.

use serde::{Deserialize, Serialize};

use crate::run::Run;

/// Passes over the data beyond which a run is left out by default: up to about
/// four, repeated data is nearly worth new data (Muennighoff et al. 2023).
pub const MAX_REPEATS: f64 = 4.0;

/// A run that no fit uses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Position in the list that was analysed.
    pub run: usize,
    /// Why.
    pub reason: LeftOutReason,
}

/// Why a run is left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LeftOutReason {
    /// The data was repeated too often.
    #[error("saw its data {repeats:.1} times, more than {limit}")]
    Repeated {
        /// Passes over the data.
        repeats: f64,
        /// Most that are accepted.
        limit: f64,
    },
    /// The same row again.
    #[error("the same as run {of}")]
    Duplicate {
        /// Position of the run that is kept.
        of: usize,
    },
}

/// Splits runs into those to fit and those left out. `limit` is the largest
/// number of passes over the data; `None` accepts any.
pub(crate) fn screen(runs: &[Run], limit: Option<f64>) -> (Vec<(usize, &Run)>, Vec<LeftOut>) {
    let mut kept: Vec<(usize, &Run)> = Vec::new();
    let mut left_out = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        let repeated = run
            .repeats()
            .zip(limit)
            .filter(|(repeats, limit)| repeats > limit)
            .map(|(repeats, limit)| LeftOutReason::Repeated { repeats, limit });
        let duplicate = || {
            kept.iter()
                .find(|(_, other)| is_same(run, other))
                .map(|&(of, _)| LeftOutReason::Duplicate { of })
        };
        match repeated.or_else(duplicate) {
            Some(reason) => left_out.push(LeftOut { run: index, reason }),
            None => kept.push((index, run)),
        }
    }
    (kept, left_out)
}

fn is_same(a: &Run, b: &Run) -> bool {
    let numbers = |run: &Run| [run.n, run.d, run.c, run.loss].map(f64::to_bits);
    a.seed == b.seed && numbers(a) == numbers(b)
}

#[cfg(test)]
mod tests;
