use super::*;
use crate::batch::Batch;
use crate::grid::{Candidate, GridSpec, Layout, SizeList};

const RATES: [f64; 3] = [0.5, 1.0, 2.0];

fn rate_law(n_exponent: f64, d_exponent: f64) -> RateLaw {
    RateLaw {
        lr: 0.9,
        n: 1e6,
        d: 2e7,
        n_exponent,
        d_exponent,
    }
}

/// Points at sizes 1…3 and two budgets, N from 1e5 to 1e7, C = 6·N·D.
fn points() -> Vec<Point> {
    let mut points = Vec::new();
    for budget in [1e14, 4e14] {
        for (size, n) in [(1, 1e5), (2, 1e6), (3, 1e7)] {
            points.push(Point {
                size,
                budget,
                n,
                d: budget / (6.0 * n),
                tried: Vec::new(),
            });
        }
    }
    points
}

/// Trains what is decided at losses that are parabolas in ln η around `law`'s rates,
/// until something else is decided; returns that and how many trials it took.
fn carry_out(
    transfer: Transfer,
    mut points: Vec<Point>,
    law: &RateLaw,
    diverges: f64,
) -> (Decision, usize, Vec<Point>) {
    let mut trained = 0;
    loop {
        let trials = match decide(transfer, &RATES, &points) {
            Decision::First { trials } | Decision::Extend { trials, .. } => trials,
            other => return (other, trained, points),
        };
        assert!(!trials.is_empty());
        trained += trials.len();
        for Wanted { point, lr } in trials {
            let point = &mut points[point];
            let off = (lr / law.at(point.n, point.d)).ln();
            let loss = (off.exp() < diverges).then_some(2.0 + 0.05 * off * off);
            let at = point.tried.partition_point(|tried| tried.lr < lr);
            point.tried.insert(at, Tried { lr, loss });
        }
    }
}

