//! Lines of text with raised exponents.

use super::font;

/// Size of an exponent over that of its base.
const RAISED_SIZE: f64 = 0.72;
/// How far an exponent's baseline stands above the line's, in ems of the base.
const RAISED_BY: f64 = 0.38;

/// Stand in the drawn text where an exponent begins and ends: plotters knows no
/// `tspan`. They are of Unicode's private use area, so no text holds them.
const BEGIN: char = '\u{E000}';
const END: char = '\u{E001}';

/// Which part of a line is where it is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Middle,
    Right,
}

/// A line of text in one size.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    /// Each piece, and whether it is raised.
    spans: Vec<(String, bool)>,
    size: f64,
}

impl Line {
    /// Text of `size` points. What stands in `^{…}` is raised.
    pub(super) fn new(text: &str, size: f64) -> Self {
        let mut spans = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("^{") {
            let (raised, after) = after.split_once('}').unwrap_or((after, ""));
            spans.push((before.to_owned(), false));
            spans.push((raised.to_owned(), true));
            rest = after;
        }
        spans.push((rest.to_owned(), false));
        spans.retain(|(text, _)| !text.is_empty());
        Self { spans, size }
    }

    /// Points.
    pub(super) fn size(&self) -> f64 {
        self.size
    }

    /// Points, in the embedded font.
    pub(super) fn width(&self) -> f64 {
        self.spans
            .iter()
            .map(|(text, raised)| {
                let share = if *raised { RAISED_SIZE } else { 1.0 };
                font::width(text, self.size * share)
            })
            .sum()
    }

    /// The text for plotters to draw, to be finished by [`raise`].
    pub(super) fn marked(&self) -> String {
        let mut marked = String::new();
        for (text, raised) in &self.spans {
            if *raised {
                marked.push(BEGIN);
                marked.push_str(text);
                marked.push(END);
            } else {
                marked.push_str(text);
            }
        }
        marked
    }
}

/// Raises what is marked in an SVG. A line stays one element, so that a viewer
/// with another font still sets it as one.
pub(super) fn raise(svg: &str) -> String {
    let up = RAISED_BY / RAISED_SIZE;
    let begin = format!("<tspan font-size=\"{RAISED_SIZE}em\" dy=\"-{up:.3}em\">");
    let end = format!("</tspan><tspan dy=\"{RAISED_BY}em\">");
    // The tspan that takes the baseline down again runs on to the line's end.
    let mut raised = String::with_capacity(svg.len());
    for line in svg.split_inclusive("</text>") {
        let exponents = line.matches(BEGIN).count();
        let text = line.replace(BEGIN, &begin).replace(END, &end);
        match text.strip_suffix("</text>") {
            Some(text) if exponents > 0 => {
                raised.push_str(text.trim_end());
                raised.push_str(&"</tspan>".repeat(exponents));
                raised.push_str("</text>");
            }
            _ => raised.push_str(&text),
        }
    }
    raised
}

/// FLOPs as `10^{11}` or `3×10^{11}`.
pub(super) fn power_of_ten(value: f64) -> String {
    let text = flops_fit_scaling::quantity::flops(value);
    match text.split_once('e') {
        Some(("1", exponent)) => format!("10^{{{}}}", exponent.replace('-', "−")),
        Some((mantissa, exponent)) => {
            format!("{mantissa}×10^{{{}}}", exponent.replace('-', "−"))
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_raised() {
        let check = |text: &str, expected: &str| {
            let svg = format!("<text>{}\n</text>", Line::new(text, 10.0).marked());
            assert_eq!(raise(&svg), expected);
        };
        check("FLOPs", "<text>FLOPs\n</text>");
        check(
            "10^{11} FLOPs",
            "<text>10<tspan font-size=\"0.72em\" dy=\"-0.528em\">11</tspan>\
             <tspan dy=\"0.38em\"> FLOPs</tspan></text>",
        );
        check(
            "N^{2",
            "<text>N<tspan font-size=\"0.72em\" dy=\"-0.528em\">2</tspan>\
             <tspan dy=\"0.38em\"></tspan></text>",
        );
    }

    #[test]
    fn an_exponent_is_narrower_than_its_base() {
        font::register();
        let (base, both) = (
            Line::new("10", 10.0).width(),
            Line::new("10^{10}", 10.0).width(),
        );
        assert!(both > base * 1.6 && both < base * 1.8, "{base} {both}");
    }

    #[test]
    fn powers_of_ten() {
        assert_eq!(power_of_ten(1e10), "10^{10}");
        assert_eq!(power_of_ten(3e11), "3×10^{11}");
        assert_eq!(power_of_ten(2.5e-3), "2.5×10^{−3}");
    }
}
