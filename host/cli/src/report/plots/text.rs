//! Lines of text with raised exponents.

use super::font;

/// Size of an exponent over that of its base.
const RAISED_SIZE: f64 = 0.72;
/// How far an exponent's baseline stands above the line's, in ems of the base.
const RAISED_BY: f64 = 0.38;

/// Which part of a line is where it is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Middle,
    Right,
}

impl Side {
    /// The share of the line's width to the left of its place.
    pub(super) fn share(self) -> f64 {
        match self {
            Self::Left => 0.0,
            Self::Middle => 0.5,
            Self::Right => 1.0,
        }
    }
}

/// A line of text in one size.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
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
    pub(super) fn width(&self) -> f64 {
        self.spans()
            .map(|(text, size, _)| font::width(text, size))
            .sum()
    }

    /// Each piece with its size and how far it is raised, in points.
    pub(super) fn spans(&self) -> impl Iterator<Item = (&str, f64, f64)> {
        self.spans.iter().map(|(text, raised)| {
            if *raised {
                (
                    text.as_str(),
                    self.size * RAISED_SIZE,
                    self.size * RAISED_BY,
                )
            } else {
                (text.as_str(), self.size, 0.0)
            }
        })
    }
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
        let line = Line::new("3×10^{11} FLOPs", 10.0);
        let spans: Vec<(&str, bool)> = line.spans().map(|(t, _, lift)| (t, lift > 0.0)).collect();
        assert_eq!(spans, [("3×10", false), ("11", true), (" FLOPs", false)]);
        assert_eq!(Line::new("N^{2", 10.0).spans().count(), 2);
    }

    #[test]
    fn powers_of_ten() {
        assert_eq!(power_of_ten(1e10), "10^{10}");
        assert_eq!(power_of_ten(3e11), "3×10^{11}");
        assert_eq!(power_of_ten(2.5e-3), "2.5×10^{−3}");
    }
}
