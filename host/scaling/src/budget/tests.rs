use super::*;

fn run(n: f64, c: f64, budget: Option<f64>) -> Run {
    Run {
        budget,
        ..Run::new(n, c / (6.0 * n), c, 2.0)
    }
}

/// Each budget as text with its rows; then the rows of none.
fn grouped(runs: &[Run]) -> (Vec<(String, Vec<usize>)>, Vec<usize>) {
    let budgets = Budget::group(runs.iter());
    let loose = (0..runs.len())
        .filter(|row| !budgets.iter().any(|budget| budget.rows.contains(row)))
        .collect();
    let named = budgets
        .into_iter()
        .map(|budget| (crate::quantity::flops(budget.nominal), budget.rows));
    (named.collect(), loose)
}

#[test]
fn nominal_budgets_group_runs() {
    let runs = [
        run(1e4, 1.02e10, Some(1e10)),
        run(1e4, 3.3e10, Some(3e10)),
        run(1e4, 0.97e10, Some(1e10)),
    ];
    let expected = vec![
        ("1e10".to_owned(), vec![0, 2]),
        ("3e10".to_owned(), vec![1]),
    ];
    assert_eq!(grouped(&runs), (expected, vec![]));
}

#[test]
fn a_name_for_every_run_is_its_compute() {
    let runs = [1e10, 1.01e10, 0.99e10, 3e10, 3.1e10];
    let runs: Vec<Run> = (1..)
        .zip(runs)
        .map(|(i, c)| run(1e4 * f64::from(i), c, Some(c)))
        .collect();
    let (groups, _) = grouped(&runs);
    let members: Vec<usize> = groups.iter().map(|(_, members)| members.len()).collect();
    assert_eq!(members, [3, 2]);
}

#[test]
fn names_of_some_runs_and_in_other_digits() {
    let runs = [
        run(1e4, 1.02e10, Some(1e10)),
        run(2e4, 0.97e10, Some(1.000_000_1e10)),
        run(3e4, 1.03e10, None),
        run(1e4, 3e10, None),
    ];
    let expected = vec![
        ("1e10".to_owned(), vec![0, 1, 2]),
        ("3e10".to_owned(), vec![3]),
    ];
    assert_eq!(grouped(&runs), (expected, vec![]));
}

#[test]
fn compute_groups_runs_without_a_budget() {
    let runs = [1e10, 3e10, 1.05e10, 1.11e10, 3.4e10].map(|c| run(1e4, c, None));
    let (groups, loose) = grouped(&runs);
    let members: Vec<&[usize]> = groups.iter().map(|(_, m)| m.as_slice()).collect();
    assert_eq!(members, [&[0, 2, 3][..], &[1], &[4]]);
    assert_eq!(groups[0].0, "1.05e10");
    assert!(loose.is_empty());
}

/// Three budgets of eight sizes whose C scatters by several per cent, joined by
/// a background of stray runs.
fn scattered() -> Vec<Run> {
    let mut runs = Vec::new();
    for budget in [1e18, 3e18, 1e19] {
        for i in 0..8 {
            let off = f64::from(i - 4) * 0.02;
            runs.push(run(1e7 * 1.5_f64.powi(i), budget * (1.0 + off), None));
        }
    }
    for i in 0..32 {
        let c = 1e18 * 1.09_f64.powi(i);
        runs.push(run(3e7 * (1.0 + f64::from(i % 3)), c, None));
    }
    runs
}

#[test]
fn dense_windows_are_budgets_where_compute_is_scattered() {
    let runs = scattered();
    let (groups, loose) = grouped(&runs);
    for budget in 0..3 {
        let planned: Vec<usize> = (8 * budget..8 * budget + 8).collect();
        let holds = groups
            .iter()
            .any(|(_, members)| planned.iter().filter(|i| members.contains(i)).count() >= 7);
        assert!(holds, "{budget}: {groups:?}");
    }
    assert_eq!(groups.len(), 3, "{groups:?}");
    assert!(loose.len() > 10, "{loose:?}");
}

#[test]
fn neither_order_nor_unit_nor_half_weights_matter() {
    let runs = scattered();
    let names = |runs: &[Run]| -> Vec<String> {
        grouped(runs).0.into_iter().map(|(name, _)| name).collect()
    };
    let expected = names(&runs);
    let reversed: Vec<Run> = runs.iter().rev().cloned().collect();
    assert_eq!(names(&reversed), expected);
    let halves: Vec<Run> = runs
        .iter()
        .flat_map(|run| {
            let half = Run {
                weight: Some(0.5),
                ..run.clone()
            };
            [half.clone(), half]
        })
        .collect();
    assert_eq!(names(&halves), expected);
    let peta: Vec<Run> = runs
        .iter()
        .map(|run| Run {
            c: run.c * 1e-3,
            ..run.clone()
        })
        .collect();
    let scaled: Vec<String> = grouped(&runs)
        .0
        .iter()
        .zip(grouped(&peta).0)
        .map(|(a, b)| {
            assert_eq!(a.1, b.1);
            b.0
        })
        .collect();
    assert_eq!(scaled.len(), expected.len());
}

#[test]
fn random_compute_is_no_sweep_but_no_trouble() {
    let runs: Vec<Run> = (0..40)
        .map(|i| run(1e6 * 1.3_f64.powi(i % 7), 1e15 * 1.08_f64.powi(i), None))
        .collect();
    let (groups, loose) = grouped(&runs);
    let fitted: usize = groups.iter().map(|(_, members)| members.len()).sum();
    assert_eq!(fitted + loose.len(), 40);
    assert!(grouped(&[]).0.is_empty());
}
