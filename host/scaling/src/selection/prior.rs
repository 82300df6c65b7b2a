//! What methods did on real data, before any of the runs at hand was seen.
//!
//! On 28 public `IsoFLOP` data sets with the two largest budgets held out the mean
//! regret in nats was .0032 by cubics, .0097 by windowed parabolas, .0162 by
//! parabolas, .0243 by the log-Huber surface and .0517 by the least-squares surface. A
//! regret goes as the square of the error in ln N*, and how large it is depends on the
//! runs, so only ratios are used, and those tempered: a quarter of them in the logarithm.
//! Noise explains a part of them, and that is known of the runs at hand.

use crate::method::Method;

/// The share of the ratios, in the logarithm, that is believed of other data.
const BELIEF: f64 = 0.25;

/// How much larger than the cubic's a method's squared error is to be expected,
/// everything else being equal. Methods that were not among those compared take the
/// figure of their nearest kin: least absolute deviations and the data-constrained law
/// that of the log-Huber surface, the envelope that of the parabola.
pub(super) fn handicap(method: Method) -> f64 {
    let regret = match method {
        Method::IsoflopCubic => CUBIC,
        Method::IsoflopWindowed => 0.0097,
        Method::IsoflopParabola | Method::Envelope => 0.0162,
        Method::ParametricHuber | Method::ParametricLad | Method::DataConstrained => 0.0243,
        Method::ParametricMse => 0.0517,
    };
    (regret / CUBIC).powf(BELIEF)
}

/// Mean regret of cubics.
const CUBIC: f64 = 0.0032;
