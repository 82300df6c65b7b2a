//! The same seed gives the same bits.

use std::collections::BTreeMap;

use crate::{
    sweep::{DONE, SWEEP},
    workbench::{Trial, Workbench},
};

/// Each trial's losses, as bits.
pub(crate) fn losses(bench: &Workbench) -> BTreeMap<String, [u64; 3]> {
    let bits = |trial: &Trial| {
        let measured = trial.measured();
        [measured.loss, measured.train_loss, measured.loss_se].map(f64::to_bits)
    };
    let trials = bench.trials("small");
    trials
        .iter()
        .map(|(id, trial)| (id.clone(), bits(trial)))
        .collect()
}

#[test]
fn another_folder_and_one_trial_at_a_time_change_no_bit() {
    let (done, _) = &*DONE;
    let bench = Workbench::new("determinism", SWEEP);
    bench.run(&["train", "--set", "run.jobs=1"]).expect(0);
    let here = losses(&bench);
    assert_eq!(here.len(), 13);
    assert_eq!(here, losses(done));
}

#[test]
fn another_seed_changes_every_loss() {
    let (done, _) = &*DONE;
    let bench = Workbench::new("seed", SWEEP);
    let sets = [
        "sweep.seeds=[1]",
        "sweep.grid=[{ budget = 3e8, sizes = [4, 8] }]",
    ];
    bench
        .run(&["train", "--set", sets[0], "--set", sets[1]])
        .expect(0);
    let there = losses(done);
    let here = losses(&bench);
    assert_eq!(here.len(), 2);
    for (id, bits) in here {
        assert!(!there.contains_key(&id));
        assert!(there.values().all(|other| other[0] != bits[0]));
    }
}

/// Two sizes in bf16 beside each other, one after the other, and in fp32.
#[test]
fn bf16_gives_the_same_bits_again_and_nearly_the_same_losses() {
    let train = |name: &str, jobs: &str| {
        let bench = Workbench::new(name, SWEEP);
        let grid = "sweep.grid=[{ budget = 3e8, sizes = [4, 8] }]";
        let precision = "train.precision=bf16";
        bench
            .run(&["train", "--set", grid, "--set", precision, "--set", jobs])
            .expect(0);
        bench
    };
    let bench = train("bf16", "run.jobs=2");
    assert_eq!(losses(&bench), losses(&train("bf16-alone", "run.jobs=1")));
    let (done, _) = &*DONE;
    let done = done.trials("small");
    let trials = bench.trials("small");
    assert_eq!(trials.len(), 2);
    for trial in trials.values() {
        let key = |trial: &Trial| (trial.spec.recipe.size, trial.spec.recipe.budget as u64);
        let other = done.values().find(|other| key(other) == key(trial));
        let [here, there] = [trial, other.expect("in fp32")].map(|t| t.measured().loss);
        assert_ne!(here.to_bits(), there.to_bits(), "it was trained in fp32");
        assert!((here / there - 1.0).abs() < 0.05, "{here} and {there}");
    }
}
