//! The two demonstration sweeps: minima against the published columns, and the
//! prediction made before the largest budget was trained.

use flops_fit_scaling::{Analysis, Options, Quantity, Run, analyze};

use crate::sweeps::{NOVELS, STORIES, Sweep};

fn analyzed(runs: &[Run]) -> Analysis {
    let options = Options {
        targets: vec![1e12],
        ..Options::default()
    };
    analyze(runs, &options).unwrap()
}

fn check_minima(sweep: &Sweep, columns: &[(f64, f64)]) {
    let analysis = analyzed(&sweep.runs(3e11));
    assert_eq!(analysis.budgets.len(), columns.len());
    for (fit, &(n, loss)) in analysis.budgets.iter().zip(columns) {
        let minimum = fit.outcome.minimum().unwrap();
        let found = (minimum.n.estimate, minimum.loss.estimate);
        assert!(
            (found.0 / n).ln().abs() < 1.3_f64.ln(),
            "{:e}: {found:?}",
            fit.budget
        );
        assert!((found.1 - loss).abs() < 0.03, "{:e}: {found:?}", fit.budget);
    }
    let noise = analysis.noise.unwrap();
    // Both sweeps' seeds scatter by about 0.017 nats.
    assert!((0.012..0.025).contains(&noise.sd), "{noise:?}");
}

#[test]
fn novels_minima() {
    let columns = [(4.2e3, 2.20), (7.6e3, 2.00), (15.5e3, 1.82), (29.2e3, 1.67)];
    check_minima(&NOVELS, &columns);
}

#[test]
fn stories_minima() {
    let columns = [
        (4.1e3, 1.793),
        (7.9e3, 1.582),
        (17.1e3, 1.362),
        (28e3, 1.211),
    ];
    check_minima(&STORIES, &columns);
}

/// `n` is the range in which the optimum at 1e12 was measured.
fn check_prediction(runs: &[Run], n: (f64, f64), losses: &[f64]) {
    let analysis = analyzed(runs);
    let found = &analysis.predictions[0];
    for n in [n.0, n.1] {
        assert!((found.n / n).ln().abs() < 1.6_f64.ln(), "{found:?}");
        assert!(
            found.interval(Quantity::N).unwrap().contains(n),
            "{found:?}"
        );
    }
    check_losses(&analysis, losses, 0.07);
    assert!(found.decades_beyond > 0.5 && !found.is_far);
}

/// The losses measured at 1e12 against the one predicted there, whose interval may reach
/// `half_width` to either side.
fn check_losses(analysis: &Analysis, losses: &[f64], half_width: f64) {
    let found = &analysis.predictions[0];
    let interval = found.interval(Quantity::Loss).unwrap();
    println!(
        "{:?}: {found:?}",
        analysis.recommended.as_ref().map(|r| &r.reason)
    );
    assert!(interval.half_width() <= half_width, "{found:?}");
    for &loss in losses {
        assert!((found.loss - loss).abs() <= 0.05, "{found:?}");
        assert!(interval.contains(loss), "{found:?}");
    }
}

#[test]
fn novels_prediction() {
    check_prediction(&NOVELS.runs(3e11), (57.8e3, 59.2e3), &[1.531]);
}

#[test]
fn stories_prediction() {
    check_prediction(&STORIES.runs(3e11), (53e3, 62e3), &[1.067, 1.074]);
}

#[test]
fn one_seed_is_enough_for_the_loss() {
    for (sweep, loss) in [(&NOVELS, 1.531), (&STORIES, 1.073)] {
        for seed in [0, 1] {
            let analysis = analyzed(&sweep.runs_of_seed(3e11, seed));
            check_losses(&analysis, &[loss], 0.07);
        }
    }
}
