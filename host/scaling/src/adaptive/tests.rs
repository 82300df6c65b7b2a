use super::*;
use crate::batch::Batch;
use crate::frontier::Frontier;
use crate::grid::{Budgets, Center};
use crate::isoflop::Diagnosis;
use crate::run::Run;
use crate::simulate::{FLOPS, Truth};

const TOKENS: u64 = 1000;

/// Every tenth of a per cent or so is a candidate.
fn candidates() -> Vec<Candidate> {
    let mut sizes: Vec<i64> = (0..1200).map(|i| (1e6 * 1.01_f64.powi(i)) as i64).collect();
    sizes.dedup();
    let candidate = |size: i64| Candidate::Accepted {
        size,
        n: size as f64,
        flops_per_unit: FLOPS * size as f64,
    };
    sizes.into_iter().map(candidate).collect()
}

fn sweep(truth: &Truth, budgets: &[f64], off: f64) -> Adaptive {
    let minimum = |&c: &f64| (c, truth.optimum(c).n * off);
    Adaptive {
        budgets: budgets.to_vec(),
        spread: Spread {
            center: Center::Minima(budgets.iter().map(minimum).collect()),
            ..Spread::default()
        },
        batch: Batch::constant(TOKENS),
        min_steps: 40,
        options: Options::default(),
    }
}

/// The runs of sizes at a budget under `truth`; noise depends on both and `seed` alone.
fn train(truth: &Truth, budget: f64, sizes: &[i64], noise: f64, seed: u64) -> Round {
    let run = |&size: &i64| {
        let n = size as f64;
        let d = (budget / (FLOPS * n * TOKENS as f64)).round() * TOKENS as f64;
        let number = size.unsigned_abs() ^ budget.to_bits();
        let loss = truth.noisy_loss(n, d, noise, seed, number);
        Run {
            budget: Some(budget),
            ..Run::new(n, d, FLOPS * n * d, loss)
        }
    };
    Round {
        budget,
        sizes: sizes.to_vec(),
        runs: sizes.iter().map(run).collect(),
    }
}

/// All rounds, and why there is no further one.
fn carry_out(sweep: &Adaptive, truth: &Truth, noise: f64, seed: u64) -> (Vec<Round>, Reason) {
    let candidates = candidates();
    let mut rounds = Vec::new();
    loop {
        let decision = decide(sweep, &candidates, &rounds).expect("valid");
        match decision.action {
            Action::Train { budget, sizes, .. } => {
                rounds.push(train(truth, budget, &sizes, noise, seed));
            }
            Action::Stop { reason } => return (rounds, reason),
        }
        assert!(rounds.len() <= (1 + EXTENSIONS) * sweep.budgets.len());
    }
}

fn flops(rounds: &[Round]) -> f64 {
    let runs = rounds.iter().flat_map(|round| &round.runs);
    runs.map(|run| run.c).sum()
}

/// The same sweep planned at once around the true optima.
fn by_hand(sweep: &Adaptive, truth: &Truth) -> f64 {
    let minima = sweep.budgets.iter().map(|&c| (c, truth.optimum(c).n));
    let spec = GridSpec {
        layout: Layout::Around {
            budgets: Budgets::List(sweep.budgets.clone()),
            spread: Spread {
                center: Center::Minima(minima.collect()),
                ..sweep.spread.clone()
            },
        },
        batch: Batch::constant(TOKENS),
        min_steps: 40,
    };
    grid::plan(&spec, &candidates()).expect("valid").flops
}

fn laws() -> [Truth; 6] {
    let tilted = |alpha, beta| Truth::with_exponents(alpha, beta, 1e20, 1.0);
    [
        Truth::new(1.69, 406.4, 0.34, 410.7, 0.28),
        Truth::new(1.8172, 482.01, 0.3478, 2085.43, 0.3658),
        tilted(0.5, 0.3),
        tilted(0.3, 0.5),
        Truth {
            coupling: 0.8,
            ..tilted(0.4, 0.35)
        },
        Truth {
            bend: Some((1e11, 0.05)),
            ..tilted(0.35, 0.35)
        },
    ]
}

const DECADES: [f64; 7] = [1e18, 3.162e18, 1e19, 3.162e19, 1e20, 3.162e20, 1e21];

#[test]
fn a_center_off_by_eight_costs_a_fifth_more_at_most() {
    let mut worst: f64 = 0.0;
    for truth in laws() {
        for off in [0.125, 8.0] {
            for seed in 0..10 {
                let sweep = sweep(&truth, &DECADES, off);
                let (rounds, reason) = carry_out(&sweep, &truth, 0.01, seed);
                assert_eq!(reason, Reason::AllTrained);
                let findings = Findings::of(&rounds, &sweep.options);
                assert_eq!(findings.minima(), 7, "{truth:?} off {off} seed {seed}");
                let more = flops(&rounds) / by_hand(&sweep, &truth) - 1.0;
                assert!(
                    more <= 0.2,
                    "{truth:?} off {off} seed {seed}: {more:.3} more"
                );
                worst = worst.max(more);
            }
        }
    }
    assert!(worst > 0.0, "nothing was compared");
}

