use proptest::prelude::*;

use super::*;
use crate::batch::Batch;
use crate::grid::Center;

/// The demonstration model: two layers, 64 tokens of context.
fn candidates(widths: impl IntoIterator<Item = i64>, vocabulary: f64) -> Vec<Candidate> {
    widths
        .into_iter()
        .map(|size| {
            let d = size as f64;
            let n = 24.0 * d * d + vocabulary * d;
            Candidate::Accepted {
                size,
                n,
                flops_per_unit: 6.0 * n + 1536.0 * d,
            }
        })
        .collect()
}

fn spec(layout: Layout) -> GridSpec {
    GridSpec {
        layout,
        batch: Batch::constant(512),
        min_steps: crate::grid::MIN_STEPS,
    }
}

fn around_default(budgets: &[f64]) -> GridSpec {
    spec(Layout::Around {
        budgets: Budgets::List(budgets.to_vec()),
        spread: Spread::default(),
    })
}

fn sizes(grid: &BudgetGrid) -> Vec<i64> {
    grid.trials.iter().map(|t| t.size).collect()
}

#[test]
fn default_grid_encloses_the_measured_minima_of_both_sweeps() {
    // N* as measured: (budget, novels, stories).
    let measured = [
        (1e10, 4.2e3, 4.1e3),
        (3e10, 7.6e3, 7.9e3),
        (1e11, 15.5e3, 17.1e3),
        (3e11, 29.2e3, 28.0e3),
    ];
    let budgets: Vec<f64> = measured.iter().map(|m| m.0).collect();
    for (vocabulary, pick) in [(82.0, 0), (64.0, 1)] {
        let answers = candidates((1..=32).map(|i| 8 * i), vocabulary);
        let grid = plan(&around_default(&budgets), &answers).unwrap();
        for (row, (budget, novels, stories)) in grid.budgets.iter().zip(measured) {
            let minimum: f64 = [novels, stories][pick];
            assert!(row.trials.len() >= 5, "{budget:e}: {:?}", sizes(row));
            let distance = |t: &PlannedTrial| (t.n / minimum).ln().abs();
            let nearest = (0..row.trials.len())
                .min_by(|&i, &j| distance(&row.trials[i]).total_cmp(&distance(&row.trials[j])))
                .unwrap();
            assert!(
                (1..row.trials.len() - 1).contains(&nearest),
                "{budget:e}: {:?}",
                sizes(row)
            );
        }
    }
}

#[test]
fn listed_sizes_are_the_trials() {
    let lists = [
        (1e10, vec![8, 16, 24, 32]),
        (3e10, vec![8, 16, 24, 32, 40]),
        (1e11, vec![16, 24, 32, 40, 56]),
        (3e11, vec![24, 32, 40, 56, 72]),
    ];
    let layout = Layout::Listed(
        lists
            .iter()
            .map(|(budget, sizes)| SizeList {
                budget: *budget,
                sizes: sizes.clone(),
            })
            .collect(),
    );
    let grid = plan(&spec(layout), &candidates((1..=9).map(|i| 8 * i), 82.0)).unwrap();
    assert_eq!(
        grid.budgets.iter().map(|b| b.trials.len()).sum::<usize>(),
        19
    );
    for (row, (budget, listed)) in grid.budgets.iter().zip(&lists) {
        assert_eq!(&sizes(row), listed);
        assert!(row.skipped.is_empty());
        for trial in &row.trials {
            let step = trial.c / trial.steps as f64;
            assert!((trial.c - budget).abs() <= step * 0.500_000_1);
        }
    }
    // d 24 at 1e11: N = 24·24² + 82·24 = 15 792 and 131 616 FLOPs per token.
    let trial = grid.budgets[2].trials[1];
    assert_eq!(trial.steps, 1484);
    assert!((trial.d - 1484.0 * 512.0).abs() < 1e-6);
    assert!((trial.c - 1484.0 * 512.0 * 131_616.0).abs() < 1.0);
    let total: f64 = grid
        .budgets
        .iter()
        .flat_map(|b| &b.trials)
        .map(|t| t.c)
        .sum();
    assert!((grid.flops - total).abs() < 1.0);
}

