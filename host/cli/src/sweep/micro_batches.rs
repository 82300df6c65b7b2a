//! Micro-batches that were found to fit where a whole batch did not.

use std::collections::HashMap;

use flops_fit_trial::TrialSpec;

/// The largest by size of the model and kind of device, as far as a run has found out.
///
/// Trials of one size need the same memory, so none of them has to run out of it again. One
/// that needed less had others beside it on its device: the rest need not be slower for
/// that. Another size is asked for itself.
#[derive(Debug, Default)]
pub struct MicroBatches(HashMap<(u64, String), u64>);

impl MicroBatches {
    /// `spec` was trained to its end: what it needed several attempts for is known.
    pub(super) fn learn(&mut self, spec: &TrialSpec) {
        if let Some(micro) = spec.run.micro_batch.filter(|_| spec.run.attempt > 0) {
            let known = self.0.entry(key(spec)).or_insert(micro);
            *known = micro.max(*known);
        }
    }

    /// What a trial or trunk of `spec` begins with.
    pub(super) fn first(&self, spec: &TrialSpec) -> Option<u64> {
        let batch = spec.recipe.train.batch_examples;
        let known = self.0.get(&key(spec)).filter(|&&micro| micro < batch);
        spec.run.micro_batch.into_iter().chain(known.copied()).min()
    }
}

fn key(spec: &TrialSpec) -> (u64, String) {
    let device = spec.run.devices.first().map_or("", String::as_str);
    let kind = device.split(':').next().unwrap_or_default();
    (spec.run.declared_n, kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::retry::tests::spec_on;

    #[test]
    fn the_largest_that_was_enough_serves() {
        let mut known = MicroBatches::default();
        // The batch has 12 examples.
        let mut learn = |micro, attempt| {
            let mut spec = spec_on(&["cuda:1"], Some(micro));
            spec.run.attempt = attempt;
            known.learn(&spec);
            known.first(&spec_on(&["cuda:0"], None))
        };
        // What a trial has had from the start is no finding.
        assert_eq!(learn(6, 0), None);
        assert_eq!(learn(3, 1), Some(3));
        assert_eq!(learn(2, 2), Some(3));
        assert_eq!(learn(4, 1), Some(4));
        assert_eq!(known.first(&spec_on(&["cuda:0"], Some(2))), Some(2));
        assert_eq!(known.first(&spec_on(&["cpu"], None)), None);
        let mut other = spec_on(&["cuda:0"], None);
        other.run.declared_n += 1;
        assert_eq!(known.first(&other), None);
    }
}
