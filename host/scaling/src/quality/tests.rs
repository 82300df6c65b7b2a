use super::*;

const ALL: Checks = Checks {
    enabled: true,
    max_repeats: Some(MAX_REPEATS),
    drop_worst: 0,
};

/// Budgets 1e18, 1e19, 1e20 with `sizes` sizes each, a step of ×1.6 apart around
/// `center` times the optimum, and a ripple as noise.
fn sweep(sizes: i32, center: f64) -> Vec<Run> {
    let mut runs = Vec::new();
    for (budget, c) in [1e18_f64, 1e19, 1e20].into_iter().enumerate() {
        let optimum = (c / 120.0).sqrt();
        for i in 0..sizes {
            let n = center * optimum * 1.6_f64.powf(f64::from(i) - f64::from(sizes - 1) / 2.0);
            let ripple = 0.003 * (f64::from(i * 7) + 3.0 * budget as f64).sin();
            let loss = 3.0 - 0.3 * budget as f64 + 0.08 * (n / optimum).ln().powi(2) + ripple;
            runs.push(Run {
                budget: Some(c),
                ..Run::new(n, c / (6.0 * n), c, loss)
            });
        }
    }
    runs
}

/// Positions and kinds of what is left out.
fn left_out(runs: &[Run], checks: Checks) -> Vec<(usize, String)> {
    screen(runs, checks)
        .unwrap()
        .left_out
        .into_iter()
        .map(|one| {
            let kind = serde_json::to_value(&one.reason).unwrap()["kind"].clone();
            (one.run, kind.as_str().unwrap().to_owned())
        })
        .collect()
}

fn check(runs: &[Run], expected: &[(usize, &str)]) {
    let found = left_out(runs, ALL);
    let found: Vec<(usize, &str)> = found.iter().map(|(i, kind)| (*i, kind.as_str())).collect();
    assert_eq!(found, expected);
    let fitted = screen(runs, ALL).unwrap();
    assert_eq!(fitted.kept.len() + expected.len(), runs.len());
}

#[test]
fn a_clean_sweep_is_kept() {
    check(&sweep(7, 1.0), &[]);
    assert!(screen(&sweep(7, 1.0), ALL).unwrap().flags.is_empty());
}

#[test]
fn the_highest_losses_are_dropped_on_request_even_without_checks() {
    let mut runs = sweep(7, 1.0);
    runs[3].loss = 9.0;
    runs[11].loss = 7.0;
    runs[12].loss = 7.0;
    for enabled in [true, false] {
        let checks = Checks {
            enabled,
            drop_worst: 2,
            ..ALL
        };
        let dropped: Vec<usize> = screen(&runs, checks)
            .unwrap()
            .left_out
            .iter()
            .filter(|one| matches!(one.reason, LeftOutReason::Worst { count: 2 }))
            .map(|one| one.run)
            .collect();
        assert_eq!(dropped, [3, 12]);
    }
    let all = Checks {
        drop_worst: 100,
        ..ALL
    };
    assert_eq!(left_out(&runs, all).len(), runs.len());
}

#[test]
fn impossible_numbers_are_left_out_or_refused() {
    let mut runs = sweep(7, 1.0);
    runs[2].loss = f64::NAN;
    runs[9].d = -1.0;
    runs[17].loss = 0.0;
    check(
        &runs,
        &[(2, "diverged"), (9, "impossible"), (17, "impossible")],
    );
    let without = Checks {
        enabled: false,
        max_repeats: None,
        drop_worst: 0,
    };
    assert_eq!(screen(&runs, without).unwrap_err().row, 2);
}

#[test]
fn repeated_rows_and_nearly_repeated_sizes() {
    let mut runs = sweep(7, 1.0);
    runs.push(runs[4].clone());
    let mut again = runs[10].clone();
    again.n *= 1.002;
    runs.push(again);
    let repetition = Run {
        loss: runs[5].loss + 0.002,
        ..runs[5].clone()
    };
    runs.push(repetition);
    check(&runs, &[(21, "duplicate"), (22, "near_duplicate")]);
    let without = Checks {
        enabled: false,
        max_repeats: None,
        drop_worst: 0,
    };
    assert!(left_out(&runs, without).is_empty(), "as given");
}

#[test]
fn worn_data() {
    let mut runs = sweep(7, 1.0);
    for (row, passes) in [(3, 3.9), (5, 4.5)] {
        runs[row].unique = Some(runs[row].d / passes);
    }
    check(&runs, &[(5, "repeated")]);
}

#[test]
fn a_point_off_the_curve_goes_and_its_neighbours_stay() {
    for row in [1, 9, 19] {
        for off in [0.12, -0.12] {
            let mut runs = sweep(8, 1.0);
            runs[row].loss += off;
            check(&runs, &[(row, "outlier")]);
        }
    }
    let mut runs = sweep(8, 1.0);
    runs[11].loss += 4.0;
    runs[20].loss += 0.15;
    check(&runs, &[(11, "diverged"), (20, "outlier")]);
}

#[test]
fn what_was_tried_again_is_not_fitted_and_is_no_worst_run() {
    let mut runs = sweep(7, 1.0);
    runs[9].retry_of = Some("first".to_owned());
    runs[9].loss = 9.0;
    check(&runs, &[(9, "retried")]);
    let one = Checks {
        drop_worst: 1,
        ..ALL
    };
    assert_eq!(left_out(&runs, one).len(), 2);
    let without = Checks {
        enabled: false,
        max_repeats: None,
        drop_worst: 0,
    };
    assert!(left_out(&runs, without).is_empty());
}

#[test]
fn lopsided_budgets_are_trimmed_or_flagged() {
    // Eight sizes from 0.55 to 14.8 times the optimum: the farthest goes, and what
    // is left reaches less than four times as far to one side as to the other.
    let farthest = [(7, "off_center"), (15, "off_center"), (23, "off_center")];
    check(&sweep(8, 2.86), &farthest);
    let short = sweep(5, 2.0);
    let few = screen(&short, ALL).unwrap();
    assert!(few.left_out.is_empty());
    let messages: Vec<String> = few.flags.iter().map(Flag::to_string).collect();
    assert_eq!(
        messages[0],
        "1e18 FLOPs has 5 sizes: enough for a parabola, too few to test its shape"
    );
    assert!(messages[1].contains("is lopsided"), "{messages:?}");
}

/// With noise alone hardly any run may be called an outlier.
#[test]
fn honest_noise_is_no_outlier() {
    let mut state = 7_u64;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let (mut lost, mut all) = (0, 0);
    for _ in 0..300 {
        let mut runs = sweep(6, 1.0);
        for run in &mut runs {
            let normal: f64 = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
            run.loss += 0.02 * normal;
        }
        all += runs.len();
        lost += left_out(&runs, ALL).len();
    }
    println!("{lost} of {all} honest runs are left out");
    assert!(lost * 100 < all, "{lost} of {all}");
}

#[test]
fn whichever_run_is_bad_it_and_not_its_neighbour_is_left_out() {
    for position in 0..7 {
        for offset in [0.15, -0.15] {
            let mut runs = sweep(7, 1.0);
            runs[14 + position].loss += offset;
            check(&runs, &[(14 + position, "outlier")]);
        }
    }
}
