//! Number formats of training.

use flops_fit_trial::{Failure, Phase, Precision, TF32_VARIABLE};
use tch::Kind;

/// The format of the parameters that are saved, of the gradients' sums and the optimizer.
pub(crate) fn master_kind(precision: Precision) -> Kind {
    match precision {
        Precision::Fp32 | Precision::Tf32 | Precision::Bf16 => Kind::Float,
        Precision::Fp64 => Kind::Double,
    }
}

/// The format of the forward and backward pass.
pub(crate) fn compute_kind(precision: Precision) -> Kind {
    match precision {
        Precision::Fp32 | Precision::Tf32 => Kind::Float,
        Precision::Bf16 => Kind::BFloat16,
        Precision::Fp64 => Kind::Double,
    }
}

/// libtorch makes up its mind about TF32 when it is first used, by a variable that
/// flops-fit sets for its workers.
///
/// # Errors
/// If the variable is not as `precision` wants it.
pub(crate) fn check(precision: Precision) -> Result<(), Failure> {
    let wanted = precision == Precision::Tf32;
    let found = std::env::var(TF32_VARIABLE).is_ok_and(|value| value == "1");
    if wanted == found {
        return Ok(());
    }
    Err(Failure::Host {
        phase: Phase::Build,
        detail: if wanted {
            format!("this trial is to train in tf32; set {TF32_VARIABLE}=1, as flops-fit does")
        } else {
            format!(
                "{TF32_VARIABLE}=1 would round the products of a trial that is not to train in tf32; unset it"
            )
        },
    })
}
