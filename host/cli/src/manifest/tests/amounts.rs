//! Amounts of compute with units, and presets.

use flops_fit_scaling::grid::{Budgets, Layout};

use super::{PLAIN, load};
use crate::manifest::{PRESETS, Preset};

#[test]
fn amounts_of_compute_have_units() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let budgets = |budgets: &str| {
        let text = PLAIN.replace("budgets = [1e10, 3e10]", &format!("budgets = {budgets}"));
        load(folder.path(), &text, &[])
    };
    let manifest = budgets("[1e15, \"3e15\", \"1 PFLOP-day\"]").expect("valid");
    let list = Budgets::List(vec![1e15, 3e15, 8.64e19]);
    assert!(
        matches!(&manifest.sweep.layout, Layout::Around { budgets, .. } if *budgets == list),
        "{:?}",
        manifest.sweep.layout
    );
    budgets("{ min = \"1 TFLOP\", max = \"2 TFLOP\", count = 2 }").expect("valid");
    let error = budgets("{ min = \"1 TFLOP\", max = \"2 GFLOP\", count = 2 }");
    assert!(error.expect_err("a mistake").contains("above min = 1e12"));
    let timed = budgets("[1e10, \"2 h\", \"90 min\"]")
        .expect("valid")
        .sweep
        .timed;
    let timed: Vec<_> = timed.iter().map(|t| (t.position, t.seconds)).collect();
    assert_eq!(timed, [(1, 7200.0), (2, 5400.0)]);
    let error = budgets("[\"2 h\", \"120 min\"]").expect_err("a mistake");
    assert!(error.contains("each budget once"), "{error}");
    let error = budgets("{ min = 1e10, max = \"2 h\", count = 3 }").expect_err("a mistake");
    assert!(error.contains("in the list sweep.budgets alone"), "{error}");
    let manifest = load(folder.path(), PLAIN, &["analysis.targets=['1 EFLOP']"]);
    assert_eq!(manifest.expect("valid").analysis.targets, [1e18]);
}

#[test]
fn every_preset_is_half_a_manifest() {
    let folder = tempfile::tempdir().expect("temporary folder");
    for Preset { name, text } in PRESETS {
        assert!(text.starts_with("# "), "{name} does not say what it is for");
        let rest = PLAIN.replace("budgets = [1e10, 3e10]", "");
        let text = format!("extends = \"{name}\"\n{rest}");
        let manifest = load(folder.path(), &text, &[]).expect(name);
        let Layout::Around { budgets, .. } = &manifest.sweep.layout else {
            panic!("{name} lists sizes");
        };
        assert_ne!(*budgets, Budgets::List(Vec::new()));
        // The manifest's own words go over the preset's.
        assert_eq!(manifest.train.lr.typical().to_bits(), 1.0_f64.to_bits());
    }
    let error = load(folder.path(), "extends = \"quik\"\n", &[]).expect_err("a mistake");
    assert_eq!(
        error,
        "m.toml:1:11: extends: found \"quik\"; did you mean `quick`? expected one of \"quick\", \"demo\", \"cpu-overnight\", \"single-gpu\", \"node\""
    );
    let text = format!(
        "extends = \"quick\"\n{}",
        PLAIN.replace("budgets = [1e10, 3e10]", "")
    );
    let error = load(folder.path(), &text, &["sweep.min_steps=0"]);
    assert!(
        error
            .expect_err("a mistake")
            .starts_with("--set sweep.min_steps=0")
    );
}
