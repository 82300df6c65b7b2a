//! Axes with ticks, grid and titles around a space for data.

use flops_fit_scaling::Interval;
use plotters::style::RGBColor;

use super::canvas::{Canvas, Drawn, Place, Stroke};
use super::font::DIGIT_HEIGHT;
use super::palette::{GRID, INK};
use super::scale::{Numbers, Scale};
use super::text::{Line, Side};

/// Size of tick labels and keys, in points.
pub(super) const SMALL: f64 = 8.0;
/// Size of axis titles, in points.
pub(super) const MEDIUM: f64 = 9.0;

const TICK: f64 = 3.5;
const MINOR_TICK: f64 = 2.0;
const GAP: f64 = 3.0;
const FRAME_WIDTH: f64 = 0.7;
const GRID_WIDTH: f64 = 0.5;
/// Half the bar across the end of an error bar.
const CAP: f64 = 1.8;
/// Error bars that are shorter vanish behind their point.
const SHORTEST: f64 = 8.0;

/// One axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub(super) title: String,
    pub(super) scale: Scale,
    pub(super) numbers: Numbers,
    /// Most labelled ticks.
    pub(super) most: usize,
}

/// A pair of axes. Sides are in points from the page's upper left corner.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Panel {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    pub(super) x: Axis,
    pub(super) y: Axis,
}

impl Panel {
    /// Where the data point `(x, y)` stands on the page.
    pub(super) fn at(&self, x: f64, y: f64) -> Place {
        (
            self.left + self.x.scale.share(x) * (self.right - self.left),
            self.bottom - self.y.scale.share(y) * (self.bottom - self.top),
        )
    }

    /// Draws everything but data.
    pub(super) fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        let frame = Stroke::solid(INK, FRAME_WIDTH);
        let grid = Stroke::solid(GRID, GRID_WIDTH);
        let x_ticks = self.x.scale.ticks(self.x.numbers, self.x.most);
        let y_ticks = self.y.scale.ticks(self.y.numbers, self.y.most);
        let across = |value| self.left + self.x.scale.share(value) * (self.right - self.left);
        let down = |value| self.bottom - self.y.scale.share(value) * (self.bottom - self.top);
        for (value, _) in &x_ticks.major {
            let x = across(*value);
            canvas.line(&[(x, self.top), (x, self.bottom)], grid)?;
        }
        for (value, _) in &y_ticks.major {
            let y = down(*value);
            canvas.line(&[(self.left, y), (self.right, y)], grid)?;
        }
        let corner = [
            (self.left, self.top),
            (self.left, self.bottom),
            (self.right, self.bottom),
        ];
        canvas.line(&corner, frame)?;
        for value in &x_ticks.minor {
            let x = across(*value);
            canvas.line(&[(x, self.bottom), (x, self.bottom + MINOR_TICK)], frame)?;
        }
        for value in &y_ticks.minor {
            let y = down(*value);
            canvas.line(&[(self.left - MINOR_TICK, y), (self.left, y)], frame)?;
        }
        let below = self.bottom + TICK + GAP + DIGIT_HEIGHT * SMALL;
        for (value, label) in &x_ticks.major {
            let x = across(*value);
            canvas.line(&[(x, self.bottom), (x, self.bottom + TICK)], frame)?;
            canvas.text((x, below), Side::Middle, &Line::new(label, SMALL), INK)?;
        }
        let beside = self.left - TICK - GAP;
        let mut widest = 0.0_f64;
        for (value, label) in &y_ticks.major {
            let y = down(*value);
            let label = Line::new(label, SMALL);
            widest = widest.max(label.width());
            canvas.line(&[(self.left - TICK, y), (self.left, y)], frame)?;
            let baseline = y + DIGIT_HEIGHT * SMALL / 2.0;
            canvas.text((beside, baseline), Side::Right, &label, INK)?;
        }
        let middle = f64::midpoint(self.left, self.right);
        let title = Line::new(&self.x.title, MEDIUM);
        canvas.text(
            (middle, below + MEDIUM + 2.0 * GAP),
            Side::Middle,
            &title,
            INK,
        )?;
        canvas.upright(
            (
                beside - widest - 2.0 * GAP,
                f64::midpoint(self.top, self.bottom),
            ),
            &Line::new(&self.y.title, MEDIUM),
            INK,
        )
    }

    /// A curve through data points, without those outside the axes.
    pub(super) fn curve(&self, canvas: &Canvas<'_>, points: &[Place], stroke: Stroke) -> Drawn {
        let inside: Vec<Place> = points
            .iter()
            .filter(|(x, y)| self.x.scale.contains(*x) && self.y.scale.contains(*y))
            .map(|(x, y)| self.at(*x, *y))
            .collect();
        if inside.len() < 2 {
            return Ok(());
        }
        canvas.line(&inside, stroke)
    }

    /// The space between two curves over the same x, cut off at the axes' ends.
    pub(super) fn band(
        &self,
        canvas: &Canvas<'_>,
        points: &[(f64, Interval)],
        color: RGBColor,
        opacity: f64,
    ) -> Drawn {
        let (low, high) = self.y.scale.ends();
        let edge = |x: f64, y: f64| self.at(x, y.clamp(low, high));
        let upper = points.iter().map(|(x, y)| edge(*x, y.high));
        let lower = points.iter().rev().map(|(x, y)| edge(*x, y.low));
        let corners: Vec<Place> = upper.chain(lower).collect();
        canvas.area(&corners, plotters::style::Color::mix(&color, opacity))
    }

    /// A bar along y at `x`, capped where it ends inside the axes.
    pub(super) fn error_bar(
        &self,
        canvas: &Canvas<'_>,
        x: f64,
        y: &Interval,
        stroke: Stroke,
    ) -> Drawn {
        let (low, high) = self.y.scale.ends();
        let (from, to) = (
            self.at(x, y.low.clamp(low, high)),
            self.at(x, y.high.clamp(low, high)),
        );
        if from.1 - to.1 < SHORTEST {
            return Ok(());
        }
        canvas.line(&[from, to], stroke)?;
        for (end, value) in [(from, y.low), (to, y.high)] {
            if self.y.scale.contains(value) {
                canvas.line(&[(end.0 - CAP, end.1), (end.0 + CAP, end.1)], stroke)?;
            }
        }
        Ok(())
    }

    /// A bar along x at `y`, likewise.
    pub(super) fn error_bar_across(
        &self,
        canvas: &Canvas<'_>,
        x: &Interval,
        y: f64,
        stroke: Stroke,
    ) -> Drawn {
        let (low, high) = self.x.scale.ends();
        let (from, to) = (
            self.at(x.low.clamp(low, high), y),
            self.at(x.high.clamp(low, high), y),
        );
        if to.0 - from.0 < SHORTEST {
            return Ok(());
        }
        canvas.line(&[from, to], stroke)?;
        for (end, value) in [(from, x.low), (to, x.high)] {
            if self.x.scale.contains(value) {
                canvas.line(&[(end.0, end.1 - CAP), (end.0, end.1 + CAP)], stroke)?;
            }
        }
        Ok(())
    }
}
