//! Trials on two CPU ranks: whole commands, and plugins that misbehave on one of them.

use flops_fit_trial::{TrialDir, processes_of};
use rustix::process::Signal;

use crate::{
    determinism::losses,
    hostile::ends::{Ends, began_to_train, check, outcomes},
    kill::{send, wait_until},
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
    let folder = bench.output("small").join("trials");
    // A trial that was saved may be over before the signal arrives, and one that is over
    // may not have removed yet what it saved.
    let is_under_way = |id: &String| {
        let dir = TrialDir::new(folder.join(id));
        !dir.checkpoints().is_empty() && dir.result().expect("readable").is_none()
    };
    let mut interrupted = 0;
    for stop in [Signal::TERM, Signal::KILL].into_iter().cycle() {
        let before = bench.trials("small").len();
        assert!(before < here.len(), "no trial was interrupted twice");
        let mut run = bench.spawn(&["train"]);
        wait_until("no checkpoint", || {
            let done = bench.trials("small").len();
            done == here.len() || done > before && here.keys().any(is_under_way)
        });
        send(stop, run.id());
        run.wait().expect("reaped");
        // A worker that is to end may complete its trial before it does.
        let output = bench.output("small").canonicalize().expect("it is there");
        wait_until("a worker lives on", || processes_of(&output).is_empty());
        interrupted += usize::from(here.keys().any(is_under_way));
        if interrupted == 2 {
            break;
        }
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

/// A model of rank 4 to 16, which misbehaves on the second of two ranks alone.
const HOSTILE: &str = concat!(
    hostile!(),
    r#"
[model.config]
faults = { 8 = "hang-on-one-rank", 12 = "panic-on-one-rank", 16 = "order-of-one-rank", 20 = "hang-on-the-first", 24 = "hang-on-the-others" }
"#,
    on_stories!(),
    r#"
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
start_limit = 30
silence_limit = 10
"#
);

#[test]
fn one_rank_that_fails_ends_its_trial_with_its_own_cause() {
    let bench = Workbench::new("ranks-hostile", HOSTILE);
    bench.run(&["train"]).expect(5);
    let outcomes = outcomes(&bench);
    let began = outcomes.values().map(|(dir, _)| began_to_train(dir));
    assert_eq!(
        began.collect::<Vec<_>>(),
        [true, true, true, false],
        "ranks that disagree take no step"
    );
    for (size, wanted) in [
        (4, Ends::Completed),
        (
            8,
            Ends::Failed(
                "timed_out",
                "plugin flops-fit-hostile made no progress for 10 s in forward (a training step)",
            ),
        ),
        (
            12,
            Ends::Panicked(
                "forward",
                "not on this rank",
                "panic!(\"not on this rank\")",
            ),
        ),
        (
            16,
            Ends::Failed("contract_violation", "rank 1 has parameter `readout`"),
        ),
    ] {
        let (_, outcome) = &outcomes[&size];
        if let Err(why) = check(wanted, outcome) {
            panic!("size {size}: {why}");
        }
    }
}

/// One rank hangs for ever, and the other has an error: that is what is told, and not the
/// limit that the first would pass.
#[test]
fn a_rank_that_hangs_does_not_hide_why_another_has_failed() {
    let manifest = HOSTILE
        .replace("sizes = [4, 8, 12, 16]", "sizes = [20, 24]")
        .replace("silence_limit = 10", "silence_limit = 100");
    let bench = Workbench::new("ranks-hidden", &manifest);
    bench.run(&["train"]).expect(5);
    let wanted = Ends::Failed("plugin", "not while another hangs");
    for (size, (_, outcome)) in outcomes(&bench) {
        if let Err(why) = check(wanted, &outcome) {
            panic!("size {size}: {why}");
        }
    }
}
