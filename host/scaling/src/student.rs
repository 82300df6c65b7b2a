//! Student's t and Fisher's F with any positive numbers of degrees of freedom.

use statrs::distribution::{ContinuousCDF, FisherSnedecor, StudentsT};

use crate::interval::LEVEL;

fn distribution(dof: f64) -> StudentsT {
    StudentsT::new(0.0, 1.0, dof).expect("degrees of freedom are positive")
}

/// The two-sided 95 % quantile: |t| stays below it with probability 0.95.
pub(crate) fn two_sided(dof: f64) -> f64 {
    distribution(dof).inverse_cdf(0.5 + LEVEL / 2.0)
}

/// The one-sided 95 % quantile: t stays below it with probability 0.95.
pub(crate) fn one_sided(dof: f64) -> f64 {
    distribution(dof).inverse_cdf(LEVEL)
}

/// The quantile of F at `probability`, for a mean square of `free` degrees of
/// freedom over one of `dof`.
pub(crate) fn f_quantile(probability: f64, free: f64, dof: f64) -> f64 {
    FisherSnedecor::new(free, dof)
        .expect("degrees of freedom are positive")
        .inverse_cdf(probability)
}

/// P(T <= t).
pub(crate) fn cdf(t: f64, dof: f64) -> f64 {
    distribution(dof).cdf(t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_match_printed_tables() {
        assert!((f_quantile(0.95, 1.0, 10.0) - 4.965).abs() < 1e-3);
        assert!((f_quantile(0.95, 3.0, 20.0) - 3.098).abs() < 1e-3);
        for (dof, expected) in [(1.0, 12.706), (2.0, 4.303), (7.0, 2.365), (30.0, 2.042)] {
            assert!((two_sided(dof) - expected).abs() < 1e-3, "{dof}");
        }
        assert!((one_sided(7.0) - 1.895).abs() < 1e-3);
        assert!((cdf(2.365, 7.0) - 0.975).abs() < 1e-4);
    }
}
