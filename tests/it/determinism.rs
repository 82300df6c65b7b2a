//! The same seed gives the same bits.

use std::collections::BTreeMap;

use crate::{
    sweep::{DONE, SWEEP},
    workbench::Workbench,
};

/// Each trial's losses, as bits.
pub(crate) fn losses(bench: &Workbench) -> BTreeMap<String, [u64; 3]> {
    let bits = |trial: &crate::workbench::Trial| {
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
