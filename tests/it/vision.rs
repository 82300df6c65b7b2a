//! The reference image plugin: from manifest to predictions, and its contract.

use std::fs;

use crate::{
    check::{check, passes},
    programs,
    workbench::Workbench,
};

/// Eight Vision Transformers of 2000 to 26 000 parameters, a second each at most.
const SWEEP: &str = r#"
name = "shapes"

[model]
plugin = "flops_fit_vit"
kind = "vit"
size_param = "embed_dim"
config = { n_layers = 2, head_size = 8, patch_size = 6 }

[dataset]
kind = "shapes"

[loss]
kind = "cross_entropy"
config = { label_smoothing = 0.05 }

[sweep]
grid = [
    { budget = 3e9, sizes = [8, 16, 24, 32] },
    { budget = 1e10, sizes = [8, 16, 24, 32] },
]
min_steps = 10

[train]
batch_tokens = 32
eval_tokens = 512
lr = 0.2
"#;

#[test]
fn images_from_manifest_to_table() {
    programs::plugin("vit");
    let bench = Workbench::new("vision", SWEEP);
    let ended = bench.run(&["run"]).expect(0);
    assert!(
        ended.out.contains("shapes: 8 trials, 8 completed"),
        "{}",
        ended.out
    );
    assert!(ended.out.contains("D* images"), "{}", ended.out);
    assert!(ended.err.contains(", accuracy 0."), "{}", ended.err);
    for trial in bench.trials("shapes").values() {
        let (measured, recipe) = (trial.measured(), &trial.spec.recipe);
        assert_eq!(measured.d as u64, 32 * measured.steps, "D counts images");
        assert_eq!(measured.eval_units, 512);
        assert!((0.5..2.4).contains(&measured.loss), "{measured:?}");
        assert!((0.0..1.0).contains(&measured.metrics["accuracy"]));
        // S = P = 16 tokens of 36 pixels, ten classes, two layers.
        let d = recipe.size as f64;
        let forward =
            16.0 * 2.0 * 36.0 * d + 16.0 * 2.0 * (24.0 * d * d + 4.0 * 16.0 * d) + 2.0 * d * 10.0;
        let counted = measured.c / measured.d / 3.0;
        assert!(
            (counted / forward - 1.0).abs() < 1e-12,
            "{counted} {forward}"
        );
        assert_eq!(
            measured.n as i64,
            24 * recipe.size.pow(2) + 46 * recipe.size
        );
    }
    let trials = bench.trials("shapes");
    let losses = trials.values().map(|trial| trial.measured().loss);
    let best = losses.fold(f64::INFINITY, f64::min);
    assert!(
        best < 2.1,
        "ten classes are told apart by none: {best}, ln 10 = 2.303"
    );
    let runs = fs::read_to_string(bench.output("shapes").join("runs.csv")).expect("read");
    let header = runs.lines().next().unwrap_or_default();
    assert!(header.ends_with(",metric_accuracy"), "{header}");
}

#[test]
fn the_image_plugin_keeps_its_contract() {
    programs::plugin("vit");
    let bench = Workbench::new("vision-check", SWEEP);
    // Files of the MNIST family: images that all differ, in four classes.
    let image = |number: usize| (0..64).map(move |pixel| (37 * number + 11 * pixel * pixel) as u8);
    let idx = |head: &[u32], bytes: Vec<u8>| {
        let magic = [0, 0, 8, head.len() as u8].to_vec();
        let head = head.iter().flat_map(|size| size.to_be_bytes());
        magic
            .into_iter()
            .chain(head)
            .chain(bytes)
            .collect::<Vec<u8>>()
    };
    for (split, first, count) in [("train", 0, 40), ("t10k", 100, 20)] {
        let pixels = (first..first + count).flat_map(image).collect();
        let labels = (0..count).map(|number| (number % 4) as u8).collect();
        let write = |what: &str, bytes| {
            fs::write(bench.path(&format!("{split}-{what}-ubyte")), bytes).expect("written");
        };
        write("images-idx3", idx(&[count as u32, 8, 8], pixels));
        write("labels-idx1", idx(&[count as u32], labels));
    }
    for config in [
        [
            "--dataset=shapes",
            "--config=model.patch_size=6",
            "--config=model.pool=class",
        ],
        [
            "--dataset=idx",
            "--config=dataset.dir=.",
            "--config=dataset.flip=true",
        ],
    ] {
        let mut arguments = vec!["flops_fit_vit", "--config=model.embed_dim=16"];
        arguments.push("--config=model.n_layers=2");
        arguments.extend(config);
        passes(&check(&bench, &arguments), &[]);
    }
}
