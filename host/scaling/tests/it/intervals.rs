//! What a bootstrap promises whatever the method.

use std::num::NonZeroUsize;

use flops_fit_scaling::coverage::{Cell, Coverage, Effort, RECOMMENDED, UNWIDENED, cells, measure};
use flops_fit_scaling::simulate::{Truth, noisy};
use flops_fit_scaling::{Bootstrap, Fit, Frontier, Method, Run, Sample, Scheme, fit};

const BUDGETS: [f64; 5] = [1e18, 3e18, 1e19, 3e19, 1e20];

fn truth() -> Truth {
    Truth::with_exponents(0.34, 0.28, 1e19, 0.9)
}

fn sweep(seeds: u64) -> Vec<Run> {
    noisy(&truth().sweep(&BUDGETS, 6, 4.0, 1.0, seeds), 0.01, 11, 0)
}

fn fits(sample: &Sample) -> Vec<Fit<'_>> {
    let fits: Vec<Fit<'_>> = Method::ALL
        .into_iter()
        .filter_map(|method| fit(method, sample).ok())
        .collect();
    assert!(fits.len() >= 2, "{}", fits.len());
    fits
}

/// Every bound at two budgets, bit by bit.
fn bits(bootstrap: &Bootstrap, fit: &Fit<'_>) -> Vec<u64> {
    let draws = bootstrap.run(fit);
    [1e20, 1e21]
        .into_iter()
        .filter_map(|c| draws.at(c))
        .flat_map(|at| [at.n, at.d, at.units_per_parameter, at.loss])
        .flat_map(|interval| [interval.low, interval.estimate, interval.high])
        .map(f64::to_bits)
        .collect()
}

#[test]
fn the_same_seed_gives_the_same_bits_at_any_thread_count() {
    let sample = Sample::new(&sweep(2)).unwrap();
    for fit in fits(&sample) {
        for scheme in [Scheme::WildCluster, Scheme::Pair] {
            let on = |threads| Bootstrap {
                scheme,
                draws: 50,
                threads: NonZeroUsize::new(threads),
                ..Bootstrap::default()
            };
            let one = bits(&on(1), &fit);
            assert_eq!(one.len(), 24, "{}", fit.method());
            assert_eq!(one, bits(&on(2), &fit), "{}", fit.method());
            assert_eq!(one, bits(&on(3), &fit), "{}", fit.method());
            let other = Bootstrap { seed: 1, ..on(1) };
            assert_ne!(one, bits(&other, &fit), "{}", fit.method());
        }
    }
}

#[test]
fn intervals_surround_the_estimate_and_widen_with_distance() {
    let sample = Sample::new(&sweep(1)).unwrap();
    for fit in fits(&sample) {
        let draws = Bootstrap::default().run(&fit);
        let near = draws.at(1e19).unwrap();
        let far = draws.at(1e22).unwrap();
        let optimum = fit.optimum(1e22);
        for (interval, estimate) in [
            (far.n, optimum.n),
            (far.d, optimum.d),
            (far.units_per_parameter, optimum.d / optimum.n),
            (far.loss, optimum.loss),
        ] {
            assert!((interval.estimate / estimate - 1.0).abs() < 1e-12);
            assert!(interval.low < estimate && estimate < interval.high);
        }
        let factor = |interval: flops_fit_scaling::Interval| interval.high / interval.low;
        assert!(factor(far.n) > factor(near.n), "{}", fit.method());
        assert!(
            far.loss.half_width() > near.loss.half_width(),
            "{}",
            fit.method()
        );
    }
}

