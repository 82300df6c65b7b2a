//! What trials run on, and which begin first, as whole commands with the fake worker.

use std::{collections::BTreeMap, fs};

use flops_fit_trial::{Arrangement, TrialDir, TrialSpec};
use serde_json::Value;

use crate::workbench::{MANIFEST, Workbench, save_checkpoint};

/// N of every size is above 400 000, and each budget is some hundred steps of the smallest.
fn wide(schedule: &str) -> Workbench {
    let (head, tail) = MANIFEST.split_once("grid = [").expect("a grid");
    let (_, tail) = tail.split_once("\n]").expect("the end of the grid");
    let grid = "grid = [{ budget = 3e11, sizes = [128, 160] }, { budget = 1e12, sizes = [128, 160, 192] }]";
    Workbench::with(&format!(
        "{head}{grid}{tail}\n[train]\nschedule = {schedule}\n"
    ))
}

const TWO: [&str; 2] = [
    "run.devices=[\"cpu\", \"cpu\"]",
    "run.devices_per_trial=\"auto\"",
];

fn train(bench: &Workbench, sets: &[&str]) {
    let mut arguments = vec!["train"];
    arguments.extend(TWO.iter().chain(sets).flat_map(|set| ["--set", set]));
    bench.run(&arguments).expect(0);
}

fn specs(bench: &Workbench, folder: &str) -> BTreeMap<String, TrialSpec> {
    let all = fs::read_dir(bench.path("outputs/demo").join(folder)).expect("listed");
    all.map(|entry| {
        let dir = TrialDir::new(entry.expect("listed").path());
        let spec = dir.spec().expect("a specification");
        (spec.id.to_string(), spec)
    })
    .collect()
}

/// The trials and trunks that were trained, in the order in which they began.
fn begun(bench: &Workbench) -> Vec<TrialSpec> {
    let mut specs = specs(bench, "trials");
    if bench.path("outputs/demo/trunks").is_dir() {
        specs.extend(self::specs(bench, "trunks"));
    }
    let trained = bench.trained();
    let id = |line: &String| line.split(' ').next().expect("an id").to_owned();
    trained
        .iter()
        .map(|line| specs[&id(line)].clone())
        .collect()
}

fn devices(specs: &[TrialSpec]) -> Vec<usize> {
    specs.iter().map(|spec| spec.run.devices.len()).collect()
}

const ALONE: &str = "\"wsd\"";

#[test]
fn the_longest_begin_first_and_the_last_gets_both_devices() {
    let bench = wide(ALONE);
    train(&bench, &["run.jobs=1"]);
    let begun = begun(&bench);
    assert_eq!(devices(&begun), [1, 1, 1, 1, 2]);
    let cost = |spec: &TrialSpec| {
        let steps = spec.recipe.steps * spec.units_per_step();
        spec.run.flops_per_unit * steps as f64
    };
    for (i, earlier) in begun.iter().enumerate() {
        for later in &begun[i + 1..] {
            // Larger models get more out of a processor.
            let is_longer = cost(later) > 1.01 * cost(earlier)
                && later.run.declared_n <= earlier.run.declared_n;
            assert!(!is_longer, "{later:?} begins after {earlier:?}");
        }
    }
    let (first, last) = (&begun[0].recipe, &begun[4].recipe);
    assert_eq!((first.budget, first.size), (1e12, 128));
    assert_eq!((last.budget, last.size), (3e11, 160));
}

#[test]
fn a_single_trial_that_is_left_gets_both_devices() {
    let bench = wide(ALONE);
    train(&bench, &[]);
    let (folder, _) = bench.results().remove(0);
    fs::remove_file(folder.join("result.json")).expect("removed");
    train(&bench, &[]);
    let spec = TrialDir::new(folder).spec().expect("a specification");
    assert_eq!(spec.run.devices, ["cpu", "cpu"]);
}

/// Its branches can't begin yet, so it has both; they wait until it has ended.
#[test]
fn a_trunk_is_not_kept_to_one_device_by_its_branches() {
    let bench = wide("{ kind = \"wsd\", decay = 0.2, reuse_trunk = true }");
    let one_size =
        "sweep.grid=[{ budget = 3e11, sizes = [128] }, { budget = 1e12, sizes = [128] }]";
    train(&bench, &["run.jobs=2", one_size]);
    let begun = begun(&bench);
    let is_trunk: Vec<bool> = begun.iter().map(TrialSpec::is_trunk).collect();
    assert_eq!(is_trunk, [true, false, false]);
    assert_eq!(devices(&begun), [2, 1, 1]);
}

/// Trains `grid`, in which the trial that begins first goes on from a checkpoint that was
/// made on both devices. It gets what is returned.
fn goes_on(grid: &str) -> Vec<String> {
    let first = |bench: &Workbench| begun(bench).remove(0).id;
    let bench = wide(ALONE);
    train(&bench, &["run.jobs=1", grid]);
    let id = first(&bench);

    let bench = wide(ALONE);
    let mut arguments = vec!["plan"];
    arguments.extend(TWO.iter().chain([&grid]).flat_map(|set| ["--set", set]));
    bench.run(&arguments).expect(0);
    let dir = TrialDir::new(bench.path("outputs/demo/trials").join(id.as_str()));
    let arrangement = Arrangement {
        devices: vec!["cpu".to_owned(); 2],
        threads: 1,
        micro_batch: Some(2),
    };
    save_checkpoint(&dir.checkpoints(), &id, arrangement);
    train(&bench, &["run.jobs=1", grid]);
    assert_eq!(first(&bench), id);
    for (other, now) in specs(&bench, "trials") {
        let goes_on = other == id.as_str();
        assert_eq!(now.run.micro_batch, goes_on.then_some(2));
    }
    let result: Value =
        serde_json::from_str(&fs::read_to_string(dir.result_path()).expect("read")).expect("JSON");
    assert_eq!(result["environment"]["micro_batch"], 2);
    dir.spec().expect("a specification").run.devices
}

#[test]
fn what_was_interrupted_goes_on_with_what_it_had_unless_many_wait() {
    let one = "sweep.grid=[{ budget = 3e11, sizes = [128, 160] }]";
    assert_eq!(goes_on(one), ["cpu", "cpu"]);
    let both =
        "sweep.grid=[{ budget = 3e11, sizes = [128] }, { budget = 1e12, sizes = [128, 160, 192] }]";
    assert_eq!(goes_on(both), ["cpu"]);
}
