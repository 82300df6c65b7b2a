//! What the marks of a figure mean.

use plotters::style::{Color, RGBColor};

use super::canvas::{Canvas, Drawn, Place, Stroke};
use super::font::DIGIT_HEIGHT;
use super::palette::{INK, MUTED};
use super::panel::{MEDIUM, SMALL};
use super::text::{Line, Side};

/// Room for a mark, and from one entry to the next.
const MARK: f64 = 16.0;
const LEADING: f64 = 13.0;
const GAP: f64 = 5.0;

/// A mark with its meaning.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) mark: Mark,
    pub(super) meaning: String,
}

/// How something is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mark {
    /// A line with a point on it.
    Series(RGBColor),
    /// A point.
    Point(RGBColor),
    /// An open point.
    Ring(RGBColor),
    /// A minimum with its error bar.
    Minimum(RGBColor),
    /// An estimate.
    Diamond(RGBColor),
    /// A minimum with error bars, among the points that it comes from.
    OpenMinimum,
    /// A line.
    Line(Stroke),
    /// A band.
    Band(RGBColor, f64),
    /// A title over the entries that follow.
    Title,
    /// Half a line of nothing.
    Space,
}

impl Entry {
    pub(super) fn new(mark: Mark, meaning: impl Into<String>) -> Self {
        Self {
            mark,
            meaning: meaning.into(),
        }
    }

    /// Half a line of nothing.
    pub(super) fn space() -> Self {
        Self::new(Mark::Space, "")
    }

    /// With the space to the next one.
    fn width(&self) -> f64 {
        MARK + GAP + Line::new(&self.meaning, SMALL).width() + 3.0 * GAP
    }

    fn height(&self) -> f64 {
        match self.mark {
            Mark::Space => LEADING / 2.0,
            _ => LEADING,
        }
    }
}

/// Entries below one another, from the upper left corner `at`.
pub(super) fn column(canvas: &Canvas<'_>, at: Place, entries: &[Entry]) -> Drawn {
    let mut y = at.1;
    for entry in entries {
        draw(canvas, (at.0, y + LEADING / 2.0), entry)?;
        y += entry.height();
    }
    Ok(())
}

/// Entries side by side, in as many rows as `width` asks for.
pub(super) struct Rows<'a> {
    rows: Vec<Vec<&'a Entry>>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(entries: &'a [Entry], width: f64) -> Self {
        let mut rows: Vec<Vec<&Entry>> = Vec::new();
        let mut room = 0.0;
        for entry in entries {
            if entry.width() > room || rows.is_empty() {
                rows.push(Vec::new());
                room = width;
            }
            room -= entry.width();
            rows.last_mut().expect("one was pushed").push(entry);
        }
        Self { rows }
    }

    /// Points from the top of the first row to the bottom of the last.
    pub(super) fn height(&self) -> f64 {
        self.rows.len() as f64 * LEADING
    }

    /// Draws them from the upper left corner `at`.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, at: Place) -> Drawn {
        let mut y = at.1 + LEADING / 2.0;
        for row in &self.rows {
            let mut x = at.0;
            for entry in row {
                draw(canvas, (x, y), entry)?;
                x += entry.width();
            }
            y += LEADING;
        }
        Ok(())
    }
}

fn draw(canvas: &Canvas<'_>, (x, y): Place, entry: &Entry) -> Drawn {
    let middle = (x + MARK / 2.0, y);
    let ends = [(x, y), (x + MARK, y)];
    let baseline = y + DIGIT_HEIGHT * SMALL / 2.0;
    match entry.mark {
        Mark::Space => return Ok(()),
        Mark::Title => {
            let line = Line::new(&entry.meaning, MEDIUM);
            return canvas.text((x, baseline), Side::Left, &line, INK);
        }
        Mark::Series(color) => {
            canvas.line(&ends, Stroke::solid(color, CURVE))?;
            point(canvas, middle, color)?;
        }
        Mark::Point(color) => point(canvas, middle, color)?,
        Mark::Ring(color) => ring(canvas, middle, color)?,
        Mark::Minimum(color) => {
            let bar = Stroke::solid(INK, BAR);
            canvas.line(&[(middle.0, y - 6.0), (middle.0, y + 6.0)], bar)?;
            minimum(canvas, middle, color)?;
        }
        Mark::Diamond(color) => minimum(canvas, middle, color)?,
        Mark::OpenMinimum => {
            let bar = Stroke::solid(INK, BAR);
            canvas.line(&ends, bar)?;
            canvas.line(&[(middle.0, y - 6.0), (middle.0, y + 6.0)], bar)?;
            open_minimum(canvas, middle)?;
        }
        Mark::Line(stroke) => canvas.line(&ends, stroke)?,
        Mark::Band(color, opacity) => {
            let corners = [
                (x, y - 4.0),
                (x + MARK, y - 4.0),
                (x + MARK, y + 4.0),
                (x, y + 4.0),
            ];
            canvas.area(&corners, color.mix(opacity))?;
        }
    }
    let line = Line::new(&entry.meaning, SMALL);
    canvas.text((x + MARK + GAP, baseline), Side::Left, &line, INK)
}

/// Width of a fitted curve, in points.
pub(super) const CURVE: f64 = 1.2;
/// Width of an error bar, in points.
pub(super) const BAR: f64 = 0.7;

/// A measured point.
pub(super) fn point(canvas: &Canvas<'_>, at: Place, color: RGBColor) -> Drawn {
    canvas.disc(at, 2.6, color.to_rgba())
}

/// One of several seeds.
pub(super) fn ring(canvas: &Canvas<'_>, at: Place, color: RGBColor) -> Drawn {
    canvas.ring(at, 1.7, Stroke::solid(color, 0.6))
}

/// A minimum.
pub(super) fn minimum(canvas: &Canvas<'_>, at: Place, color: RGBColor) -> Drawn {
    canvas.diamond(at, 3.4, Some(color), Stroke::solid(INK, 0.7))
}

/// A minimum that hides no point.
pub(super) fn open_minimum(canvas: &Canvas<'_>, at: Place) -> Drawn {
    canvas.diamond(at, 4.6, None, Stroke::solid(INK, 0.9))
}

/// A thin line for what the eye should not stop at.
pub(super) fn quiet_line() -> Stroke {
    Stroke::solid(MUTED, 0.8).dashed(2.0, 2.0)
}
