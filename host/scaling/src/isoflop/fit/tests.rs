use proptest::prelude::*;

use super::*;
use crate::run::Run;

fn runs(losses: &[(f64, f64)]) -> Vec<Run> {
    losses
        .iter()
        .map(|&(ln_n, loss)| {
            let n = ln_n.exp();
            Run::new(n, 1e10 / (6.0 * n), 1e10, loss)
        })
        .collect()
}

fn fit_one(runs: &[Run]) -> (Option<Noise>, BudgetFit) {
    let mut fitted = fit(&Sample::new(runs).unwrap());
    (fitted.noise, fitted.budgets.remove(0))
}

/// Losses at ln N = 0, 1, 2, … that differ from `curve` by a small, fixed ripple.
fn rippled(count: u32, curve: impl Fn(f64) -> f64) -> Vec<Run> {
    let losses: Vec<(f64, f64)> = (0..count)
        .map(|i| {
            (
                f64::from(i),
                curve(f64::from(i)) + 0.004 * f64::from(i * i % 3) - 0.004,
            )
        })
        .collect();
    runs(&losses)
}

#[test]
fn diagnoses() {
    let check = |runs: &[Run], expected: &str| {
        let (_, fitted) = fit_one(runs);
        let Outcome::Undetermined(diagnosis) = &fitted.outcome else {
            panic!("expected {expected}, found {:?}", fitted.outcome);
        };
        assert_eq!(diagnosis.to_string(), expected);
    };
    check(
        &rippled(5, |x| 2.0 + 0.05 * (x + 1.0).powi(2)),
        "loss still falls towards small models at N = 1; add N ≈ 0.37",
    );
    check(
        &rippled(5, |x| 2.0 + 0.05 * (x - 6.0).powi(2)),
        "loss still falls towards large models at N = 54.6; add N ≈ 148",
    );
    check(
        &rippled(5, |x| 2.0 - 0.05 * (x - 2.0).powi(2)),
        "no upward bend beyond the noise (curvature -0.1006, standard error 0.0015); add N ≈ 0.37, 148",
    );
    check(
        &rippled(5, |x| 2.0 + 0.0005 * (x - 2.0).powi(2)),
        "no upward bend beyond the noise (curvature 0.0004, standard error 0.0015); add N ≈ 0.37, 148",
    );
    check(
        &rippled(3, |x| 2.0 + 0.05 * (x - 1.0).powi(2)),
        "3 distinct sizes, 4 needed; add N ≈ 20.1",
    );
    check(
        &rippled(1, |_| 2.0),
        "1 distinct size, 4 needed; add N ≈ 0.5, 2, 4",
    );
}

#[test]
fn the_number_of_sizes_decides_the_curves() {
    for (count, methods, few) in [
        (3, &[][..], false),
        (4, &[Method::Parabola], true),
        (5, &[Method::Parabola], true),
        (6, &[Method::Cubic, Method::Parabola], false),
    ] {
        // So close together that all sizes are within a factor 4 of the lowest.
        let losses: Vec<(f64, f64)> = (0..count)
            .map(|i| f64::from(i) * 0.4)
            .map(|x| (x, 2.0 + 0.1 * (x - 1.2).powi(2) + 0.001 * (7.0 * x).sin()))
            .collect();
        let (_, fitted) = fit_one(&runs(&losses));
        let found: Vec<Method> = fitted.fits.iter().map(|f| f.method).collect();
        assert_eq!(found, methods, "{count} sizes");
        assert_eq!(fitted.few_points, few);
    }
}

#[test]
fn the_window_leaves_far_sizes_out() {
    let losses: Vec<(f64, f64)> = (0..17)
        .map(|i| f64::from(i) / 2.0)
        .map(|x| (x, x - 4.0))
        .map(|(x, z)| (x, 2.0 + 0.1 * z.powi(2) + 0.01 * z.powi(3)))
        .collect();
    let (_, fitted) = fit_one(&runs(&losses));
    let off = |method| {
        let fit = fitted.fit(method).unwrap();
        let minimum = fit.outcome.minimum().unwrap();
        ((minimum.n.estimate.ln() - 4.0).abs(), fit.sizes)
    };
    let (cubic, windowed, parabola) = (
        off(Method::Cubic),
        off(Method::WindowedParabola),
        off(Method::Parabola),
    );
    assert_eq!((cubic.1, windowed.1, parabola.1), (17, 5, 17));
    assert!(cubic.0 < 1e-6 && windowed.0 < 0.05 && parabola.0 > 0.3);
}