#[test]
fn sizes_without_a_trial_say_why() {
    let mut answers = candidates([8, 16, 24, 32, 40, 48, 56, 64], 64.0);
    answers.push(Candidate::Refused {
        size: 20,
        reason: "d_model must be a multiple of 8".to_owned(),
    });
    let layout = Layout::Listed(vec![SizeList {
        budget: 1e10,
        sizes: vec![8, 20, 64, 72],
    }]);
    let grid = plan(&spec(layout), &answers).unwrap();
    assert_eq!(sizes(&grid.budgets[0]), [8]);
    let reasons: Vec<String> = grid.budgets[0]
        .skipped
        .iter()
        .map(|s| format!("{}: {}", s.size, s.reason))
        .collect();
    assert_eq!(
        reasons,
        [
            "20: refused by the model: d_model must be a multiple of 8",
            "64: 27 steps, fewer than the 40 that a trial needs",
            "72: not among the sizes that were measured",
        ]
    );

    // Around a centre, too short runs inside the window are named, others are not.
    let grid = plan(&around_default(&[2e9]), &answers).unwrap();
    let row = &grid.budgets[0];
    assert_eq!(sizes(row), [8, 16]);
    assert_eq!(row.uncovered, [Side::Low, Side::High]);
    let skipped: Vec<i64> = row.skipped.iter().map(|s| s.size).collect();
    assert_eq!(skipped, [20, 24]);
}

#[test]
fn sparse_candidates_reach_beyond_the_window() {
    // Doubling the width multiplies N by four: a window of 16 holds three sizes.
    let answers = candidates([8, 16, 32, 64, 128, 256], 0.0);
    let grid = plan(&around_default(&[1e13]), &answers).unwrap();
    assert_eq!(sizes(&grid.budgets[0]), [16, 32, 64, 128, 256]);
    assert!(grid.budgets[0].uncovered.is_empty());
}

#[test]
fn centers() {
    let known = Center::Minima(vec![(1e12, 4e4), (1e10, 4e3)]);
    for (center, budget, expected) in [
        (Center::chinchilla(), 1.2e14, 1e6),
        (known.clone(), 1e11, (4e4_f64 * 4e3).sqrt()),
        (known.clone(), 1e14, 4e5),
        (known.clone(), 1e8, 4e2),
        (known, 1e12, 4e4),
        (
            Center::PowerLaw {
                k: 2.0,
                exponent: 1.0,
            },
            8.0,
            16.0,
        ),
    ] {
        let found = center.at(budget);
        assert!((found / expected - 1.0).abs() < 1e-9, "{center:?}: {found}");
    }
}

#[test]
fn log_spaced_budgets() {
    let budgets = expand(&Budgets::LogSpaced {
        min: 1e10,
        max: 1e12,
        count: 5,
    })
    .unwrap();
    for (i, budget) in budgets.iter().enumerate() {
        let expected = 10_f64.powf(10.0 + 0.5 * i as f64);
        assert!((budget / expected - 1.0).abs() < 1e-9);
    }
}

#[test]
fn a_batch_that_grows_decides_the_steps_of_each_trial() {
    let constant = around_default(&[1e10, 1e12]);
    let growing = GridSpec {
        batch: Batch {
            units_per_example: 64,
            examples: 8,
            grows_from: Some(1e6),
        },
        ..constant.clone()
    };
    let answers = candidates((1..=32).map(|i| 8 * i), 64.0);
    let batches = |spec: &GridSpec| -> Vec<u64> {
        let grid = plan(spec, &answers).expect("valid");
        let trials = grid.budgets.iter().flat_map(|budget| {
            let pairs = budget.trials.iter().map(|trial| (budget.budget, trial));
            pairs.collect::<Vec<_>>()
        });
        trials
            .map(|(budget, trial)| {
                let (units, per_unit) = (trial.units_per_step, trial.c / trial.d);
                assert_eq!(units, spec.batch.units_at(budget / per_unit));
                assert_eq!(trial.d.to_bits(), ((trial.steps * units) as f64).to_bits());
                // Rounded to whole steps.
                assert!((trial.c - budget).abs() <= 0.501 * per_unit * units as f64);
                units
            })
            .collect()
    };
    assert!(batches(&constant).iter().all(|&units| units == 512));
    let growing = batches(&growing);
    let most = growing.iter().max().expect("trials");
    assert!(most > growing.iter().min().expect("trials"), "{growing:?}");
}

