//! The embedded font: Liberation Sans 2.1.5, under the SIL Open Font License
//! (its text stands beside the file).
//!
//! Its glyphs are as wide as Arial's and Helvetica's. So an SVG keeps its layout
//! in a viewer that lacks the font and takes one of those.

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};

/// The font's file.
pub(super) const FILE: &[u8] = include_bytes!("../../../assets/LiberationSans-Regular.ttf");

/// The family as SVG names it: the embedded font, then its look-alikes.
pub(super) const FAMILY: &str = "Liberation Sans, Arial, Helvetica, sans-serif";

/// plotters' SVG backend divides a font's size by this to get `font-size`.
pub(super) const PLOTTERS_SIZE: f64 = 1.24;

/// Ascent plus descent over the em: the size by which plotters measures.
const LINE_HEIGHT: f64 = 0.905 + 0.212;

/// Height of digits over the em.
pub(super) const DIGIT_HEIGHT: f64 = 0.69;

/// Size at which widths are measured: they come as whole numbers.
const MEASURED_AT: f64 = 1000.0;

/// Makes plotters know the font.
pub(super) fn register() {
    let known = register_font(FAMILY, FontStyle::Normal, FILE);
    debug_assert!(known.is_ok(), "the embedded file is a font");
}

/// Width of a text set in `size` points.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let font = FontDesc::new(
        FontFamily::Name(FAMILY),
        MEASURED_AT * LINE_HEIGHT,
        FontStyle::Normal,
    );
    // Half an em a character, should the font ever be unknown.
    let guess = text.chars().count() as f64 * MEASURED_AT / 2.0;
    let measured = font
        .box_size(text)
        .map_or(guess, |(width, _)| f64::from(width));
    measured * size / MEASURED_AT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font_s_table() {
        register();
        // Advance widths in the file: digits 1139, M 1706 of 2048 units an em.
        for (text, expected) in [("0", 1139.0), ("10", 2278.0), ("M", 1706.0)] {
            let expected = expected / 2048.0 * 10.0;
            let found = width(text, 10.0);
            assert!(
                (found - expected).abs() < 0.02,
                "{text}: {found} {expected}"
            );
        }
    }
}
