//! Degrees of freedom of a bootstrap's standard error.
//!
//! A quantity that hangs on a handful of runs has an error that is known from a
//! handful of residuals, however many runs there are. With c the response of the
//! quantity to each run's error and `M = I − H`, the HC2 variance `Σ c²·r²/(1 − h)`
//! has Satterthwaite's degrees of freedom `2·E²/Var` under equal noise (Bell and
//! `McCaffrey` 2002; Imbens and Kolesár, Review of Economics and Statistics 98,
//! 2016):
//!
//! `ν = (Σ c²)² / Σ_ij a_i·a_j·M_ij²`, `a = c²/(1 − h)`.
//!
//! The responses come from refitting with one cluster's error at a time, which no
//! method has to know of. The off-diagonal of M is not known; its squares have the
//! row sums `h·(1 − h)`, and `M_ij² ≈ q_i·q_j/Σq` with `q = h·(1 − h)` has them too.
//!
//! Objectives that are not smooth do not respond to one small error alone, and
//! with more than [`MANY`] clusters the difference is lost in Student's t: these
//! take clusters less parameters.

use std::num::NonZeroUsize;

use super::{errors, parallel};
use crate::fit::Fit;
use crate::frontier::Law;
use crate::surface::Objective;

/// Clusters beyond which ν is not worth as many refits.
const MANY: usize = 100;

/// What one cluster's error does to the law.
#[derive(Debug, Clone)]
pub(super) struct Response {
    /// The law with the cluster's losses raised, and with them lowered.
    laws: [Law; 2],
    /// Leverage of the cluster.
    leverage: f64,
}

impl Response {
    pub(super) fn laws(&self) -> &[Law; 2] {
        &self.laws
    }
}

/// One response a cluster; `None` where ν is clusters less parameters.
pub(super) fn responses(fit: &Fit<'_>, threads: Option<NonZeroUsize>) -> Option<Vec<Response>> {
    let clusters = errors::clusters(fit);
    if clusters.len() > MANY || !matches!(fit.objective(), Objective::Mse | Objective::MseLog) {
        return None;
    }
    // A nudge by the size of a typical residual stays in the range where the
    // quantity is nearly linear in the losses.
    let nudge = fit.diagnostics().rms;
    if nudge <= 0.0 {
        return None;
    }
    let fitted: Vec<f64> = (0..fit.sample().len())
        .map(|row| fit.perturbed(row, 0.0))
        .collect();
    let one = |cluster: usize| {
        let rows = &clusters[cluster];
        let law = |sign: f64| {
            let mut losses = fitted.clone();
            for &row in rows {
                losses[row] = fit.perturbed(row, sign * nudge);
            }
            fit.refit(&losses, None)
        };
        let leverage: f64 = rows.iter().map(|&row| fit.leverage()[row]).sum();
        Some(Response {
            laws: [law(1.0)?, law(-1.0)?],
            leverage: leverage.min(1.0),
        })
    };
    parallel::map(clusters.len(), threads, one)
        .into_iter()
        .collect()
}

/// ν of a quantity, at least 1, from its change with each cluster's error.
pub(super) fn of(responses: &[Response], changes: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut total, mut diagonal, mut shared, mut spread) = (0.0, 0.0, 0.0, 0.0);
    for (response, change) in responses.iter().zip(changes) {
        let (square, h) = (change.powi(2), response.leverage);
        total += square;
        diagonal += square.powi(2);
        shared += square * h;
        spread += h * (1.0 - h);
    }
    let off_diagonal = if spread > 0.0 {
        shared.powi(2) / spread
    } else {
        0.0
    };
    let freedom = total.powi(2) / (diagonal + off_diagonal);
    (freedom.is_finite() && total > 0.0).then(|| freedom.max(1.0))
}