#[test]
fn impossible_specifications() {
    let answers = candidates([8, 16, 24], 64.0);
    let check = |spec: GridSpec, answers: &[Candidate], expected: &str| {
        assert_eq!(plan(&spec, answers).unwrap_err().to_string(), expected);
    };
    let with = |change: fn(&mut Spread)| {
        let mut spread = Spread::default();
        change(&mut spread);
        spec(Layout::Around {
            budgets: Budgets::List(vec![1e10]),
            spread,
        })
    };
    check(
        around_default(&[]),
        &answers,
        "no budgets; give at least one, in FLOPs",
    );
    check(
        around_default(&[-1.0]),
        &answers,
        "budget -1: expected a finite number of FLOPs above 0",
    );
    check(
        around_default(&[1e10, 1e10]),
        &answers,
        "budget 1e10 is given twice; remove one",
    );
    check(
        with(|s| s.per_budget = 3),
        &answers,
        "3 sizes per budget: a parabola needs at least 4, and 5 to 7 are usual",
    );
    check(
        with(|s| s.span = 1.0),
        &answers,
        "span 1: the window runs from N/span to N·span, so it has to be above 1",
    );
    check(
        with(|s| s.center = Center::Minima(Vec::new())),
        &answers,
        "the expected optimum at 1e10 FLOPs comes out as NaN; expected a positive number of parameters",
    );
    check(
        around_default(&[1e10]),
        &[],
        "none of the 0 candidate sizes can be built; widen the sizes or correct the model's config",
    );
    check(
        around_default(&[1e10]),
        &[answers.clone(), answers.clone()].concat(),
        "size 8 appears twice; remove one",
    );
    check(
        around_default(&[1e10]),
        &[Candidate::Accepted {
            size: 8,
            n: 0.0,
            flops_per_unit: 1.0,
        }],
        "size 8: n is 0, expected a finite number above 0",
    );
    check(
        spec(Layout::Around {
            budgets: Budgets::LogSpaced {
                min: 1e12,
                max: 1e10,
                count: 3,
            },
            spread: Spread::default(),
        }),
        &answers,
        "budgets from 1e12 to 1e10, 3 of them: expected min < max and a count of at least 2",
    );
    check(
        GridSpec {
            batch: Batch {
                grows_from: Some(0.0),
                ..Batch::constant(512)
            },
            ..around_default(&[1e10])
        },
        &answers,
        "a batch that grows from D = 0: expected a finite number of units above 0",
    );
    check(
        GridSpec {
            batch: Batch::constant(0),
            ..around_default(&[1e10])
        },
        &answers,
        "units per step is 0; a step has to consume at least one token or image",
    );
}

/// The least cost over every way to choose, both ends included.
fn brute_force(x: &[f64], count: usize) -> f64 {
    let (low, high) = (x[0], x[x.len() - 1]);
    (0_u32..1 << x.len())
        .filter(|set| set.count_ones() as usize == count)
        .filter(|set| set & 1 == 1 && set >> (x.len() - 1) == 1)
        .map(|set| {
            (0..x.len())
                .filter(|i| set >> i & 1 == 1)
                .enumerate()
                .map(|(j, i)| {
                    let target = low + (high - low) * j as f64 / (count - 1) as f64;
                    (x[i] - target).powi(2)
                })
                .sum()
        })
        .fold(f64::INFINITY, f64::min)
}

proptest! {
    #[test]
    fn the_choice_is_the_most_even_one(
        steps in prop::collection::vec(0.01_f64..2.0, 4..11),
        count in 2_usize..6,
    ) {
        let mut x = vec![0.0];
        for step in steps {
            x.push(x[x.len() - 1] + step);
        }
        prop_assume!(count < x.len());
        let chosen = nearest_to_even(&x, count);
        prop_assert!(chosen.windows(2).all(|w| w[0] < w[1]));
        let (low, high) = (x[0], x[x.len() - 1]);
        let cost: f64 = chosen
            .iter()
            .enumerate()
            .map(|(j, &i)| {
                let target = low + (high - low) * j as f64 / (count - 1) as f64;
                (x[i] - target).powi(2)
            })
            .sum();
        prop_assert!((cost - brute_force(&x, count)).abs() < 1e-9);
    }

    #[test]
    fn every_grid_keeps_its_promises(
        multiple in 1_i64..24,
        ln_budget in 21.0_f64..32.0,
        per_budget in 4_usize..9,
        span in 2.0_f64..8.0,
    ) {
        let answers = candidates((1..=80).map(|i| multiple * i), 64.0);
        let spec = spec(Layout::Around {
            budgets: Budgets::List(vec![ln_budget.exp()]),
            spread: Spread { per_budget, span, ..Spread::default() },
        });
        let grid = plan(&spec, &answers).unwrap();
        let row = &grid.budgets[0];
        let center = row.center.unwrap();
        prop_assert!(row.trials.len() <= per_budget);
        prop_assert!(row.trials.windows(2).all(|w| w[0].n < w[1].n));
        for trial in &row.trials {
            prop_assert!(trial.steps >= 40);
            let step = trial.c / trial.steps as f64;
            prop_assert!((trial.c - row.budget).abs() <= step * 0.500_000_1);
        }
        if let (Some(first), Some(last)) = (row.trials.first(), row.trials.last()) {
            prop_assert_eq!(first.n > center / span, row.uncovered.contains(&Side::Low));
            prop_assert_eq!(last.n < center * span, row.uncovered.contains(&Side::High));
        }
    }
}
