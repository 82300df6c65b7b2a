//! Number formats.

use flops_fit_trial::Precision;
use tch::Kind;

/// The format of the forward and backward pass.
pub(crate) fn compute_kind(precision: Precision) -> Kind {
    match precision {
        Precision::Fp32 => Kind::Float,
        Precision::Fp64 => Kind::Double,
    }
}
