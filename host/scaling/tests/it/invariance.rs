//! What must not change an answer: the order of the rows, the units of N and D,
//! and how a run's weight is split.

use flops_fit_scaling::{Bootstrap, Frontier, Method, Options, Run, Sample, Unfit, analyze, fit};
use proptest::prelude::*;

use crate::simulation::{Draws, Truth};

/// A sweep over four budgets by a law of its own, one or two seeds a size.
fn sweep(seed: u64, noise: f64) -> Vec<Run> {
    let mut draws = Draws(seed);
    let truth = Truth::draw(&mut draws);
    truth.sweep(&[1e10, 3e10, 1e11, 3e11], 1 + seed % 2, noise, &mut draws)
}

/// Branches of trunks, whose losses on the way are honest: every size at several D,
/// one or two seeds of each.
fn trunks(seed: u64, noise: f64) -> Vec<Run> {
    let mut draws = Draws(seed);
    let truth = Truth::draw(&mut draws);
    let mut runs = Vec::new();
    for (size, branch) in (0..7).flat_map(|size| (0..8).map(move |branch| (size, branch))) {
        let n = 3e3 * 2_f64.powi(size);
        let d = 2.7e4 * 2_f64.powi(branch);
        for _ in 0..=seed % 2 {
            let loss = truth.loss(n, d) + noise * draws.normal();
            runs.push(Run {
                group: Some(size.to_string()),
                ..Run::new(n, d, 6.0 * n * d, loss)
            });
        }
    }
    runs
}

/// Runs of which some saw their data up to 40 times, for what it is then worth
/// (Muennighoff et al. 2023).
fn repeating(seed: u64, noise: f64) -> Vec<Run> {
    let mut draws = Draws(seed);
    let truth = Truth::draw(&mut draws);
    let mut runs = Vec::new();
    for (size, length) in (0..6).flat_map(|size| (0..6).map(move |length| (size, length))) {
        for passes in [0.5, 2.0, 8.0, 40.0] {
            let (n, d) = (3e3 * 2.5_f64.powi(size), 1e5 * 2.5_f64.powi(length));
            let unique = d / passes;
            let beyond = f64::max(passes - 1.0, 0.0);
            let worth = unique * (f64::min(passes, 1.0) + 15.4 * (1.0 - (-beyond / 15.4).exp()));
            runs.push(Run {
                unique: Some(unique),
                ..Run::new(
                    n,
                    d,
                    6.0 * n * d,
                    truth.loss(n, worth) * (noise * draws.normal()).exp(),
                )
            });
        }
    }
    runs
}

/// Runs of a number, with so much noise.
type Kind = fn(u64, f64) -> Vec<Run>;

/// Kinds of runs, each with a method that has a law of it.
const KINDS: [(Kind, Method); 3] = [
    (sweep, Method::IsoflopCubic),
    (trunks, Method::Envelope),
    (repeating, Method::DataConstrained),
];

/// What is recommended, beside the methods.
const RECOMMENDED: &str = "recommended";

/// N*, D* and L* at 1e12 FLOPs by every method that has a law, and as recommended.
fn answers(runs: &[Run]) -> Vec<(&'static str, [f64; 3])> {
    let sample = Sample::new(runs).unwrap();
    let methods = Method::ALL.into_iter().filter_map(|method| {
        let optimum = fit(method, &sample).ok()?.optimum(1e12);
        Some((method.name(), [optimum.n, optimum.d, optimum.loss]))
    });
    let options = Options {
        bootstrap: Bootstrap {
            draws: 0,
            ..Bootstrap::default()
        },
        quality_checks: false,
        targets: vec![1e12],
        ..Options::default()
    };
    let recommended = analyze(runs, &options).unwrap().predictions;
    let recommended = recommended
        .into_iter()
        .map(|at| (RECOMMENDED, [at.n, at.d, at.loss]));
    methods.chain(recommended).collect()
}

