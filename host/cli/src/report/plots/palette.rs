//! Colours: viridis for what has an order (budgets, sizes, losses), greys for what
//! explains; those of the methods are in [`look`](super::look).
//!
//! Viridis is even in lightness, so its order survives grey print and every kind
//! of colour blindness.

use plotters::style::RGBColor;
use plotters::style::colors::colormaps::{ColorMap, ViridisRGB};

/// Text, axes.
pub(super) const INK: RGBColor = RGBColor(38, 38, 38);
/// What explains rather than shows.
pub(super) const MUTED: RGBColor = RGBColor(120, 120, 120);
/// Lines behind the data.
pub(super) const GRID: RGBColor = RGBColor(228, 228, 228);
/// Behind what was not measured.
pub(super) const BEYOND: RGBColor = RGBColor(244, 244, 244);

/// Share of viridis that is dark enough on white.
const DARK: f64 = 0.86;

/// The colour at a share from 0 to 1 of an ordered range.
pub(super) fn along(share: f64) -> RGBColor {
    ViridisRGB.get_color(share.clamp(0.0, 1.0) * DARK)
}

/// The colour of the `index`th of `count` ordered things.
pub(super) fn ordered(index: usize, count: usize) -> RGBColor {
    along(index as f64 / (count.max(2) - 1) as f64)
}