#[test]
fn noise_is_pooled_over_budgets_and_seeds() {
    // Pairs that differ by 2e around a parabola: seeds alone have variance 2e²,
    // the curve none to add.
    let pairs = |e: f64| {
        let losses: Vec<(f64, f64)> = (0..5)
            .map(f64::from)
            .flat_map(|x| [-e, e].map(|e| (x, 2.0 + 0.1 * (x - 2.0).powi(2) + e)))
            .collect();
        runs(&losses)
    };
    let (quiet, loud) = (pairs(0.01), pairs(0.03));
    let both: Vec<Run> = (quiet.iter().map(|run| (1.0, run)))
        .chain(loud.iter().map(|run| (2.0, run)))
        .map(|(budget, run)| Run {
            budget: Some(budget),
            ..run.clone()
        })
        .collect();
    let fitted = fit(&Sample::new(&both).unwrap());
    let noise = fitted.noise.unwrap();
    let rss = 10.0 * (0.01_f64.powi(2) + 0.03_f64.powi(2));
    assert!(
        (noise.dof - 14.0).abs() < 1e-12,
        "2 × (10 runs − 3 coefficients)"
    );
    assert!((noise.sd - (rss / 14.0).sqrt()).abs() < 1e-9);
    let (sd, dof) = noise.between_seeds.unwrap();
    assert!((dof - 10.0).abs() < 1e-12);
    assert!((sd - (rss / 10.0).sqrt()).abs() < 1e-9);
    // One level for both: the minima's errors are the same.
    let se: Vec<f64> = fitted
        .budgets
        .iter()
        .map(|b| b.outcome.minimum().unwrap().ln_n_se)
        .collect();
    assert!((se[0] / se[1] - 1.0).abs() < 1e-9);
}

#[test]
fn a_weight_counts_like_repeated_runs() {
    let mut weighted = rippled(5, |x| 2.0 + 0.05 * (x - 2.0).powi(2));
    let mut repeated = weighted.clone();
    repeated.push(weighted[1].clone());
    weighted[1].weight = Some(2.0);
    let found = |runs: &[Run]| {
        let (_, fitted) = fit_one(runs);
        let minimum = fitted.outcome.minimum().unwrap().clone();
        (
            minimum.n.estimate,
            minimum.loss.estimate,
            minimum.unit_variance.ln_n,
        )
    };
    let (a, b) = (found(&weighted), found(&repeated));
    assert!((a.0 / b.0 - 1.0).abs() < 1e-9);
    assert!((a.1 - b.1).abs() < 1e-9);
    assert!((a.2 / b.2 - 1.0).abs() < 1e-9);
}

#[test]
fn the_delta_method_agrees_with_finite_differences() {
    let base = rippled(8, |x| {
        2.0 + 0.03 * (x - 3.0).powi(2) + 0.002 * (x - 3.0).powi(3)
    });
    for method in [Method::Cubic, Method::Parabola] {
        let minimum = |runs: &[Run]| {
            let (_, fitted) = fit_one(runs);
            let fit = fitted.fit(method).unwrap();
            fit.outcome.minimum().unwrap().clone()
        };
        let here = minimum(&base);
        let (mut of_n, mut of_loss) = (0.0, 0.0);
        for i in 0..base.len() {
            let mut moved = base.clone();
            moved[i].loss += 1e-6;
            let there = minimum(&moved);
            of_n += ((there.n.estimate / here.n.estimate).ln() / 1e-6).powi(2);
            of_loss += ((there.loss.estimate - here.loss.estimate) / 1e-6).powi(2);
        }
        assert!(
            (here.unit_variance.ln_n / of_n - 1.0).abs() < 1e-3,
            "{method:?}"
        );
        assert!(
            (here.unit_variance.loss / of_loss - 1.0).abs() < 1e-3,
            "{method:?}"
        );
    }
}

proptest! {
    #[test]
    fn an_exact_parabola_is_recovered(
        at in 1.0_f64..6.0,
        lowest in 0.5_f64..5.0,
        curvature in 0.02_f64..0.5,
        count in 4_u32..9,
    ) {
        let losses: Vec<(f64, f64)> = (0..count)
            .map(|i| 7.0 * f64::from(i) / f64::from(count - 1))
            .map(|x| (x, lowest + curvature / 2.0 * (x - at).powi(2)))
            .collect();
        let (_, fitted) = fit_one(&runs(&losses));
        for fit in &fitted.fits {
            // A window may hold the minimum outside its sizes.
            if let Some(minimum) = fit.outcome.minimum() {
                prop_assert!((minimum.n.estimate.ln() - at).abs() < 1e-6);
                prop_assert!((minimum.loss.estimate - lowest).abs() < 1e-8);
                prop_assert!((minimum.curvature.estimate / curvature - 1.0).abs() < 1e-5);
                let d = 1e10 / (6.0 * at.exp());
                prop_assert!((minimum.d.estimate / d - 1.0).abs() < 1e-6);
            } else {
                prop_assert_eq!(fit.method, Method::WindowedParabola);
            }
        }
    }
}
