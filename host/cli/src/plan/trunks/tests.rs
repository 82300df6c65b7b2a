use std::{collections::BTreeMap, path::Path};

use flops_fit_trial::{
    ComponentFacts, DatasetFacts, Description, SizeFacts, SizeOutcome, TrialId, TrialSpec,
};
use serde_json::{Value, json};

use super::super::{
    Plan, PlannedRun, Surveyed,
    layout::{LaidOut, lay_out},
    source::Sources,
};
use crate::{manifest::Manifest, output::Output};

const NOVELS: &str = include_str!("../../../../../examples/novels/manifest.toml");

const TRUNKS: &str =
    r#"train.schedule={ kind = "wsd", decay = 0.2, shape = "linear", reuse_trunk = true }"#;

/// The demonstration with `sets`, its characters counted as 82.
fn lay_out_novels(sets: &[&str]) -> LaidOut {
    let sets: Vec<String> = sets.iter().map(|&set| set.to_owned()).collect();
    let path = Path::new("/sweep/manifest.toml");
    let manifest = Manifest::parse(path, NOVELS, &sets).expect("a valid manifest");
    let facts = |kind: &str, config: Value| ComponentFacts {
        plugin: "gpt".to_owned(),
        version: "1".to_owned(),
        kind: kind.to_owned(),
        config,
    };
    let (layers, window, characters) = (2, 64, 82);
    let sizes = manifest.candidates().into_iter().map(|size| {
        let d = size.unsigned_abs();
        let n = 12 * layers * d * d + characters * d;
        SizeFacts {
            size,
            outcome: SizeOutcome::Accepted {
                n,
                counts: BTreeMap::new(),
                flops_per_unit: 3.0 * (2 * n + 4 * layers * window * d) as f64,
                flops_from_model: true,
                config: json!({ "d_model": size }),
            },
        }
    });
    let description = Description {
        model: facts("gpt", Value::Null),
        dataset: facts("text", json!({})),
        loss: facts("cross_entropy", json!({})),
        data: DatasetFacts {
            fingerprint: "f".to_owned(),
            unit: "tokens".to_owned(),
            units_per_example: window,
            unique_units: None,
            train_examples: None,
            held_out_examples: None,
        },
        sizes: sizes.collect(),
        libtorch: String::new(),
        gemm: None,
    };
    let survey = Surveyed {
        sources: Sources::default(),
        description,
    };
    let nowhere = Output::at("/sweep/outputs/novels");
    lay_out(&manifest, &survey, &manifest.sweep.layout, &nowhere).expect("laid out")
}

/// What `plan` saves over trials that train alone, as a share.
fn saved(plan: &Plan) -> f64 {
    1.0 - plan.flops / plan.flops_alone()
}

#[test]
fn the_demonstration_costs_a_fifth_less() {
    let with = lay_out_novels(&[TRUNKS]).plan;
    let without = lay_out_novels(&[]).plan;
    assert_eq!(without.trunks, []);
    assert_eq!(with.flops_alone().to_bits(), without.flops.to_bits());
    assert_eq!((with.runs().count(), with.trunks.len()), (19, 7));
    assert!(saved(&with) >= 0.20, "{}", saved(&with));
}

#[test]
fn shared_sizes_save_what_the_formula_says() {
    for (ratio, least) in [(10_f64.sqrt(), 0.25), (2.0, 0.37), (2_f64.sqrt(), 0.49)] {
        let grid: Vec<String> = (0..4)
            .map(|i| {
                let budget = 1e11 * ratio.powi(i);
                format!("{{ budget = {budget:e}, sizes = [16, 24, 32, 40, 48] }}")
            })
            .collect();
        let grid = format!("sweep.grid=[{}]", grid.join(", "));
        let plan = lay_out_novels(&[TRUNKS, &grid]).plan;
        // To two digits, as the rounding to whole steps allows.
        assert!(saved(&plan) >= least - 0.005, "{ratio}: {}", saved(&plan));
        let mut by_size: BTreeMap<i64, Vec<&PlannedRun>> = BTreeMap::new();
        for (_, run) in plan.runs() {
            by_size.entry(run.size).or_default().push(run);
        }
        let formula: f64 = by_size
            .values()
            .map(|runs| {
                let longest = runs.iter().map(|run| run.c).fold(0.0, f64::max);
                0.8 * longest + 0.2 * runs.iter().map(|run| run.c).sum::<f64>()
            })
            .sum();
        assert!((plan.flops / formula - 1.0).abs() < 0.002, "{ratio}");
    }
}

