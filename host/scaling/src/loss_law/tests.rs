use super::*;

fn points(floor: f64, k: f64, exponent: f64, budgets: &[f64]) -> Vec<LossPoint> {
    budgets
        .iter()
        .map(|c: &f64| LossPoint {
            ln_c: c.ln(),
            loss: floor + k * c.powf(-exponent),
            unit_variance: 0.2,
        })
        .collect()
}

fn noise(sd: f64) -> NoiseLevel {
    NoiseLevel {
        variance: sd * sd,
        dof: 10.0,
    }
}

const BUDGETS: [f64; 4] = [1e10, 3e10, 1e11, 3e11];

#[test]
fn an_exact_law_is_recovered() {
    for (floor, k, exponent) in [(0.6, 80.0, 0.18), (1.69, 30.0, 0.154), (0.0, 16.0, 0.087)] {
        let law = LossLaw::fit(&points(floor, k, exponent, &BUDGETS), noise(0.0));
        assert!((law.floor.estimate - floor).abs() < 1e-3, "{:?}", law.floor);
        assert!((law.exponent.estimate / exponent - 1.0).abs() < 1e-2);
        assert!((law.k / k - 1.0).abs() < 0.1, "{}", law.k);
        let expected = floor + k * 1e12_f64.powf(-exponent);
        assert!((law.predict(1e12).estimate - expected).abs() < 1e-3);
    }
}

#[test]
fn noise_widens_the_floor_but_not_the_prediction() {
    let law = LossLaw::fit(&points(0.6, 80.0, 0.18, &BUDGETS), noise(0.02));
    assert!(law.floor.contains(0.6), "{:?}", law.floor);
    assert!(law.floor.half_width() > 0.2, "{:?}", law.floor);
    let found = law.predict(1e12);
    let expected = 0.6 + 80.0 * 1e12_f64.powf(-0.18);
    assert!(found.contains(expected));
    assert!(found.half_width() < 0.05, "{found:?}");
    let shares: f64 = law.members.iter().map(|m| m.share).sum();
    assert!((shares - 1.0).abs() < 1e-9);
}

#[test]
fn two_budgets_predict_between_a_plateau_and_a_power_law() {
    let law = LossLaw::fit(&points(0.6, 80.0, 0.18, &[1e10, 1e11]), noise(0.01));
    assert_eq!(law.chi_square, None);
    let lowest = 0.6 + 80.0 * 1e11_f64.powf(-0.18);
    let found = law.predict(1e12);
    assert!(
        found.estimate < lowest && found.low > 0.5 * lowest,
        "{found:?}"
    );
    assert!(found.contains(0.6 + 80.0 * 1e12_f64.powf(-0.18)));
}

#[test]
fn mixture_quantiles() {
    let part = |share, value, sd| Part { share, value, sd };
    let one = [part(1.0, 3.0, 2.0)];
    assert!((quantile(&one, 7.0, 0.975) - (3.0 + 2.0 * 2.365)).abs() < 2e-3);
    // Two far-away halves: the lower quartile is the median of the lower half.
    let two = [part(0.5, 0.0, 1.0), part(0.5, 100.0, 1.0)];
    assert!(quantile(&two, 7.0, 0.25).abs() < 1e-3);
    let exact = [part(1.0, 3.0, 0.0)];
    assert!((quantile(&exact, 7.0, 0.025) - 3.0).abs() < 1e-9);
}
