//! What methods are called in tables and figures.

use flops_fit_scaling::Method;

/// A method's name for people; [`Method::name`] is the one for programs.
pub fn method(method: Method) -> &'static str {
    match method {
        Method::Envelope => "envelope",
        Method::IsoflopCubic => "IsoFLOP, cubic",
        Method::IsoflopParabola => "IsoFLOP, parabola",
        Method::IsoflopWindowed => "IsoFLOP, windowed",
        Method::ParametricHuber => "parametric, Huber",
        Method::ParametricLad => "parametric, LAD",
        Method::ParametricMse => "parametric, MSE",
        Method::DataConstrained => "data-constrained",
    }
}
