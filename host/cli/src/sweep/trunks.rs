//! Which branches may begin.

use std::collections::HashMap;

use flops_fit_trial::{CheckpointDir, TrialId};

use super::Trial;

/// The trunks that trials of this run leave.
pub(super) struct Trunks(HashMap<TrialId, Trunk>);

struct Trunk {
    branches: CheckpointDir,
    /// Whether its worker has set aside what can't be used.
    looked: bool,
    /// Branches that waited for it when it last ended.
    waiting: usize,
}

impl Trunks {
    pub(super) fn of(trunks: &[Trial]) -> Self {
        let trunk = |trial: &Trial| {
            let trunk = Trunk {
                branches: trial.dir.branches(),
                looked: false,
                waiting: usize::MAX,
            };
            (trial.spec.id.clone(), trunk)
        };
        Self(trunks.iter().map(trunk).collect())
    }

    /// Whether `trial` can begin: there is what it begins from.
    pub(super) fn lets_begin(&self, trial: &Trial) -> bool {
        let Some((id, step)) = trial.spec.branch() else {
            return true;
        };
        self.0
            .get(id)
            .is_none_or(|trunk| trunk.looked && trunk.branches.has(step))
    }

    /// The worker of trunk `id` trains or has ended: it has looked at what is there.
    pub(super) fn looked(&mut self, id: &TrialId) {
        if let Some(trunk) = self.0.get_mut(id) {
            trunk.looked = true;
        }
    }

    /// Whether fewer branches, `waiting`, wait for trunk `id` than when it last ended.
    pub(super) fn has_advanced(&mut self, id: &TrialId, waiting: usize) -> bool {
        self.0.get_mut(id).is_some_and(|trunk| {
            let before = std::mem::replace(&mut trunk.waiting, waiting);
            waiting < before
        })
    }
}
