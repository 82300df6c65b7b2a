//! Trials on two CPU ranks: whole commands, and plugins that misbehave on one of them.

use std::time::Duration;

use flops_fit_trial::{Outcome, TrialDir};

use crate::{
    determinism::losses,
    kill::wait_until,
    sweep::{DONE, SWEEP},
    workbench::Workbench,
};

fn on_two(manifest: &str) -> String {
    manifest.replace(
        "[run]\njobs = 2\n",
        "[run]\njobs = 1\ndevices = [\"cpu\", \"cpu\"]\ndevices_per_trial = 2\ncheckpoint_interval = 0.02\n",
    )
}

#[test]
fn a_sweep_on_two_ranks_gives_the_same_bits_again_and_when_interrupted() {
    let bench = Workbench::new("ranks", &on_two(SWEEP));
    bench.run(&["train"]).expect(0);
    let here = losses(&bench);
    assert_eq!(here.len(), 13);

    // The same trials as on one rank, and the same losses but for rounding.
    let (done, _) = &*DONE;
    for (id, alone) in losses(done) {
        let [alone, shared] = [alone[0], here[&id][0]].map(f64::from_bits);
        assert!((alone - shared).abs() < 0.02, "{id}: {alone} and {shared}");
    }

    let bench = Workbench::new("ranks-interrupted", &on_two(SWEEP));
    let ids: Vec<String> = here.keys().cloned().collect();
    for stop in ["TERM", "KILL", "TERM"] {
        let before = bench.trials("small").len();
        let mut run = bench.spawn(&["train"]);
        let folder = bench.output("small").join("trials");
        wait_until("no checkpoint", Duration::from_mins(1), || {
            let saved = |id: &String| !TrialDir::new(folder.join(id)).checkpoints().is_empty();
            bench.trials("small").len() > before && ids.iter().any(saved)
        });
        let sent = std::process::Command::new("kill")
            .args(["-s", stop, &run.id().to_string()])
            .status();
        assert!(sent.is_ok_and(|status| status.success()));
        run.wait().expect("reaped");
    }
    bench.run(&["train"]).expect(0);
    assert_eq!(losses(&bench), here);
    let trials = bench.trials("small");
    let resumed = trials
        .values()
        .filter(|t| !t.result.environment.resumed.is_empty());
    assert!(resumed.count() > 0, "some trial was interrupted");
    for trial in trials.values() {
        assert_eq!(trial.result.environment.devices, ["cpu", "cpu"]);
    }
}

/// A model of rank 4, 8 and 12, which misbehaves on the second of two ranks alone.
const HOSTILE: &str = r#"
name = "small"

[model]
plugin = "flops_fit_hostile"
kind = "hostile"
size_param = "rank"

[model.config]
faults = { 8 = "hang-on-one-rank", 12 = "panic-on-one-rank", 16 = "order-of-one-rank" }

[dataset]
plugin = "flops_fit_gpt"
kind = "stories"
config = { seq_len = 32 }

[loss]
plugin = "flops_fit_gpt"
kind = "cross_entropy"

[sweep]
grid = [{ budget = 1e8, sizes = [4, 8, 12, 16] }]
min_steps = 2

[train]
lr = 0.01
warmup = { steps = 1 }
eval_tokens = 4096

[run]
jobs = 2
devices = ["cpu", "cpu"]
devices_per_trial = 2
start_limit = 15
silence_limit = 4
"#;

#[test]
fn one_rank_that_fails_ends_its_trial_with_its_own_cause() {
    let bench = Workbench::new("ranks-hostile", HOSTILE);
    bench.run(&["train"]).expect(5);
    let trials = bench.trials("small");
    let outcome = |size: i64| {
        let mut of_size = trials.values().filter(|t| t.spec.recipe.size == size);
        &of_size.next().expect("it has ended").result.outcome
    };
    assert!(
        matches!(outcome(4), Outcome::Completed { .. }),
        "{:?}",
        outcome(4)
    );
    for (size, words) in [
        (
            8,
            "plugin flops-fit-hostile made no progress for 4 s in forward (a training step)",
        ),
        (12, "plugin flops-fit-hostile panicked in forward at "),
        (16, "rank 1 has parameter `readout`"),
    ] {
        let Outcome::Failed { failure } = outcome(size) else {
            panic!("{size}: {:?}", outcome(size));
        };
        let said = failure.to_string();
        assert!(said.contains(words), "{said}");
    }
}
