//! Axes with ticks, grid and titles around a space for data.

use flops_fit_scaling::Interval;
use plotters::style::RGBColor;

use super::canvas::{Canvas, DrawError, Drawn, Place, Stroke};
use super::font::DIGIT_HEIGHT;
use super::palette::{GRID, INK};
use super::scale::{Numbers, Scale, Ticks};
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
        (self.across(x), self.down(y))
    }

    /// Draws everything but data.
    pub(super) fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        self.grid(canvas, &self.y.scale.ticks(self.y.numbers, self.y.most))?;
        self.x_axis(canvas)?;
        self.y_axis(canvas)
    }

    /// The same where y has names instead of numbers: each at its place from 0 up.
    pub(super) fn draw_named(&self, canvas: &Canvas<'_>, names: &[&str]) -> Drawn {
        let places = names.iter().enumerate();
        let ticks = Ticks {
            major: places
                .map(|(at, name)| (at as f64, (*name).to_owned()))
                .collect(),
            minor: Vec::new(),
        };
        self.grid(canvas, &ticks)?;
        self.x_axis(canvas)?;
        self.y_ticks(canvas, &ticks).map(drop)
    }

    /// How far right the data value `x` stands on the page.
    pub(super) fn across(&self, x: f64) -> f64 {
        self.left + self.x.scale.share(x) * (self.right - self.left)
    }

    fn down(&self, y: f64) -> f64 {
        self.bottom - self.y.scale.share(y) * (self.bottom - self.top)
    }

    /// Frame, and lines at the labelled ticks.
    fn grid(&self, canvas: &Canvas<'_>, y_ticks: &Ticks) -> Drawn {
        let grid = Stroke::solid(GRID, GRID_WIDTH);
        for (value, _) in &self.x.scale.ticks(self.x.numbers, self.x.most).major {
            let x = self.across(*value);
            canvas.line(&[(x, self.top), (x, self.bottom)], grid)?;
        }
        for (value, _) in &y_ticks.major {
            let y = self.down(*value);
            canvas.line(&[(self.left, y), (self.right, y)], grid)?;
        }
        let corner = [
            (self.left, self.top),
            (self.left, self.bottom),
            (self.right, self.bottom),
        ];
        canvas.line(&corner, Stroke::solid(INK, FRAME_WIDTH))
    }

    fn x_axis(&self, canvas: &Canvas<'_>) -> Drawn {
        let frame = Stroke::solid(INK, FRAME_WIDTH);
        let ticks = self.x.scale.ticks(self.x.numbers, self.x.most);
        for value in &ticks.minor {
            let x = self.across(*value);
            canvas.line(&[(x, self.bottom), (x, self.bottom + MINOR_TICK)], frame)?;
        }
        let below = self.bottom + TICK + GAP + DIGIT_HEIGHT * SMALL;
        for (value, label) in &ticks.major {
            let x = self.across(*value);
            canvas.line(&[(x, self.bottom), (x, self.bottom + TICK)], frame)?;
            canvas.text((x, below), Side::Middle, &Line::new(label, SMALL), INK)?;
        }
        let middle = f64::midpoint(self.left, self.right);
        let title = Line::new(&self.x.title, MEDIUM);
        canvas.text(
            (middle, below + MEDIUM + 2.0 * GAP),
            Side::Middle,
            &title,
            INK,
        )
    }

    fn y_axis(&self, canvas: &Canvas<'_>) -> Drawn {
        let widest = self.y_ticks(canvas, &self.y.scale.ticks(self.y.numbers, self.y.most))?;
        canvas.upright(
            (
                self.left - TICK - GAP - widest - 2.0 * GAP,
                f64::midpoint(self.top, self.bottom),
            ),
            &Line::new(&self.y.title, MEDIUM),
            INK,
        )
    }

    /// Draws the ticks along y; returns the width of the widest label.
    fn y_ticks(&self, canvas: &Canvas<'_>, ticks: &Ticks) -> Result<f64, DrawError> {
        let frame = Stroke::solid(INK, FRAME_WIDTH);
        for value in &ticks.minor {
            let y = self.down(*value);
            canvas.line(&[(self.left - MINOR_TICK, y), (self.left, y)], frame)?;
        }
        let mut widest = 0.0_f64;
        for (value, label) in &ticks.major {
            let y = self.down(*value);
            let label = Line::new(label, SMALL);
            widest = widest.max(label.width());
            canvas.line(&[(self.left - TICK, y), (self.left, y)], frame)?;
            let place = (self.left - TICK - GAP, y + DIGIT_HEIGHT * SMALL / 2.0);
            canvas.text(place, Side::Right, &label, INK)?;
        }
        Ok(widest)
    }

    /// A curve through data points, cut off where it leaves the axes.
    pub(super) fn curve(&self, canvas: &Canvas<'_>, points: &[Place], stroke: Stroke) -> Drawn {
        let mut part: Vec<Place> = Vec::new();
        for pair in points.windows(2) {
            let [from, to] = [pair[0], pair[1]].map(|(x, y)| self.at(x, y));
            let Some((begin, end)) = self.inside(from, to) else {
                continue;
            };
            if part.last().is_none_or(|last| *last != begin) {
                draw_part(canvas, &part, stroke)?;
                part = vec![begin];
            }
            part.push(end);
        }
        draw_part(canvas, &part, stroke)
    }

    /// The part of a segment that lies between the axes' ends (Liang and Barsky 1984).
    fn inside(&self, from: Place, to: Place) -> Option<(Place, Place)> {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let sides = [
            (-dx, from.0 - self.left),
            (dx, self.right - from.0),
            (-dy, from.1 - self.top),
            (dy, self.bottom - from.1),
        ];
        let (mut begin, mut end) = (0.0_f64, 1.0_f64);
        for (step, room) in sides {
            // The last bit of an axis' end is forgiven.
            let room = room + 1e-6;
            if !(step.is_finite() && room.is_finite()) || (step == 0.0 && room < 0.0) {
                return None;
            }
            if step < 0.0 {
                begin = begin.max(room / step);
            } else if step > 0.0 {
                end = end.min(room / step);
            }
        }
        let at = |share: f64| match share {
            0.0 => from,
            1.0 => to,
            _ => (from.0 + share * dx, from.1 + share * dy),
        };
        (begin < end).then(|| (at(begin), at(end)))
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

fn draw_part(canvas: &Canvas<'_>, part: &[Place], stroke: Stroke) -> Drawn {
    if part.len() < 2 {
        return Ok(());
    }
    canvas.line(part, stroke)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_cut_at_the_axes() {
        let axis = || Axis {
            title: String::new(),
            scale: Scale::Linear {
                low: 0.0,
                high: 1.0,
            },
            numbers: Numbers::Decimals,
            most: 5,
        };
        let panel = Panel {
            left: 0.0,
            right: 10.0,
            top: 0.0,
            bottom: 10.0,
            x: axis(),
            y: axis(),
        };
        let check = |from: Place, to: Place, expected: Option<(Place, Place)>| {
            let found = panel.inside(from, to);
            // The forgiven part of a unit is rounded away, and its sign with it.
            let thousandths = |at: Place| [at.0, at.1].map(|x| (1e3 * x).round() as i64);
            let text = |cut: Option<(Place, Place)>| cut.map(|(a, b)| [a, b].map(thousandths));
            assert_eq!(text(found), text(expected), "{from:?} {to:?}");
        };
        check((1.0, 1.0), (9.0, 5.0), Some(((1.0, 1.0), (9.0, 5.0))));
        check((-5.0, 5.0), (15.0, 5.0), Some(((0.0, 5.0), (10.0, 5.0))));
        check((5.0, -5.0), (10.0, 5.0), Some(((7.5, 0.0), (10.0, 5.0))));
        check((11.0, 1.0), (12.0, 1.0), None);
        check((1.0, 12.0), (9.0, 11.0), None);
        check((f64::NAN, 1.0), (9.0, 5.0), None);
        check((1.0, f64::INFINITY), (9.0, 5.0), None);
    }
}
