//! What must not change an answer: the order of the rows, the units of N and D,
//! and how a run's weight is split.

use flops_fit_scaling::{Frontier, Method, Run, Sample, Unfit, fit};
use proptest::prelude::*;

use crate::simulation::{Draws, Truth};

/// A sweep over four budgets, one seed a size, by a law of its own.
fn sweep(seed: u64, noise: f64) -> Vec<Run> {
    let mut draws = Draws(seed);
    let truth = Truth::draw(&mut draws);
    truth.sweep(&[1e10, 3e10, 1e11, 3e11], 1, noise, &mut draws)
}

/// N*, D* and L* at 1e12 FLOPs by every method that has a law.
fn answers(runs: &[Run]) -> Vec<(Method, [f64; 3])> {
    let sample = Sample::new(runs).unwrap();
    Method::ALL
        .into_iter()
        .filter_map(|method| {
            let optimum = fit(method, &sample).ok()?.optimum(1e12);
            Some((method, [optimum.n, optimum.d, optimum.loss]))
        })
        .collect()
}

/// Checks that other runs give the same answers, N and D in other units.
fn assert_same(runs: &[Run], others: &[Run], n_unit: f64, d_unit: f64) {
    let (expected, found) = (answers(runs), answers(others));
    assert_eq!(expected.len(), found.len());
    assert!(
        expected
            .iter()
            .any(|(method, _)| *method == Method::ParametricLad)
    );
    for ((method, a), (_, b)) in expected.into_iter().zip(found) {
        for (a, b) in a.into_iter().zip([b[0] / n_unit, b[1] / d_unit, b[2]]) {
            assert!((b / a - 1.0).abs() < 1e-6, "{method}: {a} became {b}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_order_of_the_rows(seed: u64, noise in 0.001..0.03) {
        let runs = sweep(seed, noise);
        let mut draws = Draws(seed ^ 1);
        let mut shuffled = runs.clone();
        for i in (1..shuffled.len()).rev() {
            shuffled.swap(i, draws.uniform(0.0, i as f64 + 1.0) as usize);
        }
        assert_same(&runs, &shuffled, 1.0, 1.0);
    }

    #[test]
    fn the_units_of_n_and_d(seed: u64, noise in 0.001..0.03, n in -14.0..14.0, d in -14.0..14.0) {
        let runs = sweep(seed, noise);
        let (n_unit, d_unit) = (f64::exp(n), f64::exp(d));
        let others: Vec<Run> = runs
            .iter()
            .map(|run| Run { n: run.n * n_unit, d: run.d * d_unit, ..run.clone() })
            .collect();
        assert_same(&runs, &others, n_unit, d_unit);
    }

    #[test]
    fn how_a_weight_is_split(seed: u64, noise in 0.001..0.03, pick in 0.0..1.0) {
        let mut runs = sweep(seed, noise);
        for (i, run) in runs.iter_mut().enumerate() {
            run.weight = Some(0.5 + (i % 3) as f64);
        }
        let mut split = runs.clone();
        let chosen = (pick * runs.len() as f64) as usize;
        split[chosen].weight = split[chosen].weight.map(|weight| weight / 2.0);
        split.push(split[chosen].clone());
        assert_same(&runs, &split, 1.0, 1.0);
    }
}

/// Values that break careless code: equal, tiny, huge, and all that lies between.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (-3.0..3.0).prop_map(f64::exp),
        2 => (-40.0..40.0).prop_map(f64::exp),
        1 => prop::sample::select(vec![1.0, 2.0, 1e-300, 1e300, f64::MAX, f64::MIN_POSITIVE, 5e-324]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_numbers_make_it_panic(rows in prop::collection::vec((number(), number(), number(), number()), 1..40)) {
        let runs: Vec<Run> = rows.iter().map(|&(n, d, c, loss)| Run::new(n, d, c, loss)).collect();
        let sample = Sample::new(&runs).unwrap();
        for method in Method::ALL {
            match fit(method, &sample) {
                Ok(fit) => {
                    let _ = fit.optimum(1e20);
                    let _ = fit.refit(&rows.iter().map(|row| row.3 * 1.01).collect::<Vec<_>>(), None);
                }
                Err(reason) => {
                    let _: Unfit = reason;
                }
            }
        }
        let _ = flops_fit_scaling::analyze(&runs, &flops_fit_scaling::Options::default());
    }
}
