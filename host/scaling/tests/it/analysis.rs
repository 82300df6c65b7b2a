//! The whole analysis as its callers see it: errors, what is left out, what is
//! kept on disk, and what must not depend on units.

use flops_fit_scaling::{
    Analysis, Bootstrap, Method, MethodResult, Options, Quantity, Run, Unfit, analyze,
};
use proptest::prelude::*;

use crate::sweeps::{NOVELS, STORIES};

fn error(runs: &[Run], options: &Options) -> String {
    analyze(runs, options).unwrap_err().to_string()
}

#[test]
fn impossible_numbers_name_their_row() {
    let options = Options {
        quality_checks: false,
        ..Options::default()
    };
    let good = Run::new(1e4, 1e5, 6e9, 2.0);
    assert_eq!(
        error(&[], &options),
        "no finished runs to fit; train some, or check that their losses were read"
    );
    let bad = Run {
        loss: f64::NAN,
        label: Some("a3f9".to_owned()),
        ..good.clone()
    };
    assert_eq!(
        error(&[good.clone(), bad], &options),
        "run 1 (a3f9): loss is NaN, expected a finite number above 0 (1e-60 to 1e60); correct the row or leave it out"
    );
    let negative = Run {
        weight: Some(-1.0),
        ..good.clone()
    };
    assert_eq!(
        error(&[negative], &options),
        "run 0: weight is -1, expected a finite number above 0 (1e-60 to 1e60); correct the row or leave it out"
    );
    let targets = Options {
        targets: vec![1e12, 0.0],
        ..options.clone()
    };
    assert_eq!(
        error(std::slice::from_ref(&good), &targets),
        "target budget 0: expected a finite number of FLOPs above 0"
    );
    let limit = Options {
        max_repeats: Some(f64::NAN),
        ..options
    };
    assert_eq!(
        error(&[good], &limit),
        "limit of NaN passes over the data: expected a number above 0"
    );
}

#[test]
fn too_few_runs_are_an_answer_not_an_error() {
    let runs = NOVELS.runs(1e10);
    let one_budget = analyze(&runs, &Options::default()).unwrap();
    assert_eq!(one_budget.recommended, None);
    assert!(one_budget.predictions.is_empty());
    assert!(one_budget.budgets[0].outcome.minimum().is_some());
    let lonely = analyze(&runs[..2], &Options::default()).unwrap();
    assert_eq!(lonely.noise, None);
    assert_eq!(lonely.budgets[0].sizes, 1);
}

#[test]
fn every_method_is_reported() {
    let analysis = analyze(&STORIES.runs(3e11), &Options::default()).unwrap();
    assert!(analysis.methods.keys().copied().eq(Method::ALL));
    let reason = |method| match &analysis.methods[&method] {
        MethodResult::Unfit { unfit } => unfit.clone(),
        MethodResult::Fitted(_) => panic!("{method} has a law"),
    };
    assert_eq!(reason(Method::Envelope), Unfit::NoHonestCurves);
    assert_eq!(reason(Method::DataConstrained), Unfit::NothingRepeats);
    let followed = analysis.recommended.as_ref().unwrap();
    assert!((followed.weights.values().sum::<f64>() - 1.0).abs() < 1e-12);
    assert!(followed.weights.contains_key(&followed.method));
    assert!(followed.reason.contains("hold-out"), "{}", followed.reason);
    let budgets: Vec<f64> = analysis.predictions.iter().map(|p| p.c).collect();
    assert_eq!(budgets.len(), 8, "1e10 to 3e13: {budgets:?}");
    for row in &analysis.predictions {
        assert!((row.n * row.units_per_parameter / row.d - 1.0).abs() < 1e-9);
        assert_eq!(row.is_far, row.c > 3.1e13);
        let (wide, own) = (row.ci95.unwrap(), row.unwidened.unwrap());
        for quantity in [
            Quantity::N,
            Quantity::D,
            Quantity::UnitsPerParameter,
            Quantity::Loss,
        ] {
            let ([low, high], [own_low, own_high]) = (wide.of(quantity), own.of(quantity));
            assert!(low <= own_low && own_low <= row.value(quantity), "{row:?}");
            assert!(
                row.value(quantity) <= own_high && own_high <= high,
                "{row:?}"
            );
        }
    }
    for (method, fitted) in analysis.laws() {
        assert_eq!(fitted.predictions.len(), budgets.len(), "{method}");
        assert_eq!(fitted.fitted.len(), analysis.runs, "{method}");
        let used = fitted.fitted.iter().flatten().count();
        assert_eq!(
            Some(used),
            fitted.diagnostics.as_ref().map(|d| d.runs),
            "{method}"
        );
    }
    let cloud = analysis.bootstrap.cloud.unwrap();
    assert_eq!(cloud.c.to_bits(), 3e13_f64.to_bits());
    assert!(cloud.methods.values().all(|points| points.len() > 100));
}

