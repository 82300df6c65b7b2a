//! Which branches may begin, and which places to begin from are needed no more.

use std::collections::{BTreeMap, HashMap};

use flops_fit_trial::{CheckpointDir, TrialId};

use super::Trial;

/// How many trials without a result are still to leave a trunk after a step.
pub(crate) type Leaving = BTreeMap<u64, usize>;

/// The trunks of the sweep.
pub(super) struct Trunks(HashMap<TrialId, Trunk>);

struct Trunk {
    branches: CheckpointDir,
    /// Whether its worker has set aside what can't be used.
    looked: bool,
    /// Branches that waited for it when it last ended.
    waiting: usize,
    leaving: Leaving,
}

impl Trunks {
    /// All trunks of a sweep: where branches leave them, and how many are still to.
    pub(super) fn of(trunks: Vec<(TrialId, CheckpointDir, Leaving)>) -> Self {
        let trunk = |(id, branches, leaving)| {
            let trunk = Trunk {
                branches,
                looked: false,
                waiting: usize::MAX,
                leaving,
            };
            (id, trunk)
        };
        Self(trunks.into_iter().map(trunk).collect())
    }

    /// All of them.
    pub(super) fn ids(&self) -> impl Iterator<Item = &TrialId> {
        self.0.keys()
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
        let last = branches.steps().first().copied();
        branches.retain(|step| {
            let is_left = leaving.get(&step).is_some_and(|&count| count > 0);
            is_left || Some(step) == last
        });
    }

    /// Whether fewer branches, `waiting`, wait for trunk `id` than when it last ended.
    pub(super) fn has_advanced(&mut self, id: &TrialId, waiting: usize) -> bool {
        self.0.get_mut(id).is_some_and(|trunk| {
            let before = std::mem::replace(&mut trunk.waiting, waiting);
            waiting < before
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use flops_fit_trial::TrialDir;

    use super::*;

    #[test]
    fn what_nobody_leaves_from_goes_and_the_last_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let branches = TrialDir::new(folder.path()).branches();
        fs::create_dir(branches.path()).expect("created");
        for step in [10, 20, 30, 40] {
            let index = branches.path().join(format!("{step:012}.json"));
            fs::write(index, "{}").expect("written");
        }
        let id: TrialId =
            serde_json::from_value(serde_json::json!("0123456789abcdef")).expect("an id");
        // One trial after step 10 has failed, say: it is tried again some day.
        let leaving = Leaving::from([(10, 1), (20, 0)]);
        let trunks = Trunks::of(vec![(id.clone(), branches.clone(), leaving)]);
        trunks.clear(&id);
        assert_eq!(branches.steps(), [40, 10]);
    }
}