fn settled(decision: Decision) -> Settled {
    match decision {
        Decision::Settle(settled) => settled,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_vertex_of_a_parabola_is_found_exactly() {
    for want in [0.72, 0.8, 1.0, 1.4] {
        let tried = RATES.map(|lr: f64| Tried {
            lr,
            loss: Some(2.0 + 0.1 * (lr / want).ln().powi(2)),
        });
        let found = best(&tried).unwrap();
        assert!((found.lr / want - 1.0).abs() < 1e-9, "{found:?}");
        assert!((found.loss - 2.0).abs() < 1e-12);
        assert_eq!(open_end(&tried), None);
    }
}

#[test]
fn a_rate_that_diverges_bounds_the_best_one() {
    let tried = |losses: [Option<f64>; 3]| {
        let pairs = RATES.into_iter().zip(losses);
        pairs
            .map(|(lr, loss)| Tried { lr, loss })
            .collect::<Vec<_>>()
    };
    let bounded = tried([Some(2.2), Some(2.1), None]);
    assert!((best(&bounded).unwrap().lr - 1.0).abs() < 1e-12);
    assert_eq!(open_end(&tried([None; 3])), Some(End::Low));
    assert_eq!(
        open_end(&tried([Some(2.0), Some(2.1), None])),
        Some(End::Low)
    );
    assert_eq!(
        open_end(&tried([Some(2.2), Some(2.1), Some(2.0)])),
        Some(End::High)
    );
    assert_eq!(best(&tried([Some(2.0), Some(2.1), None])), None);
}

#[test]
fn a_law_is_found_again_whatever_its_exponents() {
    for (a, b) in [(0.0, 0.0), (-0.3, 0.1), (0.2, -0.25), (-0.5, 0.0)] {
        let law = rate_law(a, b);
        let (decision, trained, _) = carry_out(Transfer::Law, points(), &law, f64::INFINITY);
        let found = settled(decision);
        assert!(found.open.is_empty(), "{found:?}");
        assert_eq!(found.minima.len(), 6);
        assert!(trained >= 18);
        for (n, d) in [(1e5, 1e8), (1e9, 2e10)] {
            let ratio = found.law.at(n, d) / law.at(n, d);
            assert!((ratio - 1.0).abs() < 1e-6, "{a} {b}: {ratio}");
            assert!(found.factor(n, d).unwrap() < 1.0 + 1e-6);
        }
        assert!(found.doubts().is_empty());
    }
}

#[test]
fn one_rate_is_the_mean_and_says_when_it_does_not_serve() {
    let still = carry_out(
        Transfer::OneRate,
        points(),
        &rate_law(0.0, 0.0),
        f64::INFINITY,
    );
    let still = settled(still.0);
    assert!((still.law.at(3.0, 4.0) - 0.9).abs() < 1e-9);
    assert!(still.doubts().is_empty());
    assert_eq!(still.factor(1e6, 1e7), None);
    let moves = carry_out(
        Transfer::OneRate,
        points(),
        &rate_law(-0.3, 0.0),
        f64::INFINITY,
    );
    let doubts = settled(moves.0).doubts();
    assert!(
        doubts[0].contains("differ by a factor of 4.0"),
        "{doubts:?}"
    );
}

#[test]
fn an_edge_is_extended_by_the_lists_own_factor_and_no_more_than_three_times() {
    // Two factors beyond the highest rate: two extensions enclose it, not one.
    let law = RateLaw {
        lr: 4.2,
        ..rate_law(0.0, 0.0)
    };
    let (decision, trained, points_then) =
        carry_out(Transfer::OneRate, points(), &law, f64::INFINITY);
    assert!((settled(decision).law.lr / 4.2 - 1.0).abs() < 1e-9);
    assert_eq!(trained, 6 * 5);
    let rates: Vec<f64> = points_then[0].tried.iter().map(|tried| tried.lr).collect();
    assert_eq!(rates, [0.5, 1.0, 2.0, 4.0, 8.0]);

    let far = RateLaw { lr: 1e3, ..law };
    let (decision, trained, _) = carry_out(Transfer::OneRate, points(), &far, f64::INFINITY);
    assert_eq!(trained, 6 * (3 + EXTENSIONS));
    let Decision::GiveUp { open } = decision else {
        panic!("{decision:?}");
    };
    assert_eq!(
        open[0].to_string(),
        "size 1 at 1e14 FLOPs: the loss is lowest at the highest rate tried, 16, so that the best one is above it"
    );
}

#[test]
fn a_point_that_diverges_at_every_rate_says_so() {
    let law = rate_law(0.0, 0.0);
    let (decision, _, _) = carry_out(Transfer::OneRate, points(), &law, 1e-3);
    let Decision::GiveUp { open } = decision else {
        panic!("{decision:?}");
    };
    assert_eq!(
        open[0].to_string(),
        "size 1 at 1e14 FLOPs diverges at every rate tried, down to 0.0625"
    );
}

#[test]
fn a_point_that_stays_open_is_told_and_the_others_count() {
    let law = RateLaw {
        lr: 2.0,
        ..rate_law(-0.9, 0.0)
    };
    let (decision, _, _) = carry_out(Transfer::Law, points(), &law, f64::INFINITY);
    let found = settled(decision);
    assert_eq!((found.minima.len(), found.open.len()), (4, 2));
    assert_eq!(found.doubts().len(), 2);
    assert!((found.law.at(1e8, 1e8) / law.at(1e8, 1e8) - 1.0).abs() < 1e-6);
}

#[test]
fn where_everything_diverges_lower_rates_are_tried() {
    let law = RateLaw {
        lr: 0.09,
        ..rate_law(0.0, 0.0)
    };
    let (decision, trained, _) = carry_out(Transfer::OneRate, points(), &law, 4.0);
    assert!((settled(decision).law.lr / 0.09 - 1.0).abs() < 1e-9);
    assert_eq!(trained, 36);
}

/// Minima of sizes and data that vary together, or too few of them, carry no law.
#[test]
fn what_carries_no_law_gives_one_rate_and_says_so() {
    let at = |n: f64| Point {
        d: 20.0 * n,
        n,
        ..points()[0].clone()
    };
    let together: Vec<Point> = [1e5, 3e5, 1e6, 3e6, 1e7].map(at).into();
    let few = points()[..3].to_vec();
    for points in [together, few] {
        let count = points.len();
        let law = rate_law(-0.1, 0.0);
        let (decision, _, _) = carry_out(Transfer::Law, points, &law, f64::INFINITY);
        let found = settled(decision);
        let none = Basis::NoLaw {
            minima: count,
            steep: None,
        };
        assert_eq!(found.basis, none);
        assert!((found.law.at(1.0, 1.0) - found.law.at(1e9, 1e9)).abs() < 1e-12);
        assert_eq!(found.doubts().len(), 1);
    }
}

/// Exponents up to the bound are a law, and none beyond it, whichever it is.
#[test]
fn a_law_too_steep_to_be_one_is_none() {
    for (a, b) in [(-2.9, 0.0), (0.0, 2.9), (3.1, 0.0), (0.1, -3.1)] {
        let law = rate_law(a, b);
        let minima = points().into_iter().map(|point| Minimum {
            size: point.size,
            budget: point.budget,
            n: point.n,
            d: point.d,
            lr: law.at(point.n, point.d),
        });
        let found = Settled::of(Transfer::Law, minima.collect(), Vec::new()).unwrap();
        if f64::max(a.abs(), b.abs()) < STEEPEST {
            assert!((found.law.n_exponent - a).abs() < 1e-9);
            assert!(found.doubts().is_empty());
            continue;
        }
        assert!(matches!(
            found.basis,
            Basis::NoLaw { minima: 6, steep: Some([n, d]) }
                if (n - a).abs() < 1e-9 && (d - b).abs() < 1e-9
        ));
        assert!((found.law.at(1.0, 1.0) / found.law.at(1e9, 1e9) - 1.0).abs() < 1e-12);
        let doubts = found.doubts();
        assert!(
            doubts.len() == 1 && doubts[0].contains("of which one is beyond 3"),
            "{doubts:?}"
        );
    }
}

/// The 95 % interval of the rate far from the points covers it as often as it says.
#[test]
fn intervals_of_the_law_hold_under_noise() {
    use crate::random::{Purpose, Stream};
    let law = rate_law(-0.3, 0.1);
    let (mut held, total) = (0, 2000);
    for number in 0..total {
        let mut stream = Stream::new(11, Purpose::Simulation, number);
        let minima = points().into_iter().map(|point| Minimum {
            size: point.size,
            budget: point.budget,
            n: point.n,
            d: point.d,
            lr: law.at(point.n, point.d) * (0.2 * stream.normal()).exp(),
        });
        let found = Settled::of(Transfer::Law, minima.collect(), Vec::new()).unwrap();
        let off = (found.law.at(1e8, 1e9) / law.at(1e8, 1e9)).ln().abs();
        held += u64::from(off <= found.factor(1e8, 1e9).unwrap().ln());
    }
    let share = held as f64 / total as f64;
    assert!((0.93..0.97).contains(&share), "{share}");
}

fn candidates() -> Vec<Candidate> {
    (1..=40)
        .map(|size| Candidate::Accepted {
            size,
            n: 1e4 * size as f64,
            flops_per_unit: 6e4 * size as f64,
        })
        .collect()
}

fn sweep(budgets: &[f64]) -> GridSpec {
    let lists = budgets.iter().map(|&budget| SizeList {
        budget,
        sizes: vec![2, 4, 8, 16, 32],
    });
    GridSpec {
        layout: Layout::Listed(lists.collect()),
        batch: Batch::constant(512),
        min_steps: 40,
    }
}

#[test]
fn points_are_as_dear_as_the_share_allows_and_no_dearer() {
    let budgets = [1e12, 4e12, 1.6e13, 6.4e13];
    let sweep = sweep(&budgets);
    let flops = 5.0 * budgets.iter().sum::<f64>();
    for transfer in [Transfer::OneRate, Transfer::Law] {
        let mut before = f64::INFINITY;
        for share in [1.0, 0.3, 0.1, 0.05, 0.01] {
            let design = Design {
                transfer,
                rates: 3,
                share,
            };
            let places = places(&design, &sweep, &candidates(), flops).unwrap();
            let cost: f64 = places.iter().map(|place| place.trial.c).sum();
            let cost = 6.0 * cost / flops;
            assert!(
                cost <= share && cost <= before,
                "{transfer:?} {share}: {cost}"
            );
            before = cost;
            assert!(places.iter().all(|place| place.trial.steps >= 40));
            let sizes: Vec<i64> = places.iter().map(|place| place.trial.size).collect();
            match transfer {
                Transfer::OneRate => assert_eq!(sizes, [2, 4]),
                Transfer::Law => assert!(sizes.len() >= 4, "{sizes:?}"),
            }
        }
    }
}

#[test]
fn what_can_t_be_afforded_or_found_is_an_error() {
    let design = Design {
        transfer: Transfer::Law,
        rates: 3,
        share: 1e-9,
    };
    let one = sweep(&[1e12]);
    let error = places(&design, &one, &candidates(), 5e12).unwrap_err();
    assert!(
        matches!(error, DesignError::TooDear { share, .. } if share > 1e-9),
        "{error}"
    );
    let nothing = sweep(&[1e3]);
    let error = places(&design, &nothing, &candidates(), 5e3).unwrap_err();
    assert_eq!(
        error,
        DesignError::TooFew {
            found: 0,
            needed: 4
        }
    );
}

proptest::proptest! {
    /// Whatever the losses are, it ends, with as many trials as it may have at most, and
    /// every rate that settles lies between rates that were tried.
    #[test]
    fn tuning_ends_and_stays_within_what_was_tried(
        losses in proptest::collection::vec(proptest::option::weighted(0.8, 1.0..3.0_f64), 36),
    ) {
        let mut points = points();
        let mut losses = losses.into_iter();
        for _ in 0..=EXTENSIONS + 1 {
            match decide(Transfer::OneRate, &RATES, &points) {
                Decision::First { trials } | Decision::Extend { trials, .. } => {
                    for Wanted { point, lr } in trials {
                        let tried = &mut points[point].tried;
                        let at = tried.partition_point(|tried| tried.lr < lr);
                        proptest::prop_assert!(tried.get(at).is_none_or(|tried| tried.lr > lr));
                        tried.insert(at, Tried { lr, loss: losses.next().unwrap() });
                    }
                }
                Decision::Settle(settled) => {
                    for minimum in settled.minima {
                        let point = points
                            .iter()
                            .find(|p| p.size == minimum.size && p.budget.total_cmp(&minimum.budget).is_eq())
                            .unwrap();
                        let range = point.tried[0].lr..=point.tried.last().unwrap().lr;
                        proptest::prop_assert!(range.contains(&minimum.lr));
                    }
                    return Ok(());
                }
                Decision::GiveUp { open } => {
                    proptest::prop_assert_eq!(open.len(), points.len());
                    return Ok(());
                }
            }
        }
        proptest::prop_assert!(false, "it does not end");
    }
}
