//! Micro-batches that were found to fit where a whole batch did not.

use std::collections::HashMap;

use flops_fit_trial::TrialSpec;

/// The smallest by size of the model and kind of device, as far as this run has found out.
///
/// Trials of one size need the same memory, so none of them has to run out of it again.
/// Another size is asked for itself.
#[derive(Debug, Default)]
pub(super) struct MicroBatches(HashMap<(u64, String), u64>);

impl MicroBatches {
    /// `spec` was trained to its end: what it needed several attempts for is known.
    pub(super) fn learn(&mut self, spec: &TrialSpec) {
        if let Some(micro) = spec.run.micro_batch.filter(|_| spec.run.attempt > 0) {
            let known = self.0.entry(key(spec)).or_insert(micro);
            *known = micro.min(*known);
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