#[test]
fn each_minimum_is_near_the_truth_and_the_same_rounds_give_the_same_decision() {
    let truth = laws()[0];
    let sweep = sweep(&truth, &DECADES, 8.0);
    let (rounds, _) = carry_out(&sweep, &truth, 0.003, 1);
    for budget in &Findings::of(&rounds, &sweep.options).budgets {
        let n = budget.minimum().expect("a minimum").n.estimate;
        let off = (n / truth.optimum(budget.budget).n).ln().abs();
        assert!(off < 0.3, "{:e}: off by {off}", budget.budget);
    }
    for complete in 0..rounds.len() {
        let decision = decide(&sweep, &candidates(), &rounds[..complete]).expect("valid");
        let Action::Train { budget, sizes, .. } = decision.action else {
            panic!("{decision:?}");
        };
        let next = &rounds[complete];
        assert_eq!(
            (budget.to_bits(), &sizes),
            (next.budget.to_bits(), &next.sizes)
        );
        assert_eq!(decision.found.is_some(), complete > 0);
    }
}

/// No fit has a second try at a lower rate, and so it moves no decision either; unless the
/// user fits every run as it is.
#[test]
fn a_second_try_moves_no_decision() {
    let truth = laws()[0];
    // Without a minimum, so that the lowest loss and the reach of the sizes count.
    let mut sweep = sweep(&truth, &DECADES[..2], 200.0);
    let candidates = candidates();
    let first = decide(&sweep, &candidates, &[]).expect("valid");
    let Action::Train { budget, sizes, .. } = first.action else {
        panic!("{first:?}");
    };
    let round = train(&truth, budget, &sizes, 0.0, 0);
    let mut retried = round.clone();
    retried.runs.push(Run {
        retry_of: Some("diverged".to_owned()),
        budget: Some(budget),
        ..Run::new(1e5, budget / (FLOPS * 1e5), budget, 1.0)
    });
    let mut decide = |quality_checks, round: &Round| {
        sweep.options.quality_checks = quality_checks;
        let rounds = std::slice::from_ref(round);
        decide(&sweep, &candidates, rounds).expect("valid")
    };
    assert_eq!(decide(true, &retried), decide(true, &round));
    assert_ne!(decide(false, &retried), decide(false, &round));
}

#[test]
fn an_edge_minimum_extends_its_side_three_times_at_most() {
    let truth = laws()[0];
    // So far off that the wide grid has no minimum inside.
    let sweep = sweep(&truth, &DECADES[..2], 200.0);
    let candidates = candidates();
    let mut rounds = Vec::new();
    let mut smallest = i64::MAX;
    for extension in 0..=EXTENSIONS {
        let decision = decide(&sweep, &candidates, &rounds).expect("valid");
        let Action::Train {
            budget,
            sizes,
            reason,
        } = decision.action
        else {
            panic!("{decision:?}");
        };
        assert_eq!(budget.to_bits(), DECADES[0].to_bits());
        if extension > 0 {
            let extended = Reason::Extended {
                extension,
                of: EXTENSIONS,
            };
            assert_eq!(reason, extended);
            assert!(sizes.len() == 1 && sizes[0] < smallest, "{sizes:?}");
            let Some(Found::None { diagnosis, .. }) = decision.found else {
                panic!("{:?}", decision.found);
            };
            assert!(matches!(diagnosis, Some(Diagnosis::NotBracketedLow { .. })));
        }
        smallest = sizes[0];
        rounds.push(train(&truth, budget, &sizes, 0.0, 0));
    }
    // It is given up, and the next budget goes on from the smallest.
    let decision = decide(&sweep, &candidates, &rounds).expect("valid");
    let Action::Train {
        budget,
        reason: Reason::Extrapolated { center, .. },
        ..
    } = decision.action
    else {
        panic!("{decision:?}");
    };
    assert_eq!(budget.to_bits(), DECADES[1].to_bits());
    assert!(
        (center / smallest as f64).ln().abs() < 1.0,
        "{center:e} after {smallest}"
    );
}

#[test]
fn it_ends_once_the_answer_is_known_as_wished() {
    let truth = laws()[1];
    let mut sweep = sweep(&truth, &DECADES, 1.0);
    sweep.options.targets = vec![1e21];
    sweep.options.bootstrap.draws = 200;
    sweep.options.wish = Wish {
        n: Some(1.5),
        loss: None,
    };
    let (rounds, reason) = carry_out(&sweep, &truth, 0.001, 0);
    let Reason::Answered { target, factor, .. } = reason else {
        panic!("{reason:?}");
    };
    assert!(target.to_bits() == 1e21_f64.to_bits() && factor <= 1.5);
    let largest = rounds.iter().map(|round| round.budget).fold(0.0, f64::max);
    assert!(largest < 1e21, "it ended early");
    // What can't be had is trained for to the end.
    sweep.options.wish = Wish {
        n: Some(1.000_01),
        loss: None,
    };
    let (_, reason) = carry_out(&sweep, &truth, 0.001, 0);
    assert_eq!(reason, Reason::AllTrained);
}

#[test]
fn a_budget_at_which_nothing_can_be_trained_is_passed_over() {
    let truth = laws()[0];
    let sweep = sweep(&truth, &[1e6, 1e18], 1.0);
    let (rounds, reason) = carry_out(&sweep, &truth, 0.0, 0);
    assert_eq!(reason, Reason::AllTrained);
    assert_eq!(rounds[0].sizes, [0_i64; 0]);
    assert_eq!(rounds[1].sizes.len(), 7);
    let first = decide(&sweep, &candidates(), &[])
        .expect("valid")
        .to_string();
    assert!(
        first.contains("with no size, since none can be trained there"),
        "{first}"
    );
}
