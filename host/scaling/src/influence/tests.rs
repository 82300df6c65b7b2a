use super::*;
use crate::method::Method;
use crate::simulate::{Truth, noisy};

const BUDGETS: [f64; 4] = [1e18, 1e19, 1e20, 1e21];
const C: f64 = 1e22;

fn truth() -> Truth {
    Truth::with_exponents(0.34, 0.3, 1e20, 0.9)
}

fn sweep(noise: f64) -> Vec<Run> {
    noisy(&truth().sweep(&BUDGETS, 7, 4.0, 1.0, 1), noise, 5, 0)
}

fn answer(fit: &Fit<'_>) -> Answer {
    let optimum = fit.optimum(C);
    Answer {
        optimum,
        n: Some([0.9 * optimum.n, 1.1 * optimum.n]),
        loss: Some([optimum.loss - 0.01, optimum.loss + 0.01]),
    }
}

fn table(runs: &[Run], method: Method, left_out: &[LeftOut], flags: &[Flag]) -> Vec<Influence> {
    let kept: Vec<(usize, &Run)> = runs
        .iter()
        .enumerate()
        .filter(|(row, _)| left_out.iter().all(|one| one.run != *row))
        .collect();
    let sample = Sample::of(&kept).unwrap();
    let fitted = fit(method, &sample).unwrap();
    let followed = Followed {
        fits: &[(&fitted, 1.0)],
    };
    influences(followed, &answer(&fitted), runs, left_out, flags, None)
}

const METHODS: [Method; 3] = [
    Method::IsoflopCubic,
    Method::ParametricHuber,
    Method::ParametricMse,
];

#[test]
fn exact_runs_have_no_influence() {
    for influence in table(&sweep(0.0), Method::ParametricMse, &[], &[]) {
        assert!(influence.ln_n.unwrap().abs() < 1e-3, "{influence:?}");
        assert!(!influence.beyond);
    }
}

#[test]
fn each_change_is_what_fitting_the_other_runs_gives() {
    let runs = sweep(0.01);
    for method in METHODS {
        let found = table(&runs, method, &[], &[]);
        assert_eq!(found.len(), BUDGETS.len() + MOST, "{method}");
        for influence in &found {
            let others: Vec<Run> = match influence.change {
                Change::WithoutBudget { budget } => {
                    let rest = runs.iter().filter(|run| run.budget != Some(budget));
                    rest.cloned().collect()
                }
                Change::WithoutRun { run, flagged } => {
                    assert!(!flagged);
                    let mut others = runs.clone();
                    others.remove(run);
                    others
                }
                Change::WithRuns { .. } => panic!("nothing was left out"),
            };
            let sample = Sample::new(&others).unwrap();
            let afresh = fit(method, &sample).unwrap().optimum(C);
            let n = influence.answer.unwrap().n;
            assert!(
                (n / afresh.n).ln().abs() < 1e-3,
                "{method}: {influence:?} {afresh:?}"
            );
        }
        let sizes: Vec<f64> = found.iter().map(Influence::size).collect();
        assert!(sizes.is_sorted_by(|a, b| a >= b));
    }
}

#[test]
fn a_bad_run_is_found_flagged_or_left_out() {
    let mut runs = sweep(0.002);
    runs[27].loss += 0.2;
    for (left_out, flags) in [
        (vec![], vec![]),
        (vec![], vec![Flag::Suspect { run: 27, z: 5.0 }]),
        (
            vec![LeftOut {
                run: 27,
                reason: LeftOutReason::Outlier {
                    z: 50.0,
                    expected: 2.0,
                },
            }],
            vec![],
        ),
    ] {
        let found = table(&runs, Method::ParametricMse, &left_out, &flags);
        let change = found
            .iter()
            .find(|one| !matches!(one.change, Change::WithoutBudget { .. }));
        let expected = if left_out.is_empty() {
            Change::WithoutRun {
                run: 27,
                flagged: !flags.is_empty(),
            }
        } else {
            Change::WithRuns { runs: vec![27] }
        };
        let largest = change.unwrap();
        assert_eq!(largest.change, expected);
        assert!(largest.beyond, "{largest:?}");
        if left_out.is_empty() {
            // Without it the answer is that of the law.
            let truth = truth().optimum(C);
            let n = largest.answer.unwrap().n;
            assert!((n / truth.n).ln().abs() < 0.1, "{largest:?} {truth:?}");
            assert!(largest.size() > 0.2);
        }
    }
}

#[test]
fn a_law_that_hangs_on_one_budget_is_lost_without_it() {
    let mut runs = sweep(0.002);
    runs.retain(|run| run.budget <= Some(1e19));
    let found = table(&runs, Method::IsoflopCubic, &[], &[]);
    let lost = found.iter().filter(|influence| influence.answer.is_none());
    assert_eq!(lost.count(), 2);
    assert!(found[0].answer.is_none() && found[0].beyond);
}