#[test]
fn seeds_of_one_configuration_are_one_cluster() {
    // Copies of a run carry no information: with and without them the interval is
    // that of the same clusters.
    let runs = sweep(1);
    let doubled: Vec<Run> = runs
        .iter()
        .flat_map(|run| {
            [0, 1].map(|seed| Run {
                seed: Some(seed),
                ..run.clone()
            })
        })
        .collect();
    let (once, twice) = (Sample::new(&runs).unwrap(), Sample::new(&doubled).unwrap());
    for (one, two) in fits(&once).iter().zip(&fits(&twice)) {
        assert_eq!(one.method(), two.method());
        // A robust fit passes through runs, and twice through copies.
        if matches!(
            one.method(),
            Method::ParametricHuber | Method::ParametricLad
        ) {
            continue;
        }
        let width = |fit: &Fit<'_>| {
            let n = Bootstrap::default().run(fit).at(1e21).unwrap().n;
            (n.high / n.low).ln()
        };
        let ratio = width(two) / width(one);
        assert!((ratio - 1.0).abs() < 0.1, "{}: {ratio}", one.method());
    }
}

/// The published intervals come from 4000 pair bootstraps of the log-Huber fit.
#[test]
fn pair_bootstrap_gives_the_published_intervals() {
    let Some(runs) = crate::chinchilla::runs(5) else {
        return;
    };
    let sample = Sample::new(&runs).unwrap();
    let fit = fit(Method::ParametricHuber, &sample).unwrap();
    let pair = Bootstrap {
        scheme: Scheme::Pair,
        draws: 4000,
        ..Bootstrap::default()
    };
    let found = pair.run(&fit).surface().unwrap();
    println!("{found:?}");
    for (name, interval, low, high, tolerance) in [
        ("E", found.floor, 1.769, 1.871, 0.01),
        ("α", found.alpha, 0.317, 0.373, 0.01),
        ("β", found.beta, 0.331, 0.415, 0.01),
        ("A", found.a_factor, 285.2, 743.6, 0.05),
        ("B", found.b_factor, 1042.0, 5810.0, 0.08),
    ] {
        for (found, published) in [(interval.low, low), (interval.high, high)] {
            let error: f64 = found / published - 1.0;
            assert!(error.abs() <= tolerance, "{name}: {found} for {published}");
        }
    }
}

/// Means over the cells of reduced runs of `cargo xtask bench coverage` and `bench
/// selection`.
fn over_cells(cells: Vec<Cell>, sweeps: usize) -> impl Fn(&str, fn(&Coverage) -> f64) -> f64 {
    let found: Vec<Vec<Coverage>> = cells
        .into_iter()
        .zip(0..)
        .map(|(cell, seed)| {
            let effort = Effort {
                sweeps,
                draws: 59,
                seed,
                threads: None,
            };
            measure(&cell, &effort)
        })
        .collect();
    move |name, figure| {
        let of = |cell: &Vec<Coverage>| {
            let one = cell.iter().find(|one| one.name == name);
            println!("{one:?}");
            one.map(figure)
        };
        let figures: Vec<f64> = found.iter().filter_map(of).collect();
        figures.iter().sum::<f64>() / figures.len() as f64
    }
}

/// 6 cells of 40 sweeps: the pooled share of a nominal 95 % has a standard deviation of
/// 1.4 %.
#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    let mean = over_cells(cells::right(), 40);
    for method in [Method::ParametricMse, Method::ParametricHuber] {
        let share = mean(method.name(), |one| one.n);
        assert!((0.9..=0.995).contains(&share), "{method}: {share}");
    }
    let widened = mean(RECOMMENDED, |one| one.n);
    assert!(widened > 0.92, "{widened}");
    assert!(widened >= mean(UNWIDENED, |one| one.n));
    let single = mean(Method::ParametricMse.name(), |one| one.n_width);
    let widths = mean(RECOMMENDED, |one| one.n_width) / single;
    assert!(widths < 1.5, "{widths}");
}

/// `bench selection` at full size asks for 1.1.
#[test]
fn the_recommendation_costs_little_more_than_the_best_method() {
    let all: Vec<Cell> = [cells::right(), cells::biased(), cells::wrong()].concat();
    let mean = over_cells(all, 12);
    let regret = |name: &str| mean(name, |one| one.regret);
    let best = Method::ALL
        .map(|method| regret(method.name()))
        .into_iter()
        .fold(f64::INFINITY, f64::min);
    let ratio = regret(RECOMMENDED) / best;
    println!("{ratio}");
    assert!(ratio < 1.2, "{ratio}");
}
