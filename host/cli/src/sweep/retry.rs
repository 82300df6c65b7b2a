//! Whether a failed trial is started again, when, and with what changed.

use std::time::Duration;

use flops_fit_trial::{Failure, TrialSpec};

/// Wait before the first retry; each further one waits twice as long …
const BACK_OFF: Duration = Duration::from_secs(1);

/// … but no longer than this.
const LONGEST: Duration = Duration::from_mins(1);

/// How a trial is started again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Retry {
    pub(super) wait: Duration,
    /// Examples in one forward pass, from now on.
    pub(super) micro_batch: Option<u64>,
    /// Whether it counts towards `run.retries`.
    pub(super) counts: bool,
}

/// What to do about `failure` of a trial that was started again `retries` times
/// already, of `allowed`.
///
/// Out of memory, it gets half the micro-batch, and so twice the accumulation,
/// until one example is left. Each of its devices has an equal share of the batch, so
/// that no micro-batch was larger than that. Any other cause is tried again as it was, if it
/// may pass by itself.
pub(super) fn after(
    failure: &Failure,
    spec: &TrialSpec,
    retries: u32,
    allowed: u32,
) -> Option<Retry> {
    if failure.shrinks_with_the_batch() {
        let ranks = spec.run.devices.len().max(1) as u64;
        let share = spec.recipe.train.batch_examples.div_ceil(ranks).max(1);
        let micro = spec.run.micro_batch.unwrap_or(share).clamp(1, share);
        let half = micro.div_ceil(2);
        // Evaluation, whose batches are larger, has one example at a time only if that is said.
        return (spec.run.micro_batch != Some(half)).then_some(Retry {
            wait: Duration::ZERO,
            micro_batch: Some(half),
            counts: false,
        });
    }
    (failure.may_pass() && retries < allowed).then(|| Retry {
        wait: BACK_OFF.saturating_mul(1 << retries.min(16)).min(LONGEST),
        micro_batch: spec.run.micro_batch,
        counts: true,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use flops_fit_trial::Phase;
    use serde_json::json;

    use super::*;

    fn spec(micro_batch: Option<u64>) -> TrialSpec {
        spec_on(&["cpu"], micro_batch)
    }

    /// A trial with 12 examples in a batch.
    pub(in crate::sweep) fn spec_on(devices: &[&str], micro_batch: Option<u64>) -> TrialSpec {
        let component = json!({ "plugin": "p", "version": "1", "kind": "k", "config": {} });
        let load = json!({ "library": "/p.so", "sha256": "", "config": {} });
        let spec = json!({
            "format": 1,
            "id": "0",
            "recipe": {
                "model": component, "dataset": component, "loss": component,
                "fingerprint": "", "size": 8, "budget": 1e9, "steps": 10, "units": 1000, "seed": 0,
                "train": {
                    "lr": 1.0, "schedule": { "kind": "constant" }, "warmup_steps": 1,
                    "batch_examples": 12, "precision": "fp32", "eval_units": 10,
                    "optimizer": { "beta1": 0.9, "beta2": 0.9, "eps": 1e-8, "weight_decay": 0.0 },
                },
            },
            "run": {
                "model": load, "dataset": load, "loss": load, "base_dir": "/", "declared_n": 1,
                "counts": {}, "flops_per_unit": 6.0, "units_per_example": 10, "devices": devices,
                "threads": 1, "micro_batch": micro_batch, "attempt": 0,
            },
        });
        serde_json::from_value(spec).expect("a specification")
    }

    fn out_of_memory(phase: Phase) -> Failure {
        Failure::OutOfMemory {
            plugin: Some("p".to_owned()),
            phase,
            detail: "no".to_owned(),
        }
    }

    /// The micro-batches of a trial that is out of memory each time.
    fn micro_batches(devices: &[&str], mut micro: Option<u64>) -> Vec<u64> {
        let forward = out_of_memory(Phase::Forward);
        let mut sizes = Vec::new();
        while let Some(retry) = after(&forward, &spec_on(devices, micro), 0, 0) {
            assert_eq!((retry.wait, retry.counts), (Duration::ZERO, false));
            micro = retry.micro_batch;
            sizes.push(micro.expect("set"));
        }
        sizes
    }

    #[test]
    fn out_of_memory_halves_the_micro_batch_to_one() {
        assert_eq!(micro_batches(&["cpu"], None), [6, 3, 2, 1]);
        assert_eq!(micro_batches(&["cpu"], Some(5)), [3, 2, 1]);
        // Of 12 examples, three ranks have 4 each and five have 3 at most.
        assert_eq!(micro_batches(&["cpu"; 3], None), [2, 1]);
        assert_eq!(micro_batches(&["cpu"; 3], Some(12)), [2, 1]);
        assert_eq!(micro_batches(&["cpu"; 5], None), [2, 1]);
        assert_eq!(micro_batches(&["cpu"; 12], None), [1]);
        let forward = out_of_memory(Phase::Forward);
        assert_eq!(after(&forward, &spec(Some(1)), 0, 0), None);
        assert_eq!(
            after(&out_of_memory(Phase::Build), &spec(None), 0, 5),
            None,
            "building takes as much with any batch"
        );
    }

    #[test]
    fn what_may_pass_waits_longer_each_time() {
        let crashed = Failure::Crashed {
            signal: 9,
            plugins: Vec::new(),
            log: Vec::new(),
        };
        let waits = (0..9).map(|retries| {
            let retry = after(&crashed, &spec(Some(4)), retries, 8)?;
            assert_eq!((retry.micro_batch, retry.counts), (Some(4), true));
            Some(retry.wait.as_secs())
        });
        let waits: Vec<_> = waits.collect();
        let expected = [1, 2, 4, 8, 16, 32, 60, 60].map(Some);
        assert_eq!(waits[..8], expected);
        assert_eq!(waits[8], None, "no more than allowed");
    }

    #[test]
    fn what_a_plugin_decides_is_not_tried_again() {
        let refused = Failure::Plugin {
            plugin: "p".to_owned(),
            phase: Phase::Forward,
            message: "no".to_owned(),
        };
        assert_eq!(after(&refused, &spec(None), 0, 5), None);
    }
}
