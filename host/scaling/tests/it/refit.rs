//! The contract between a fit and what judges it.

use flops_fit_scaling::isoflop::Method as Shape;
use flops_fit_scaling::{Fit, Frontier, Method, Parameters, Run, Sample, Unfit, fit};

use crate::simulation::{Draws, Truth};

const BUDGETS: [f64; 5] = [1e10, 3e10, 1e11, 3e11, 1e12];

fn sweep(noise: f64) -> Vec<Run> {
    let mut draws = Draws(7);
    let truth = Truth::draw(&mut draws);
    truth.sweep(&BUDGETS, 2, noise, &mut draws)
}

fn fits(sample: &Sample) -> Vec<Fit<'_>> {
    Method::ALL
        .into_iter()
        .filter_map(|method| match fit(method, sample) {
            Ok(fit) => Some(fit),
            Err(Unfit::NoHonestCurves | Unfit::NothingRepeats) => None,
            Err(reason) => panic!("{method}: {reason}"),
        })
        .collect()
}

/// N*, D* and L* at a budget beyond the data.
fn answer(law: &impl Frontier) -> [f64; 3] {
    let optimum = law.optimum(1e13);
    [optimum.n, optimum.d, optimum.loss]
}

fn assert_close(method: Method, found: [f64; 3], expected: [f64; 3], tolerance: f64) {
    for (found, expected) in found.into_iter().zip(expected) {
        assert!(
            (found / expected - 1.0).abs() < tolerance,
            "{method}: {found} for {expected}"
        );
    }
}

#[test]
fn refitting_the_same_losses_gives_the_same_law() {
    let sample = Sample::new(&sweep(0.01)).unwrap();
    for fit in fits(&sample) {
        let losses = losses(&sample, &fit);
        for weights in [None, Some(vec![1.0; sample.len()])] {
            let law = fit.refit(&losses, weights.as_deref()).unwrap();
            assert_close(fit.method(), answer(&law), answer(fit.law()), 1e-6);
        }
    }
}

#[test]
fn a_weight_of_zero_leaves_a_run_out_and_of_two_repeats_it() {
    let mut runs = sweep(0.01);
    let count = runs.len();
    let sample = Sample::new(&runs).unwrap();
    let changed = [3, count - 2];
    let mut weights = vec![1.0; count];
    (weights[changed[0]], weights[changed[1]]) = (0.0, 2.0);
    runs[changed[1]].weight = Some(2.0);
    runs.remove(changed[0]);
    let other = Sample::new(&runs).unwrap();
    for fit in fits(&sample) {
        let law = fit.refit(&losses(&sample, &fit), Some(&weights)).unwrap();
        let again = flops_fit_scaling::fit(fit.method(), &other).unwrap();
        // The loss law keeps the noise of the first fit, so L* may move a little.
        let (found, expected) = (answer(&law), answer(again.law()));
        for (found, expected) in found.into_iter().zip(expected).take(2) {
            assert!(
                (found / expected - 1.0).abs() < 1e-3,
                "{}: {found} for {expected}",
                fit.method()
            );
        }
        assert!(
            (found[2] / expected[2] - 1.0).abs() < 1e-2,
            "{}",
            fit.method()
        );
    }
}

fn losses(sample: &Sample, fit: &Fit<'_>) -> Vec<f64> {
    (0..sample.len())
        .map(|row| fit.perturbed(row, fit.residual(row)))
        .collect()
}

#[test]
fn leverages_add_up_to_the_parameters() {
    let sample = Sample::new(&sweep(0.01)).unwrap();
    for fit in fits(&sample) {
        let total: f64 = fit.leverage().iter().sum();
        let expected: f64 = match fit.parameters() {
            Parameters::Isoflop(parameters) => parameters
                .minima
                .iter()
                .map(|minimum| match minimum.shape {
                    Shape::Cubic => 4.0,
                    Shape::Parabola | Shape::WindowedParabola => 3.0,
                })
                .sum(),
            Parameters::DataConstrained(_) | Parameters::Envelope(_) => continue,
            Parameters::Surface(parameters) => 5.0 - parameters.bounds.len() as f64,
        };
        assert!((total - expected).abs() < 1e-6, "{}: {total}", fit.method());
        let range = 0.0..=1.0 + 1e-9;
        assert!(
            fit.leverage().iter().all(|h| range.contains(h)),
            "{}",
            fit.method()
        );
    }
}

#[test]
fn a_subset_keeps_rows_budgets_and_clusters_together() {
    let sample = Sample::new(&sweep(0.01)).unwrap();
    let last = sample.budgets().len() - 1;
    let part = sample.subset(|row| sample.budget(row) != Some(last));
    assert_eq!(part.budgets().len(), last);
    for row in 0..part.len() {
        let whole = part.position(row);
        assert_eq!(part.budget(row), sample.budget(whole));
        for other in 0..part.len() {
            let together = part.cluster(row) == part.cluster(other);
            assert_eq!(
                together,
                sample.cluster(whole) == sample.cluster(part.position(other))
            );
        }
    }
}
