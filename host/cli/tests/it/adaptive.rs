//! Sweeps whose sizes are chosen round by round.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use flops_fit_trial::{Arrangement, Failure, Outcome, TrialDir, TrialResult};
use serde_json::Value;

use crate::workbench::{Ended, MANIFEST, Workbench, save_checkpoint};

/// Chinchilla's law from 1e18 to 1e21 FLOPs.
const DESIGN: &str = r#"
name = "design"
trainer = { kind = "simulated", law = "chinchilla", noise = 0.01, seed = 3 }

[model]
sizes = { min = 10_000_000, max = 20_000_000_000, multiple_of = 10_000_000 }

[sweep]
budgets = { min = 1e18, max = 1e21, count = 7 }

[analysis]
draws = 50
targets = [1e22]
"#;

const ADAPTIVE: &str = "sweep.grid=adaptive";
/// Eight times what is optimal.
const OFF: &str = "sweep.center={ k = 0.73, exponent = 0.5 }";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn run(bench: &Workbench, command: &str, sets: &[&str]) -> Ended {
    let mut arguments = vec![command, "--format", "json"];
    arguments.extend(sets.iter().flat_map(|set| ["--set", set]));
    bench.run(&arguments).expect(0)
}

fn read(bench: &Workbench, name: &str) -> String {
    let path = bench.path("outputs/design-simulated").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The ids of the trials of the budget at a position of the plan.
fn ids(bench: &Workbench, budget: usize) -> Vec<String> {
    let plan = json(&read(bench, "plan.json"));
    let trials = plan["budgets"][budget]["trials"].as_array();
    let id = |trial: &Value| trial["id"].as_str().expect("an id").to_owned();
    trials.expect("trials").iter().map(id).collect()
}

fn trial(bench: &Workbench, id: &str) -> TrialDir {
    TrialDir::new(bench.path("outputs/design-simulated/trials").join(id))
}

/// Leaves what a worker that was killed leaves.
fn fail(bench: &Workbench, id: &str) {
    let dir = trial(bench, id);
    let result = dir.result().expect("read").expect("a result");
    let failure = Failure::Crashed {
        signal: 9,
        plugins: Vec::new(),
        log: Vec::new(),
    };
    let failed = TrialResult {
        outcome: Outcome::Failed { failure },
        ..result
    };
    dir.write_result(&failed).expect("written");
}

/// The lines that the plan was made by last.
fn own(decisions: &str) -> Vec<Value> {
    let lines: Vec<Value> = decisions.lines().map(json).collect();
    let of = lines.last().expect("a decision")["of"].clone();
    let own = |line: &Value| line["of"] == of && line["dormant"] != true;
    // Checksums are of what stands before, too.
    let without_sum = |mut line: Value| {
        line.as_object_mut().expect("an object").remove("sum");
        line
    };
    lines.into_iter().filter(own).map(without_sum).collect()
}

/// The trial of the first budget with the lowest loss.
fn lowest(bench: &Workbench) -> String {
    let loss = |id: &String| -> f64 {
        let result = trial(bench, id).result().expect("read").expect("a result");
        let Outcome::Completed { measured } = result.outcome else {
            panic!("{result:?}");
        };
        measured.loss
    };
    let first = ids(bench, 0).into_iter();
    let lowest = first.min_by(|a, b| loss(a).total_cmp(&loss(b)));
    lowest.expect("trials")
}

const FIRST: &str = "sweep.budgets=[1e18]";
/// Close together, so that a slightly different centre has other sizes.
const SIZES: &str =
    "model.sizes={ min = 10_000_000, max = 4_000_000_000, multiple_of = 1_000_000 }";
const ALL: &str = "sweep.budgets=[1e18, 3.16e18, 1e19, 3.16e19]";

fn flops(plan: &Value) -> f64 {
    plan["flops"].as_f64().expect("a number")
}

#[test]
fn from_a_center_off_by_eight_every_budget_is_bracketed() {
    let hand = Workbench::with(DESIGN);
    let by_hand = json(&run(&hand, "plan", &[]).out);
    let bench = Workbench::with(DESIGN);
    let ran = run(&bench, "run", &[ADAPTIVE, OFF]);
    assert!(
        ran.err.contains("decided: 1e18 FLOPs with 13 sizes"),
        "{}",
        ran.err
    );

    let plan = json(&read(&bench, "plan.json"));
    let more = flops(&plan) / flops(&by_hand["plan"]) - 1.0;
    assert!(more <= 0.2, "{more:.3} more FLOPs than by hand");
    let analysis = json(&read(&bench, "analysis.json"));
    let budgets = analysis["budgets"].as_array().expect("budgets");
    assert_eq!(budgets.len(), 7);
    for budget in budgets {
        assert!(
            budget["outcome"]["minimum"].is_object(),
            "{}",
            budget["outcome"]
        );
    }

    let decisions: Vec<Value> = read(&bench, "decisions.jsonl").lines().map(json).collect();
    assert!(decisions.len() >= 8, "{}", decisions.len());
    assert_eq!(decisions[0]["action"]["reason"]["kind"], "first");
    assert!(decisions[0]["found"].is_null());
    for decision in &decisions[1..] {
        assert!(decision["found"]["budget"].is_number(), "{decision}");
    }
    let last = decisions.last().expect("some");
    assert_eq!(last["action"]["kind"], "stop");
    assert_eq!(last["action"]["reason"]["kind"], "all_trained");
    let status = bench
        .run(&["status", "outputs/design-simulated"])
        .expect(0)
        .out;
    let words = "1. 1e18 FLOPs with 13 sizes";
    assert!(
        status.contains(words) && status.contains("end: every budget"),
        "{status}"
    );

    // Once more: nothing to train, the same decisions.
    let before = read(&bench, "decisions.jsonl");
    let again = json(&run(&bench, "run", &[ADAPTIVE, OFF]).out);
    assert_eq!(again["sweep"]["completed"], 0);
    assert_eq!(read(&bench, "decisions.jsonl"), before);
}

#[test]
fn it_goes_on_where_it_was() {
    let bench = Workbench::with(DESIGN);
    run(&bench, "run", &[ADAPTIVE, OFF]);
    let (decisions, plan) = (read(&bench, "decisions.jsonl"), read(&bench, "plan.json"));
    let third = ids(&bench, 2);
    let lose = || {
        for id in third.iter().step_by(2) {
            fs::remove_file(trial(&bench, id).path().join("result.json")).expect("removed");
        }
    };
    // What was lost is trained again, and nothing else falls out of the plan for it.
    lose();
    run(&bench, "plan", &[ADAPTIVE, OFF]);
    assert_eq!(read(&bench, "plan.json"), plan);
    let again = json(&run(&bench, "run", &[ADAPTIVE, OFF]).out);
    assert_eq!(again["sweep"]["completed"], third.len().div_ceil(2));
    assert_eq!(read(&bench, "decisions.jsonl"), decisions);

    // Stopped in the third budget: a later trial's result must not be looked at before its
    // round.
    lose();
    let until_then: String = decisions.split_inclusive('\n').take(3).collect();
    let path = bench.path("outputs/design-simulated/decisions.jsonl");
    fs::write(path, &until_then).expect("written");
    let planned = json(&run(&bench, "plan", &[ADAPTIVE, OFF]).out);
    let upcoming = &planned["plan"]["upcoming"]["budgets"];
    assert_eq!(upcoming.as_array().map(Vec::len), Some(4), "{upcoming}");
    assert_eq!(read(&bench, "decisions.jsonl"), until_then);
    let text = bench
        .run(&["plan", "--set", ADAPTIVE, "--set", OFF])
        .expect(0)
        .out;
    assert!(
        text.contains("after these, by what they say: 3.16e19, 1e20, 3.16e20, 1e21"),
        "{text}"
    );

    let again = json(&run(&bench, "run", &[ADAPTIVE, OFF]).out);
    assert_eq!(again["sweep"]["completed"], third.len().div_ceil(2));
    assert_eq!(read(&bench, "decisions.jsonl"), decisions);
    assert_eq!(read(&bench, "plan.json"), plan);
}

/// A trial fails, the next round is decided without it, and then it is trained after all.
#[test]
fn a_trial_that_is_mended_moves_no_round_that_was_trained() {
    let bench = Workbench::with(DESIGN);
    run(&bench, "train", &[ADAPTIVE, SIZES, FIRST]);
    // Near the minimum, so that it counts.
    let mended = lowest(&bench);
    fail(&bench, &mended);

    let all = [ADAPTIVE, SIZES, ALL];
    let ran = json(&run(&bench, "run", &all).out);
    assert_eq!(ran["analysis"]["trials"]["failed"], 0, "it was mended");
    let (decisions, plan) = (read(&bench, "decisions.jsonl"), read(&bench, "plan.json"));
    let from = |line: usize| -> bool {
        let decided = json(decisions.lines().nth(line).expect("a decision"));
        let from = decided["from"].as_array().expect("trials").clone();
        assert!(!from.is_empty(), "{decided}");
        from.contains(&Value::from(mended.as_str()))
    };
    assert!(!from(1), "the second round was decided without it");
    assert!(from(2), "the third with it");
    let is_fitted = |ran: &Value| {
        let points = ran["analysis"]["points"].as_array().expect("points");
        points.iter().any(|point| point["label"] == mended.as_str())
    };
    assert!(is_fitted(&ran), "{}", ran["analysis"]["points"][0]);

    // Another sweep that is only tried out here takes nothing away.
    run(&bench, "plan", &[ADAPTIVE, SIZES, ALL, "sweep.span=6"]);
    assert_ne!(read(&bench, "plan.json"), plan);
    for command in ["run", "run", "plan"] {
        let again = json(&run(&bench, command, &all).out);
        assert_eq!(own(&read(&bench, "decisions.jsonl")), own(&decisions));
        assert_eq!(read(&bench, "plan.json"), plan);
        if command == "run" {
            assert_eq!(again["sweep"]["completed"], 0);
            assert!(is_fitted(&again));
        }
    }
    let status = bench
        .run(&["status", "outputs/design-simulated"])
        .expect(0)
        .out;
    let words = "1. 1e18 FLOPs with 13 sizes";
    assert_eq!(status.matches(words).count(), 1, "{status}");

    // Nor do other seeds and budgets, or longer trials.
    for other in [
        "sweep.seeds=[1]",
        "sweep.budgets=[1e18, 1e19]",
        "sweep.budgets=[1e19]",
        "sweep.min_steps=1_000_000_000_000",
    ] {
        let mut sets = all.to_vec();
        sets.push(other);
        run(&bench, "plan", &sets);
        assert_ne!(read(&bench, "plan.json"), plan, "{other}");
        run(&bench, "plan", &all);
        assert_eq!(read(&bench, "plan.json"), plan, "{other}");
        assert_eq!(own(&read(&bench, "decisions.jsonl")), own(&decisions));
    }

    // It is the file that keeps them.
    fs::remove_file(bench.path("outputs/design-simulated/decisions.jsonl")).expect("removed");
    run(&bench, "plan", &all);
    assert_ne!(read(&bench, "plan.json"), plan);
}

/// The same where the next round has got no further than a checkpoint.
#[test]
fn a_round_that_has_a_checkpoint_is_not_decided_anew() {
    let trunks = "train.schedule={ kind = \"wsd\", decay = 0.2, reuse_trunk = true }";
    for schedule in ["train.schedule={ kind = \"wsd\", decay = 0.2 }", trunks] {
        let bench = Workbench::with(DESIGN);
        run(&bench, "train", &[ADAPTIVE, SIZES, schedule, FIRST]);
        let mended = trial(&bench, &lowest(&bench)).result_path();
        let whole = fs::read(&mended).expect("read");
        let all = [ADAPTIVE, SIZES, schedule, ALL];
        let plan = |is_mended: bool| {
            fs::write(&mended, &whole).expect("written");
            if !is_mended {
                fail(&bench, &lowest(&bench));
            }
            run(&bench, "plan", &all);
            ids(&bench, 1)
        };
        let without = plan(false);
        assert_ne!(plan(true), without, "nothing was trained");
        assert_eq!(plan(false), without);

        let known: BTreeSet<String> = plan(true).into_iter().collect();
        let (first, second) = (ids(&bench, 0), plan(false));
        let trunk = |id: &String| trial(&bench, id).spec().expect("read").recipe.trunk;
        let trunks_of_first: Vec<_> = first.iter().filter_map(trunk).collect();
        let begun = second.iter().find(|id| {
            let is_shared = trunk(id).is_some_and(|trunk| trunks_of_first.contains(&trunk));
            !is_shared && !known.contains(*id)
        });
        let begun = trial(&bench, begun.expect("a trial of this round alone"));
        let spec = begun.spec().expect("read");
        let arrangement = Arrangement {
            devices: vec!["cpu".to_owned()],
            threads: 1,
            micro_batch: None,
        };
        let (dir, id) = match &spec.recipe.trunk {
            Some(trunk) => (begun.trunk(trunk), trunk),
            None => (begun, &spec.id),
        };
        fs::create_dir_all(dir.path()).expect("made");
        save_checkpoint(&dir.checkpoints(), id, arrangement);
        assert_eq!(plan(true), without);
        assert_eq!(plan(true), without);
    }
}

/// Rounds of other seeds are decided by their own results, and each sweep keeps its own.
#[test]
fn seeds_that_come_and_go_move_no_round() {
    /// Some rounds of both have the same sizes, others share some.
    const COARSE: &str =
        "model.sizes={ min = 25_000_000, max = 4_000_000_000, multiple_of = 25_000_000 }";
    const SEEDS: [&str; 2] = ["sweep.seeds=[0]", "sweep.seeds=[1]"];
    let bench = Workbench::with(DESIGN);
    let after = |command, seeds| {
        run(&bench, command, &[ADAPTIVE, COARSE, ALL, seeds]);
        (
            json(&read(&bench, "plan.json")),
            own(&read(&bench, "decisions.jsonl")),
        )
    };
    let [zero, one] = SEEDS.map(|seeds| after("run", seeds));
    let sizes = |plan: &Value, budget: usize| -> BTreeSet<i64> {
        let trials = plan["budgets"][budget]["trials"].as_array();
        let size = |trial: &Value| trial["size"].as_i64().expect("a size");
        trials.expect("trials").iter().map(size).collect()
    };
    assert_eq!(sizes(&zero.0, 1), sizes(&one.0, 1));
    let (of_zero, of_one) = (sizes(&zero.0, 2), sizes(&one.0, 2));
    assert_ne!(of_zero, of_one);
    // With both seeds both rounds count, and what they share counts once.
    let (both, _) = after("plan", "sweep.seeds=[0, 1]");
    let trials = both["budgets"][2]["trials"].as_array().expect("trials");
    let all: BTreeSet<i64> = of_zero.union(&of_one).copied().collect();
    assert_eq!(trials.len(), 2 * all.len());
    assert_eq!(sizes(&both, 2), all);

    for _ in 0..2 {
        for (seeds, known) in SEEDS.into_iter().zip([&zero, &one]) {
            assert_eq!(after("run", seeds), *known);
        }
    }

    // What was only begun stays too, though all that was trained of it could be of the other.
    let shared = of_zero.intersection(&of_one).next().expect("a shared size");
    let third = one.0["budgets"][2]["trials"].as_array().expect("trials");
    let lost = third.iter().filter(|trial| trial["size"] != *shared);
    let lost = lost.map(|trial| trial["id"].as_str().expect("an id").to_owned());
    for id in lost.chain(ids(&bench, 3)) {
        fs::remove_file(trial(&bench, &id).result_path()).expect("removed");
    }
    assert_eq!(after("plan", SEEDS[0]), zero);
    let (plan, decisions) = after("plan", SEEDS[1]);
    assert_eq!(sizes(&plan, 2), of_one);
    assert_eq!(decisions, one.1[..3]);
}

/// What is no decision, such as the half of a line, is kept beside the new file.
#[test]
fn a_torn_file_of_decisions_is_set_aside() {
    let bench = Workbench::with(DESIGN);
    run(&bench, "run", &[ADAPTIVE, OFF]);
    let (decisions, plan) = (read(&bench, "decisions.jsonl"), read(&bench, "plan.json"));
    let (head, tail) = decisions.split_at(decisions.find('\n').expect("a line") + 40);
    for torn in [format!("{head}\n{tail}"), head.to_owned()] {
        let path = bench.path("outputs/design-simulated/decisions.jsonl");
        fs::write(&path, &torn).expect("written");
        let said = run(&bench, "plan", &[ADAPTIVE, OFF]).err;
        for words in ["decisions.jsonl.aside-", "line 2 is not a decision"] {
            assert!(said.contains(words), "{said}");
        }
        // Nothing was mended, so the same is decided once more.
        assert_eq!(read(&bench, "decisions.jsonl"), decisions);
        assert_eq!(read(&bench, "plan.json"), plan);
        let said = run(&bench, "plan", &[ADAPTIVE, OFF]).err;
        assert!(!said.contains("aside"), "{said}");
    }
    assert_eq!(
        read(&bench, "decisions.jsonl.aside-1").len(),
        decisions.len() + 1
    );
    assert!(decisions.starts_with(&read(&bench, "decisions.jsonl.aside-2")));
}

/// A size that can't be trained at all keeps no round waiting.
#[test]
fn rounds_go_on_without_a_trial_that_fails_again() {
    let bench = Workbench::with(DESIGN);
    let all = [ADAPTIVE, OFF];
    run(&bench, "run", &all);
    let (decisions, plan) = (read(&bench, "decisions.jsonl"), read(&bench, "plan.json"));
    fail(&bench, &ids(&bench, 1)[3]);
    run(&bench, "plan", &all);
    assert_eq!(read(&bench, "plan.json"), plan);
    // The end is decided by what is there, the rounds are not.
    let rounds = |decisions: &str| {
        let mut lines = own(decisions);
        lines.pop();
        lines
    };
    assert_eq!(rounds(&read(&bench, "decisions.jsonl")), rounds(&decisions));
}

/// Branches of a later round leave the trunks of earlier ones.
#[test]
fn rounds_share_trunks() {
    let bench = Workbench::with(DESIGN);
    // Few sizes, so that budgets share them.
    let sizes = (0..34).map(|i| (1e7 * 1.25_f64.powi(i)) as u64);
    let sizes: Vec<u64> = sizes.collect();
    let sizes = format!("model.sizes={sizes:?}");
    let trunks = "train.schedule={ kind = \"wsd\", decay = 0.2, reuse_trunk = true }";
    let sets = [ADAPTIVE, &sizes, trunks];
    let ran = json(&run(&bench, "run", &sets).out);
    let plan = json(&read(&bench, "plan.json"));
    assert!(
        plan["upcoming"]["budgets"]
            .as_array()
            .is_some_and(Vec::is_empty)
    );
    let budgets = plan["budgets"].as_array().expect("budgets");
    assert_eq!(budgets.len(), 7);
    let mut budgets_of_trunk = BTreeMap::<&str, usize>::new();
    let trials = budgets
        .iter()
        .flat_map(|budget| budget["trials"].as_array().expect("trials"));
    for trial in trials {
        let trunk = trial["branch"]["trunk"].as_str().expect("a trunk");
        *budgets_of_trunk.entry(trunk).or_default() += 1;
    }
    assert!(
        budgets_of_trunk.values().any(|&budgets| budgets > 2),
        "{budgets_of_trunk:?}"
    );
    let alone: f64 = budgets
        .iter()
        .flat_map(|budget| budget["trials"].as_array().expect("trials"))
        .filter_map(|trial| trial["c"].as_f64())
        .sum();
    assert!(flops(&plan) < 0.95 * alone, "{} of {alone}", flops(&plan));
    // A trunk's points are one cluster of the bootstrap.
    let points = ran["analysis"]["points"].as_array().expect("points");
    assert!(points.len() > 40, "{}", points.len());
    for point in points {
        let group = point["group"].as_str().expect("a group");
        assert!(budgets_of_trunk.contains_key(group), "{group}");
    }
    let again = json(&run(&bench, "run", &sets).out);
    assert_eq!(again["sweep"]["completed"], 0);
    assert_eq!(json(&read(&bench, "plan.json")), plan);
}

#[test]
fn it_ends_early_once_the_wish_is_fulfilled() {
    let bench = Workbench::with(DESIGN);
    let precise = "trainer={ kind = \"simulated\", law = \"epoch\", noise = 0.001 }";
    let wish = ["analysis.wish={ n = 2.0 }", "analysis.targets=[1e21]"];
    run(&bench, "run", &[ADAPTIVE, precise, wish[0], wish[1]]);
    let decisions: Vec<Value> = read(&bench, "decisions.jsonl").lines().map(json).collect();
    let last = decisions.last().expect("some");
    assert_eq!(last["action"]["reason"]["kind"], "answered", "{last}");
    let plan = json(&read(&bench, "plan.json"));
    assert!(plan["budgets"].as_array().map_or(0, Vec::len) < 7);
}

/// A sweep in rounds that the fake worker trains.
fn in_rounds() -> String {
    let around = MANIFEST.replace(
        "grid = [\n    { budget = 1e9, sizes = [4, 8, 12, 16, 24] },\n    { budget = 3e9, sizes = [8, 12, 16, 24, 32] },\n    { budget = 1e10, sizes = [8, 16, 24, 32, 48] },\n]",
        "budgets = [1e9, 3e9, 1e10]\ngrid = \"adaptive\"",
    );
    around.replace(
        "size_param = \"d_model\"",
        "size_param = \"d_model\"\nsizes = { min = 4, max = 64, multiple_of = 4 }",
    )
}

/// With workers: a trial that fails is not waited for, nor tried again in each round.
#[test]
fn a_trial_that_fails_ends_no_round() {
    let manifest = in_rounds();
    let bench = Workbench::with(&manifest);
    let ended = bench.run(&["train", "--format", "json"]).expect(0);
    let tally = json(&ended.out);
    assert_eq!(tally["failed"], Value::Array(Vec::new()));
    assert_eq!(tally["completed"], bench.results().len());

    let failing = manifest.replace("n_layer = 2", "n_layer = 2\nfaults = { 16 = \"panic\" }");
    let bench = Workbench::with(&failing);
    let ended = bench.run(&["train", "--format", "json"]).expect(5);
    let tally = json(&ended.out);
    let failed = tally["failed"].as_array().expect("a list");
    let budgets: BTreeSet<&str> = failed
        .iter()
        .filter_map(|one| one["label"].as_str())
        .collect();
    assert_eq!(budgets.len(), failed.len(), "each once: {failed:?}");
    assert!(!failed.is_empty(), "16 is among the sizes");
}

/// What one round has found out about memory, later ones of the same run don't ask again.
#[test]
fn rounds_share_micro_batches() {
    let hungry = in_rounds().replace("n_layer = 2", "n_layer = 2\nfaults = { 16 = \"hungry\" }");
    let bench = Workbench::with(&hungry);
    bench.run(&["train", "--set", "run.jobs=1"]).expect(0);
    let results = bench.results().into_iter().map(|(_, text)| json(&text));
    let small = results.filter(|result| result["environment"]["micro_batch"] == 2);
    let mut attempts: Vec<Option<u64>> = small
        .map(|result| result["environment"]["attempt"].as_u64())
        .collect();
    attempts.sort_unstable();
    assert!(attempts.len() > 1, "16 is among the sizes of two rounds");
    let last = attempts.pop().expect("some");
    assert_eq!(last, Some(2));
    assert!(
        attempts.iter().all(|&attempt| attempt == Some(0)),
        "{attempts:?}"
    );
}

/// With a library that was built anew, rounds are decided anew, and no old one comes back.
#[test]
fn rounds_that_are_trained_again() {
    let bench = Workbench::with(&in_rounds());
    bench.run(&["train"]).expect(0);
    let read = |name: &str| {
        let path = bench.path("outputs/demo").join(name);
        fs::read_to_string(path).expect("read")
    };
    let (plan, decisions) = (read("plan.json"), own(&read("decisions.jsonl")));
    let trials = bench.trained().len();
    bench.rebuild("{}");
    bench.run(&["train"]).expect(9);
    assert_eq!(read("plan.json"), plan);
    for arguments in [["train", "--retrain"].as_slice(), &["train"]] {
        bench.run(arguments).expect(0);
        assert_eq!(bench.trained().len(), 2 * trials);
        assert_eq!(read("plan.json"), plan);
        assert_eq!(own(&read("decisions.jsonl")), decisions);
    }
}