#[test]
fn another_budget_changes_no_other_trial() {
    let ids = |specs: &[TrialSpec]| -> Vec<TrialId> {
        specs.iter().map(|spec| spec.id.clone()).collect()
    };
    let before = lay_out_novels(&[TRUNKS]);
    let more = "sweep.grid=[{ budget = 3e9, sizes = [8] }, { budget = 1e10, sizes = [8, 16, 24, 32] }, \
        { budget = 1e12, sizes = [8, 40] }]";
    let after = lay_out_novels(&[TRUNKS, more]);
    let known = ids(&before.specs);
    let shared = ids(&after.specs)
        .into_iter()
        .filter(|id| known.contains(id));
    assert_eq!(shared.count(), 4, "those of 1e10");
    // All trunks of the sizes are the old ones.
    let trunks = ids(&before.trunks);
    assert!(ids(&after.trunks).iter().all(|id| trunks.contains(id)));
    assert_eq!(after.trunks.len(), 5);

    // Another seed, warm-up or batch is another trunk; another cool-down is not.
    let other = |set: &str| {
        let other = lay_out_novels(&[TRUNKS, set]);
        ids(&other.trunks)
            .iter()
            .filter(|id| trunks.contains(id))
            .count()
    };
    assert_eq!(other("sweep.seeds=[1]"), 0);
    assert_eq!(other("train.warmup={ tokens = 20480 }"), 0);
    assert_eq!(other("train.batch_tokens=1024"), 0);
    assert_eq!(other("train.eval_tokens=1024"), 7);
    let sqrt = r#"train.schedule={ kind = "wsd", decay = 0.1, reuse_trunk = true }"#;
    assert_eq!(other(sqrt), 7);
}

#[test]
fn trunks_warm_up_alike_and_branches_leave_at_their_cool_down() {
    let warmups = |set: &str| {
        let laid_out = lay_out_novels(&[TRUNKS, set]);
        let all = laid_out.specs.iter().chain(&laid_out.trunks);
        let mut warmups: Vec<u64> = all.map(|spec| spec.recipe.train.warmup_steps).collect();
        warmups.dedup();
        warmups
    };
    assert_eq!(warmups("train.warmup=0.1"), [10]);
    assert_eq!(warmups("train.warmup=0.5"), [20], "of 40 steps at least");
    assert_eq!(warmups("train.warmup={ tokens = 10240 }"), [20]);

    let laid_out = lay_out_novels(&[TRUNKS, "sweep.seeds=[0, 1]"]);
    assert_eq!(laid_out.trunks.len(), 14);
    for spec in &laid_out.specs {
        let (trunk, step) = spec.branch().expect("a branch");
        assert_eq!(
            step,
            spec.recipe.steps - (0.2 * spec.recipe.steps as f64).round() as u64
        );
        let trunk = laid_out.trunks.iter().find(|other| other.id == *trunk);
        let trunk = trunk.expect("planned");
        assert!(trunk.is_trunk() && trunk.run.branches.contains(&step));
        assert_eq!(trunk.recipe.seed, spec.recipe.seed);
        assert_eq!(TrialId::of(&trunk.recipe), trunk.id);
    }
}

#[test]
fn a_run_that_only_cools_down_has_no_trunk() {
    let all = r#"train.schedule={ kind = "wsd", decay = 0.9999, reuse_trunk = true }"#;
    let laid_out = lay_out_novels(&[all]);
    assert!(laid_out.plan.trunks.is_empty());
    assert!(laid_out.specs.iter().all(|spec| spec.branch().is_none()));
}