#[test]
fn holdout_leaves_out_the_largest_budgets() {
    let analysis = analyze(&NOVELS.runs(1e12), &Options::default()).unwrap();
    let holdout = analysis.holdout.unwrap();
    let fitted: Vec<usize> = holdout
        .rounds
        .iter()
        .map(|round| round.fitted.len())
        .collect();
    assert_eq!(fitted, [3, 2], "four budgets");
    assert_eq!(holdout.tests().count(), 3);
    for round in &holdout.rounds {
        let largest = round.fitted.last().unwrap();
        assert!(round.tests.iter().all(|test| test.c > *largest));
    }
    for (method, score) in &holdout.scores {
        let answers: Vec<f64> = holdout
            .tests()
            .filter_map(|test| Some(test.methods.get(method)?.regret))
            .collect();
        assert_eq!(answers.len(), score.tests, "{method}");
        let mean = answers.iter().sum::<f64>() / answers.len() as f64;
        assert!((mean - score.regret).abs() < 1e-12, "{method}");
    }
}

#[test]
fn repeated_data_and_rows_are_left_out() {
    let mut runs = NOVELS.runs(3e11);
    let all = runs.len();
    runs.push(runs[0].clone());
    let longest = (0..all)
        .max_by(|&i, &j| runs[i].d.total_cmp(&runs[j].d))
        .unwrap();
    runs[longest].unique = Some(runs[longest].d / 6.0);
    let analysis = analyze(&runs, &Options::default()).unwrap();
    let dropped: Vec<usize> = analysis.left_out.iter().map(|l| l.run).collect();
    assert_eq!(dropped, [longest, all]);
    let fitted: usize = analysis.budgets.iter().map(|b| b.runs.len()).sum();
    assert_eq!(fitted + dropped.len(), analysis.runs);
    let keep = Options {
        max_repeats: None,
        ..Options::default()
    };
    assert_eq!(analyze(&runs, &keep).unwrap().left_out.len(), 1);
}

#[test]
fn an_analysis_survives_json() {
    let analysis = analyze(&STORIES.runs(1e12), &Options::default()).unwrap();
    let text = serde_json::to_string(&analysis).unwrap();
    let back: Analysis = serde_json::from_str(&text).unwrap();
    assert_eq!(back, analysis);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn units_do_not_matter(
        n in 0.01_f64..100.0,
        d in 0.01_f64..100.0,
        c in 0.01_f64..100.0,
        loss in 0.1_f64..10.0,
    ) {
        let runs = NOVELS.runs(3e11);
        let scaled: Vec<Run> = runs
            .iter()
            .map(|run| Run {
                n: n * run.n,
                d: d * run.d,
                c: c * run.c,
                loss: loss * run.loss,
                budget: run.budget.map(|budget| c * budget),
                ..run.clone()
            })
            .collect();
        let at = |runs: &[Run], target: f64| {
            let bootstrap = Bootstrap { draws: 99, ..Bootstrap::default() };
            let options = Options { targets: vec![target], bootstrap, ..Options::default() };
            analyze(runs, &options).unwrap().predictions[0].clone()
        };
        let (before, after) = (at(&runs, 1e12), at(&scaled, c * 1e12));
        for (quantity, factor) in [
            (Quantity::N, n),
            (Quantity::D, d),
            (Quantity::UnitsPerParameter, d / n),
            (Quantity::Loss, loss),
        ] {
            let (a, b) = (before.interval(quantity).unwrap(), after.interval(quantity).unwrap());
            for (a, b) in [(a.estimate, b.estimate), (a.low, b.low), (a.high, b.high)] {
                prop_assert!((b / (factor * a) - 1.0).abs() < 1e-3, "{a} {b} {factor}");
            }
        }
    }
}
