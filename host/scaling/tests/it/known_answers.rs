//! A public data set whose exponents are known.

use std::path::Path;

use flops_fit_scaling::{Estimator, Options, Run, analyze};

#[test]
fn assignment_isoflops_give_the_published_exponents() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/cs336_isoflop.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: ../shared/data/cs336_isoflop.json is not beside this checkout");
        return;
    };
    let rows: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let runs: Vec<Run> = rows
        .iter()
        .map(|row| {
            let number = |key: &str| row[key].as_f64().unwrap();
            let (n, c) = (number("parameters"), number("compute_budget"));
            Run::new(n, c / (6.0 * n), c, number("final_loss"))
        })
        .collect();
    assert_eq!(runs.len(), 72);
    let analysis = analyze(&runs, &Options::default()).unwrap();
    assert_eq!(analysis.budgets.len(), 9);
    let laws = &analysis.estimate(Estimator::IsoflopParabola).unwrap().laws;
    assert!((laws.n.exponent.estimate - 0.5146).abs() < 5e-4);
    assert!((laws.d.exponent.estimate - 0.4854).abs() < 5e-4);
    // The losses come from exponents .34 and .36, for which a = .36 / .70.
    let cubic = &analysis.estimate(Estimator::IsoflopCubic).unwrap().laws;
    assert!((cubic.n.exponent.estimate - 0.36 / 0.70).abs() < 5e-4);
    assert!(cubic.loss.floor.contains(2.69), "{:?}", cubic.loss.floor);
}
