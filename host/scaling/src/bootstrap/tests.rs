use super::*;
use crate::fit::fit;
use crate::method::{Method, ResidualScale};
use crate::run::Run;
use crate::simulate::{FLOPS, Truth};

const SIZES: usize = 7;
const BRANCHES: usize = 6;

/// Runs of several lengths of each size; those of one size share a trunk, or none does.
fn runs(share: bool) -> Vec<Run> {
    let truth = Truth::new(1.69, 406.4, 0.34, 410.7, 0.28);
    let all = (0..SIZES).flat_map(|size| (0..BRANCHES).map(move |branch| (size, branch)));
    let run = |(size, branch): (usize, usize)| {
        let n = 1e8 * 2_f64.powi(size as i32);
        let d = 1e9 * 2_f64.powi(branch as i32);
        let number = (BRANCHES * size + branch) as u64;
        let loss = truth.noisy_loss(n, d, 0.01, 1, number);
        Run {
            group: share.then(|| format!("trunk {size}")),
            ..Run::new(n, d, FLOPS * n * d, loss)
        }
    };
    all.map(run).collect()
}

/// Whether rows of one size have the same of `values`.
fn goes_by_size(sample: &Sample, values: &[f64]) -> bool {
    let rows = 0..sample.len();
    rows.clone().all(|a| {
        rows.clone().all(|b| {
            let same_size = sample.ln_n[a].total_cmp(&sample.ln_n[b]).is_eq();
            let close = (values[a] - values[b]).abs() < 1e-6;
            !same_size || close
        })
    })
}

#[test]
fn the_branches_of_a_trunk_are_one_cluster() {
    let sample = Sample::new(&runs(true)).expect("valid");
    assert_eq!(sample.clusters, SIZES);
    let number: Vec<f64> = sample.cluster.iter().map(|&one| one as f64).collect();
    assert!(goes_by_size(&sample, &number));
    let alone = Sample::new(&runs(false)).expect("valid");
    assert_eq!(alone.clusters, SIZES * BRANCHES);
}

/// The random weight of each row in one wild draw.
fn weights(fit: &Fit<'_>) -> Vec<f64> {
    let errors = errors::of(fit);
    let losses = wild(fit, &errors, &mut Stream::new(3, Purpose::Bootstrap, 0));
    let rows = losses.iter().zip(fit.fitted()).zip(&errors);
    rows.map(
        |((loss, fitted), error)| match fit.method().residual_scale() {
            ResidualScale::Loss => (loss - fitted) / error,
            ResidualScale::LogLoss => (loss / fitted).ln() / error,
        },
    )
    .collect()
}

#[test]
fn the_branches_of_a_trunk_move_together() {
    let shared = Sample::new(&runs(true)).expect("valid");
    let alone = Sample::new(&runs(false)).expect("valid");
    let mut compared = 0;
    for method in Method::ALL {
        let (Ok(with), Ok(without)) = (fit(method, &shared), fit(method, &alone)) else {
            continue;
        };
        if with.used().iter().all(|&used| used) {
            compared += 1;
            assert!(goes_by_size(&shared, &weights(&with)), "{method}");
            assert!(!goes_by_size(&alone, &weights(&without)), "{method}");
        }
    }
    assert!(compared > 1, "{compared}");
    let mut stream = Stream::new(3, Purpose::Bootstrap, 0);
    assert!(goes_by_size(&shared, &resampled(&shared, &mut stream)));
    assert!(!goes_by_size(&alone, &resampled(&alone, &mut stream)));
}
