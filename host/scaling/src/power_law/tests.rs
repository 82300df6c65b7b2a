use proptest::prelude::*;

use super::*;

fn points(xs: &[f64], ys: &[f64], unit_variance: f64) -> Vec<LogPoint> {
    xs.iter()
        .zip(ys)
        .map(|(&ln_c, &ln_y)| LogPoint {
            ln_c,
            ln_y,
            unit_variance,
            weight: 1.0 / unit_variance,
        })
        .collect()
}

const QUIET: NoiseLevel = NoiseLevel {
    variance: 0.0,
    dof: 10.0,
};

#[test]
fn scatter_beyond_the_noise_gives_the_regression_interval() {
    // x 1…4, y 2 4 5 8: slope 1.9, residual sum of squares 0.7, so s² = 0.35 and
    // the slope's variance s²/5.
    let law = PowerLaw::fit(
        &points(&[1.0, 2.0, 3.0, 4.0], &[2.0, 4.0, 5.0, 8.0], 1.0),
        QUIET,
    );
    assert!((law.exponent.estimate - 1.9).abs() < 1e-12);
    assert!((law.covariance[1][1] - 0.35 / 5.0).abs() < 1e-12);
    assert!((law.covariance[0][0] - 0.35 / 4.0).abs() < 1e-12);
    assert!(law.covariance[0][1].abs() < 1e-12);
    assert!((law.scatter - 0.35).abs() < 1e-12);
    // At x = 6, 3.5 from the middle: 4.75 + 1.9 · 3.5, and the textbook's
    // prediction variance s²(1 + 1/4 + 3.5²/5).
    let found = law.predict(6_f64.exp());
    let expected = 0.35 * (1.0 + 0.25 + 3.5 * 3.5 / 5.0);
    assert!((found.estimate.ln() - 11.4).abs() < 1e-12);
    let half = (found.high / found.low).ln() / 2.0;
    assert!((half - student::two_sided(2.0) * f64::sqrt(expected)).abs() < 1e-9);
}

#[test]
fn misfit_joins_the_noise_with_its_own_degrees_of_freedom() {
    let noise = NoiseLevel {
        variance: 1.0,
        dof: 20.0,
    };
    for (misfit, free, variance, dof) in [
        (0.9, 2.0, 1.0, 20.0),
        (7.0, 0.0, 1.0, 20.0),
        (2.0, 2.0, 2.0, 4.0 / (1.0 / 20.0 + 1.0 / 2.0)),
        (1e6, 2.0, 1e6, 2.0),
    ] {
        let raised = noise.raised_to(misfit, free);
        assert!((raised.variance - variance).abs() < 1e-9);
        assert!((raised.dof / dof - 1.0).abs() < 1e-4, "{}", raised.dof);
    }
}

#[test]
fn a_misfit_within_the_noise_is_pooled_and_a_larger_one_is_not() {
    let noise = NoiseLevel {
        variance: 1.0,
        dof: 20.0,
    };
    // F(0.95; 1, 20) = 4.35.
    let pooled = noise.pooled_with(3.0, 1.0);
    assert!((pooled.variance - 23.0 / 21.0).abs() < 1e-12);
    assert!((pooled.dof - 21.0).abs() < 1e-12);
    assert_eq!(noise.pooled_with(5.0, 1.0), noise.raised_to(5.0, 1.0));
    assert_eq!(noise.pooled_with(5.0, 0.0), noise);
}

#[test]
fn noise_sets_the_interval_where_the_line_is_straight() {
    let noise = NoiseLevel {
        variance: 0.01,
        dof: 8.0,
    };
    let law = PowerLaw::fit(&points(&[0.0, 1.0, 2.0], &[0.0, 0.5, 1.0], 4.0), noise);
    assert!((law.covariance[1][1] - 0.04 / 2.0).abs() < 1e-12);
    assert!(law.chi_square.unwrap() < 1e-9);
    let two = PowerLaw::fit(&points(&[0.0, 2.0], &[0.0, 1.0], 4.0), noise);
    assert_eq!(two.chi_square, None);
    assert!((two.exponent.estimate - 0.5).abs() < 1e-12);
}

proptest! {
    #[test]
    fn an_exact_law_is_recovered(
        ln_k in -5.0_f64..5.0,
        exponent in -2.0_f64..2.0,
        variances in prop::collection::vec(0.1_f64..10.0, 2..7),
        ln_target in 10.0_f64..60.0,
    ) {
        let points: Vec<LogPoint> = variances
            .iter()
            .enumerate()
            .map(|(i, &unit_variance)| {
                let ln_c = 23.0 + i as f64;
                LogPoint {
                    ln_c,
                    ln_y: ln_k + exponent * ln_c,
                    unit_variance,
                    weight: 1.0 / unit_variance,
                }
            })
            .collect();
        let law = PowerLaw::fit(&points, QUIET);
        prop_assert!((law.exponent.estimate - exponent).abs() < 1e-9);
        prop_assert!((law.k().ln() - ln_k).abs() < 1e-7);
        let found = law.predict(ln_target.exp()).estimate.ln();
        prop_assert!((found - ln_k - exponent * ln_target).abs() < 1e-7);
    }
}
