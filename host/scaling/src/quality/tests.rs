use super::*;

fn run(c: f64, budget: Option<f64>) -> Run {
    Run {
        budget,
        ..Run::new(1e4, c / 6e4, c, 2.0)
    }
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