/// Checks that other runs give the same answers, N, D and loss in other units. Runs
/// without a law of `method` are no case.
fn assert_same(
    runs: &[Run],
    others: &[Run],
    units: [f64; 3],
    method: Method,
) -> Result<(), TestCaseError> {
    let (expected, found) = (answers(runs), answers(others));
    let names = |answers: &[(&'static str, [f64; 3])]| -> Vec<&str> {
        answers.iter().map(|(name, _)| *name).collect()
    };
    assert_eq!(names(&expected), names(&found));
    assert!(names(&expected).contains(&RECOMMENDED));
    for needed in [method, Method::ParametricLad, Method::ParametricMse] {
        prop_assume!(names(&expected).contains(&needed.name()));
    }
    for ((name, before), (_, after)) in expected.into_iter().zip(found) {
        for ((a, b), unit) in before.into_iter().zip(after).zip(units) {
            assert!(
                (b / unit / a - 1.0).abs() < 1e-6,
                "{name}: {a} became {}",
                b / unit
            );
        }
    }
    Ok(())
}

fn shuffled(runs: &[Run], seed: u64) -> Vec<Run> {
    let mut draws = Draws(seed);
    let mut shuffled = runs.to_vec();
    for i in (1..shuffled.len()).rev() {
        shuffled.swap(i, draws.uniform(0.0, i as f64 + 1.0) as usize);
    }
    shuffled
}

fn in_other_units(runs: &[Run], [n, d, loss]: [f64; 3]) -> Vec<Run> {
    runs.iter()
        .map(|run| Run {
            n: run.n * n,
            d: run.d * d,
            loss: run.loss * loss,
            unique: run.unique.map(|unique| unique * d),
            ..run.clone()
        })
        .collect()
}

/// One run as two of half its weight.
fn split(runs: &[Run], pick: f64) -> Vec<Run> {
    let mut split = runs.to_vec();
    let chosen = (pick * runs.len() as f64) as usize;
    split[chosen].weight = Some(split[chosen].weight.unwrap_or(1.0) / 2.0);
    split.push(split[chosen].clone());
    split
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_order_of_the_rows(seed: u64, noise in 0.001..0.03, kind in 0_usize..3) {
        let (runs, method) = (KINDS[kind].0(seed, noise), KINDS[kind].1);
        assert_same(&runs, &shuffled(&runs, seed ^ 1), [1.0; 3], method)?;
    }

    #[test]
    fn the_units_of_n_and_d(
        seed: u64, noise in 0.001..0.03, kind in 0_usize..3, n in -14.0..14.0, d in -14.0..14.0,
    ) {
        let (runs, method) = (KINDS[kind].0(seed, noise), KINDS[kind].1);
        let units = [f64::exp(n), f64::exp(d), 1.0];
        assert_same(&runs, &in_other_units(&runs, units), units, method)?;
    }

    #[test]
    fn how_a_weight_is_split(
        seed: u64, noise in 0.001..0.03, kind in 0_usize..3, pick in 0.0..1.0,
    ) {
        let (mut runs, method) = (KINDS[kind].0(seed, noise), KINDS[kind].1);
        for (i, run) in runs.iter_mut().enumerate() {
            run.weight = Some(0.5 + (i % 3) as f64);
        }
        assert_same(&runs, &split(&runs, pick), [1.0; 3], method)?;
    }
}

/// Where larger models do worse at every D, no surface has a term of N, in whatever order
/// and units.
#[test]
fn a_loss_that_rises_with_n_is_no_law() {
    let mut runs = Vec::new();
    for (size, length) in (0..5).flat_map(|size| (0..5).map(move |length| (size, length))) {
        let (n, d) = (1e5 * 3_f64.powi(size), 1e7 * 3_f64.powi(length));
        let loss = 2.0 + 40.0 * d.powf(-0.3) + 0.01 * f64::from(size);
        runs.push(Run::new(n, d, 6.0 * n * d, loss));
    }
    for seed in 0..20_u32 {
        let unit = 10_f64.powi(seed as i32 % 7 - 3);
        let others = in_other_units(&shuffled(&runs, seed.into()), [unit, 1.0 / unit, 1.0]);
        let sample = Sample::new(&others).unwrap();
        for method in [
            Method::ParametricHuber,
            Method::ParametricLad,
            Method::ParametricMse,
        ] {
            let unfit = fit(method, &sample).unwrap_err();
            assert_eq!(unfit, Unfit::Flat { quantity: 'N' }, "{method}, {seed}");
        }
    }
}

/// The runs that the published fits are of, budgets found by their C.
#[test]
fn nothing_of_this_matters_on_the_published_runs() {
    let Some(runs) = crate::chinchilla::runs(5) else {
        return;
    };
    let units = [1e-9, 1e-6, 1.0];
    let method = Method::IsoflopCubic;
    assert_same(&runs, &shuffled(&runs, 3), [1.0; 3], method).unwrap();
    assert_same(&runs, &in_other_units(&runs, units), units, method).unwrap();
    assert_same(&runs, &split(&runs, 0.37), [1.0; 3], method).unwrap();
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
        let runs = rows.iter().map(|&(n, d, c, loss)| Run::new(n, d, c, loss));
        let runs: Vec<Run> = runs.filter(|run| run.check(0).is_ok()).collect();
        let losses: Vec<f64> = runs.iter().map(|run| run.loss * 1.01).collect();
        let sample = Sample::new(&runs).unwrap();
        for method in Method::ALL {
            match fit(method, &sample) {
                Ok(fit) => {
                    let _ = fit.optimum(1e20);
                    let _ = fit.refit(&losses, None);
                }
                Err(reason) => {
                    let _: Unfit = reason;
                }
            }
        }
    }
}

proptest! {
    // An analysis is a hundred fits.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_numbers_make_an_analysis_panic(rows in prop::collection::vec((number(), number(), number(), number()), 1..40)) {
        let runs: Vec<Run> = rows.iter().map(|&(n, d, c, loss)| Run::new(n, d, c, loss)).collect();
        let bootstrap = Bootstrap { draws: 21, ..Bootstrap::default() };
        let options = Options { bootstrap, ..Options::default() };
        let _ = analyze(&runs, &options).unwrap();
    }
}
