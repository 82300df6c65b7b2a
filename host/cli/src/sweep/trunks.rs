//! Which branches may begin.

use std::collections::{BTreeMap, HashMap};

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
    /// How many trials are still to leave it after a step.
    leaving: BTreeMap<u64, usize>,
}

impl Trunks {
    /// `trunks`, which some of the trials `pending` leave.
    pub(super) fn of(trunks: &[Trial], pending: &[Trial]) -> Self {
        let trunk = |trial: &Trial| {
            let trunk = Trunk {
                branches: trial.dir.branches(),
                looked: false,
                waiting: usize::MAX,
                leaving: BTreeMap::new(),
            };
            (trial.spec.id.clone(), trunk)
        };
        let mut trunks: HashMap<_, _> = trunks.iter().map(trunk).collect();
        for (id, step) in pending.iter().filter_map(|trial| trial.spec.branch()) {
            if let Some(trunk) = trunks.get_mut(id) {
                *trunk.leaving.entry(step).or_default() += 1;
            }
        }
        Self(trunks)
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

    /// `trial`, which has its result, leaves its trunk no more.
    pub(super) fn left(&mut self, trial: &Trial) {
        let Some((id, step)) = trial.spec.branch() else {
            return;
        };
        let leaving = self.0.get_mut(id).map(|trunk| &mut trunk.leaving);
        if let Some(count) = leaving.and_then(|leaving| leaving.get_mut(&step)) {
            *count = count.saturating_sub(1);
        }
    }

    /// Removes the checkpoints of trunk `id` that no trial is still to leave from, save
    /// the last, which a larger budget goes on from.
    pub(super) fn clear(&self, id: &TrialId) {
        let Some(Trunk {
            branches, leaving, ..
        }) = self.0.get(id)
        else {
            return;
        };
        for step in branches.steps().into_iter().skip(1) {
            if leaving.get(&step).is_none_or(|&count| count == 0) {
                branches.remove(step);
            }
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
