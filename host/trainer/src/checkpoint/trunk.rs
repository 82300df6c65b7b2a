//! How far one process grows a trunk, and from where.
//!
//! Branches are asked for at any time, also between or before those that have left
//! already. One process trains one stretch: from the nearest checkpoint before the first
//! missing branch point as far as the next checkpoint that is there anyway. Who asked
//! looks at what is missing then, and asks again.

use std::{collections::BTreeMap, path::PathBuf};

use flops_fit_trial::{Build, Checkpoint, CheckpointDir, DocumentError, TrialId};

use super::{Origin, SetAsideCheckpoint, Start};

/// A stretch of a trunk.
#[derive(Debug)]
pub(super) struct Growth {
    /// Where branches leave.
    pub(super) dir: CheckpointDir,
    /// Steps after which it is to be saved there, ascending; the last is its end. None
    /// where every branch point is there.
    pub(super) points: Vec<u64>,
    /// Where it begins; at step 0 where absent.
    pub(super) start: Option<Start>,
    /// Checkpoints that can't be used.
    pub(super) refused: Vec<SetAsideCheckpoint>,
}

impl Growth {
    /// The next stretch of trunk `trunk`, which branches are to leave after the steps
    /// `wanted`, ascending. `own` is the latest checkpoint of an interrupted stretch.
    pub(super) fn plan(
        dir: CheckpointDir,
        trunk: &TrialId,
        build: &Build,
        wanted: &[u64],
        own: Option<(Checkpoint, PathBuf)>,
    ) -> Result<Self, DocumentError> {
        let mut there = BTreeMap::new();
        let mut refused = Vec::new();
        for step in dir.steps() {
            let found = dir.at(step, trunk, build)?;
            refused.extend(found.refused);
            if let Some(usable) = found.usable {
                there.insert(step, Start::new(usable, Origin::Branch));
            }
        }
        let missing: Vec<u64> = wanted
            .iter()
            .copied()
            .filter(|step| !there.contains_key(step))
            .collect();
        if let Some(own) = own {
            let step = own.0.position.step;
            there
                .entry(step)
                .or_insert_with(|| Start::new(own, Origin::Own));
        }
        let stops: Vec<u64> = there.keys().copied().collect();
        let (from, points) = stretch(&stops, &missing);
        Ok(Self {
            dir,
            points,
            start: from.and_then(|step| there.remove(&step)),
            refused,
        })
    }
}

/// Of checkpoints after the steps `there` and branch points `missing`, both ascending:
/// where to begin, and what to save on the way.
fn stretch(there: &[u64], missing: &[u64]) -> (Option<u64>, Vec<u64>) {
    let Some(&first) = missing.first() else {
        return (None, Vec::new());
    };
    let from = there.iter().rev().find(|step| **step < first);
    let next = there.iter().find(|step| **step > first);
    let points = missing
        .iter()
        .copied()
        .take_while(|point| next.is_none_or(|next| point < next));
    (from.copied(), points.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_goes_from_one_checkpoint_to_the_next() {
        let check = |there: &[u64], missing: &[u64], from, points: &[u64]| {
            assert_eq!(stretch(there, missing), (from, points.to_vec()));
        };
        check(&[], &[], None, &[]);
        check(&[], &[5, 9], None, &[5, 9]);
        check(&[5, 9], &[], None, &[]);
        // Prolonged; one in between; one before.
        check(&[5, 9], &[20, 30], Some(9), &[20, 30]);
        check(&[5, 9], &[7, 20], Some(5), &[7]);
        check(&[5, 7, 9], &[20], Some(9), &[20]);
        check(&[5, 9], &[2, 7], None, &[2]);
        // Interrupted right at a branch point: trained up to there once more.
        check(&[5, 9], &[9], Some(5), &[9]);
    }
}
