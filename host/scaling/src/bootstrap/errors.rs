//! Errors of the runs, estimated from residuals that the fit has made smaller.
//!
//! **Least squares.** A residual has the variance `σ²·(1 − h)` with h the run's
//! leverage, so it is divided by `√(1 − h)` (HC2: `MacKinnon` and White 1985). For
//! a cluster of runs with one configuration the rule holds for the cluster's mean
//! with the cluster's leverage `Σh`, and the seeds' deviations from it stay as
//! they are: `(I − H_gg)^(−1/2)` of Bell and `McCaffrey` (2002), in closed form.
//! The configurations of a group are treated one by one.
//!
//! **Robust objectives** (log-Huber, least absolute deviations). The fit passes
//! through some runs, or close by, and HC2 would leave their errors at zero. The
//! residual that the run would have had without its own pull is
//! `r + h·ψ(r)/E[ψ′]`, with ψ the derivative of the objective and h the leverage of
//! the design (the finite-sample correction of the wild bootstrap by Feng, He and
//! Hu, Biometrika 98, 2011, for the median). `E[ψ′]` is the share of errors on the
//! objective's quadratic part, where they are fewer than those within Hall and
//! Sheather's bandwidth read off the density there; the residuals that the fit
//! forced to zero, one a parameter, are not counted.

use crate::fit::Fit;
use crate::surface::Objective;

/// Leverage is taken to be no higher: what such a run says about its own error is
/// lost in the fit.
const HIGHEST_LEVERAGE: f64 = 0.98;

/// One error a run on the method's residual scale, 0 where the run is not used.
pub(crate) fn of(fit: &Fit<'_>) -> Vec<f64> {
    match fit.objective() {
        Objective::Mse | Objective::MseLog => hc2(fit),
        Objective::Huber { delta } => robust(fit, delta),
        Objective::Lad => robust(fit, 0.0),
    }
}

/// Rows of each cluster.
pub(super) fn clusters(fit: &Fit<'_>) -> Vec<Vec<usize>> {
    let sample = fit.sample();
    let mut rows = vec![Vec::new(); sample.clusters];
    for row in (0..sample.len()).filter(|&row| fit.used()[row]) {
        rows[sample.cluster[row]].push(row);
    }
    rows.retain(|rows| !rows.is_empty());
    rows
}

/// Rows of each configuration: seeds of one N and D in one cluster.
fn configurations(fit: &Fit<'_>) -> Vec<Vec<usize>> {
    let sample = fit.sample();
    let key = |row: &usize| (sample.ln_n[*row].to_bits(), sample.ln_d[*row].to_bits());
    let split = |mut rows: Vec<usize>| {
        rows.sort_by_key(key);
        let same = rows
            .chunk_by(|a, b| key(a) == key(b))
            .map(<[usize]>::to_vec);
        same.collect::<Vec<_>>()
    };
    clusters(fit).into_iter().flat_map(split).collect()
}

fn hc2(fit: &Fit<'_>) -> Vec<f64> {
    let (sample, leverage) = (fit.sample(), fit.leverage());
    let undo = |leverage: f64| 1.0 / (1.0 - leverage.min(HIGHEST_LEVERAGE)).sqrt();
    let mut errors = vec![0.0; sample.len()];
    for rows in configurations(fit) {
        let total: f64 = rows.iter().map(|&row| sample.weight[row]).sum();
        let mean: f64 = rows
            .iter()
            .map(|&row| sample.weight[row] * fit.residual(row) / total)
            .sum();
        let shared: f64 = rows.iter().map(|&row| leverage[row]).sum();
        for &row in &rows {
            errors[row] = fit.residual(row) + (undo(shared) - 1.0) * mean;
        }
    }
    errors
}

fn robust(fit: &Fit<'_>, threshold: f64) -> Vec<f64> {
    let rows: Vec<usize> = (0..fit.sample().len())
        .filter(|&row| fit.used()[row])
        .collect();
    let mut sizes: Vec<f64> = rows.iter().map(|&row| fit.residual(row).abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let parameters = fit.leverage().iter().sum::<f64>().round() as usize;
    let Some(pull) = pull(&sizes, parameters, threshold) else {
        return hc2(fit);
    };
    // On a run that the fit passes through, ψ lies anywhere between −1 and 1; the
    // draws' weights are symmetric, so its sign does not matter.
    let touching = sizes.get(parameters).map_or(0.0, |next| next * 1e-6);
    let direction = |row: usize| {
        let residual = fit.residual(row);
        if threshold > 0.0 {
            (residual / threshold).clamp(-1.0, 1.0)
        } else if residual.abs() <= touching {
            1.0 / 3_f64.sqrt()
        } else {
            residual.signum()
        }
    };
    let own = |row: usize| fit.leverage()[row].min(HIGHEST_LEVERAGE) * direction(row) * pull;
    let mut errors = vec![0.0; fit.sample().len()];
    for rows in configurations(fit) {
        // Seeds of one configuration pull the fit at the same place.
        let shared: f64 = rows.iter().map(|&row| own(row)).sum();
        for &row in &rows {
            errors[row] = fit.residual(row) + shared;
        }
    }
    errors
}

/// `threshold / E[ψ′/ψ_max]`: how far a run of leverage 1 pulls the fit when its
/// residual is beyond the threshold. `sizes` are residuals without sign, ascending.
/// `None` where all errors lie on the quadratic part, or there are too few.
fn pull(sizes: &[f64], parameters: usize, threshold: f64) -> Option<f64> {
    let free = sizes
        .len()
        .checked_sub(parameters)
        .filter(|&free| free > 0)?;
    // Share of errors within the bandwidth around the median, for a normal
    // density and 95 % (Hall and Sheather 1988): 2·n^(−1/3)·z^(2/3)·(1.5·φ(0)²)^(1/3).
    let share = (1.943 * (sizes.len() as f64).powf(-1.0 / 3.0)).min(0.9);
    let within = parameters as f64 + share * free as f64;
    let bandwidth = sizes[(within.round() as usize).min(sizes.len() - 1)];
    if bandwidth > threshold {
        return Some(bandwidth / share);
    }
    let quadratic = sizes.partition_point(|&size| size <= threshold) - parameters.min(sizes.len());
    (quadratic > 0).then(|| threshold * free as f64 / quadratic as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pull_is_that_of_the_density_at_zero() {
        // Errors spread evenly over [0, 1]: two-sided density 1/2, so for LAD
        // 1 / (2·f(0)) = 1.
        let even: Vec<f64> = (0..1000).map(|i| (f64::from(i) + 0.5) / 1000.0).collect();
        let found = pull(&even, 0, 0.0).expect("a pull");
        assert!((found - 1.0).abs() < 0.02, "{found}");
        // Parameters force residuals to zero without making the density higher.
        let forced: Vec<f64> = std::iter::repeat_n(0.0, 50)
            .chain(even.iter().copied())
            .collect();
        let found = pull(&forced, 50, 0.0).expect("a pull");
        assert!((found - 1.0).abs() < 0.05, "{found}");
        // All within the threshold: least squares.
        assert!((pull(&even, 0, 2.0).expect("a pull") - 2.0).abs() < 1e-12);
        assert_eq!(pull(&even[..3], 3, 0.0), None);
    }
}
