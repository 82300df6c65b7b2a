use super::*;

fn run(c: f64, budget: Option<f64>) -> Run {
    Run {
        budget,
        ..Run::new(1e4, c / 6e4, c, 2.0)
    }
}

fn grouped(runs: &[Run]) -> Vec<(String, Vec<usize>)> {
    let indexed: Vec<(usize, &Run)> = runs.iter().enumerate().collect();
    by_budget(&indexed)
        .into_iter()
        .map(|group| {
            let indices = group.runs.iter().map(|(index, _)| *index).collect();
            (crate::quantity::flops(group.budget), indices)
        })
        .collect()
}

#[test]
fn nominal_budgets_group_runs() {
    let runs = [
        run(1.02e10, Some(1e10)),
        run(3.3e10, Some(3e10)),
        run(0.97e10, Some(1e10)),
    ];
    let expected = [
        ("1e10".to_owned(), vec![0, 2]),
        ("3e10".to_owned(), vec![1]),
    ];
    assert_eq!(grouped(&runs), expected);
}

#[test]
fn compute_groups_runs_without_a_budget() {
    let runs = [1e10, 3e10, 1.05e10, 1.11e10, 3.4e10].map(|c| run(c, None));
    let groups = grouped(&runs);
    let members: Vec<&[usize]> = groups.iter().map(|(_, m)| m.as_slice()).collect();
    assert_eq!(members, [&[0, 2, 3][..], &[1], &[4]]);
    assert_eq!(groups[0].0, "1.05e10");
}

#[test]
fn screening_names_each_run_it_drops() {
    let seeded = |seed| Run {
        seed: Some(seed),
        ..run(1e10, None)
    };
    let worn = |unique: f64| {
        let fresh = run(2e10, None);
        Run {
            unique: Some(fresh.d / unique),
            ..fresh
        }
    };
    let runs = [seeded(0), seeded(1), seeded(0), worn(3.9), worn(4.5)];
    let (kept, left_out) = screen(&runs, Some(MAX_REPEATS));
    assert_eq!(kept.iter().map(|(i, _)| *i).collect::<Vec<_>>(), [0, 1, 3]);
    let reasons: Vec<String> = left_out
        .iter()
        .map(|l| format!("{}: {}", l.run, l.reason))
        .collect();
    assert_eq!(
        reasons,
        [
            "2: the same as run 0",
            "4: saw its data 4.5 times, more than 4"
        ]
    );
    let (kept, _) = screen(&runs[3..], None);
    assert_eq!(kept.len(), 1, "without a limit rows 3 and 4 are one run");
}
