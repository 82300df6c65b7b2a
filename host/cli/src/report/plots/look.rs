//! How each method looks in every figure: a colour and a dash of its own.
//!
//! The colours are those of Okabe and Ito (2008), which stay apart in every kind
//! of colour blindness; dashes tell the families apart in grey print.

use flops_fit_scaling::Method;
use plotters::style::RGBColor;

use super::canvas::Stroke;
use super::palette::INK;

/// Width of a method's line, and of the one to follow, in points.
const LINE: f64 = 1.0;
const LEADING_LINE: f64 = 2.0;

pub(super) fn color(method: Method) -> RGBColor {
    match method {
        Method::Envelope => INK,
        Method::IsoflopCubic => RGBColor(0, 114, 178),
        Method::IsoflopParabola => RGBColor(86, 180, 233),
        Method::IsoflopWindowed => RGBColor(0, 158, 115),
        Method::ParametricHuber => RGBColor(213, 94, 0),
        Method::ParametricLad => RGBColor(230, 159, 0),
        Method::ParametricMse => RGBColor(204, 121, 167),
        Method::DataConstrained => RGBColor(120, 94, 60),
    }
}

/// A method's line.
pub(super) fn line(method: Method) -> Stroke {
    let line = Stroke::solid(color(method), LINE);
    match method {
        Method::IsoflopCubic | Method::IsoflopParabola | Method::IsoflopWindowed => line,
        Method::ParametricHuber | Method::ParametricLad | Method::ParametricMse => {
            line.dashed(5.0, 2.0)
        }
        Method::DataConstrained => line.dashed(8.0, 2.0),
        Method::Envelope => line.dashed(1.5, 1.5),
    }
}

/// The line of what to follow: in its method's colour, in ink where several are
/// averaged.
pub(super) fn followed_line(method: Option<Method>) -> Stroke {
    Stroke::solid(method.map_or(INK, color), LEADING_LINE)
}
