//! A page to draw on, measured in points (1/72 inch) from its upper left corner.

use std::io;

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Circle, DashedPathElement, PathElement, Polygon, Text};
use plotters::prelude::SVGBackend;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBAColor, RGBColor, ShapeStyle, WHITE,
};

use super::font;
use super::text::{self, Line, Side};
use crate::report::sheet::escape;

/// What plotters fails with.
pub(super) type DrawError = DrawingAreaErrorKind<io::Error>;

/// How drawing ends.
pub(super) type Drawn = Result<(), DrawError>;

/// A place on the page: points to the right, points down.
pub(super) type Place = (f64, f64);

/// plotters' coordinates are whole numbers; this many to a point keep curves
/// smooth.
const UNITS: f64 = 20.0;

/// plotters sets text that hangs from the top this far below, in ems.
const TOP_ANCHOR: f64 = 0.76;

/// A line's look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stroke {
    pub(super) color: RGBColor,
    pub(super) opacity: f64,
    /// Points.
    pub(super) width: f64,
    /// Lengths of dash and gap in points.
    pub(super) dash: Option<(f64, f64)>,
}

impl Stroke {
    pub(super) fn solid(color: RGBColor, width: f64) -> Self {
        Self {
            color,
            opacity: 1.0,
            width,
            dash: None,
        }
    }

    pub(super) fn dashed(self, dash: f64, gap: f64) -> Self {
        Self {
            dash: Some((dash, gap)),
            ..self
        }
    }

    fn style(self) -> ShapeStyle {
        ShapeStyle {
            color: self.color.mix(self.opacity),
            filled: false,
            stroke_width: units(self.width) as u32,
        }
    }
}

fn units(points: f64) -> i32 {
    (points * UNITS).round() as i32
}

fn pixel((x, y): Place) -> (i32, i32) {
    (units(x), units(y))
}

/// The page.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// Draws a page of `width` × `height` points and returns its SVG.
pub(super) fn page(
    (width, height): (f64, f64),
    title: &str,
    draw: impl FnOnce(&Canvas<'_>) -> Drawn,
) -> Result<String, DrawError> {
    font::register();
    let size = (units(width) as u32, units(height) as u32);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE)?;
        let canvas = Canvas { area };
        draw(&canvas)?;
        canvas.area.present()?;
    }
    // The backend takes a unit for a pixel; the page is in points.
    let svg = svg.replacen(
        &format!("width=\"{}\" height=\"{}\"", size.0, size.1),
        &format!(
            "role=\"img\" stroke-linejoin=\"round\" width=\"{width}pt\" height=\"{height}pt\""
        ),
        1,
    );
    let title = format!(">\n<title>{}</title>\n", escape(title));
    Ok(text::raise(&svg.replacen(">\n", &title, 1)))
}

impl Canvas<'_> {
    pub(super) fn line(&self, places: &[Place], stroke: Stroke) -> Drawn {
        let places: Vec<(i32, i32)> = places.iter().map(|&place| pixel(place)).collect();
        match stroke.dash {
            None => self.area.draw(&PathElement::new(places, stroke.style())),
            Some((dash, gap)) => self.area.draw(&DashedPathElement::new(
                places,
                units(dash) as u32,
                units(gap) as u32,
                stroke.style(),
            )),
        }
    }

    pub(super) fn area(&self, corners: &[Place], color: RGBAColor) -> Drawn {
        let corners: Vec<(i32, i32)> = corners.iter().map(|&place| pixel(place)).collect();
        self.area.draw(&Polygon::new(corners, color.filled()))
    }

    /// A filled circle.
    pub(super) fn disc(&self, center: Place, radius: f64, color: RGBAColor) -> Drawn {
        let radius = units(radius);
        self.area
            .draw(&Circle::new(pixel(center), radius, color.filled()))
    }

    /// An open circle with a white middle.
    pub(super) fn ring(&self, center: Place, radius: f64, stroke: Stroke) -> Drawn {
        self.disc(center, radius, WHITE.to_rgba())?;
        self.circle(center, radius, stroke)
    }

    /// An open circle that hides nothing.
    pub(super) fn circle(&self, center: Place, radius: f64, stroke: Stroke) -> Drawn {
        let radius = units(radius);
        self.area
            .draw(&Circle::new(pixel(center), radius, stroke.style()))
    }

    /// A diamond with an outline, see-through without a fill.
    pub(super) fn diamond(
        &self,
        (x, y): Place,
        radius: f64,
        fill: Option<RGBColor>,
        outline: Stroke,
    ) -> Drawn {
        let corners = [
            (x, y - radius),
            (x + radius, y),
            (x, y + radius),
            (x - radius, y),
        ];
        if let Some(fill) = fill {
            self.area(&corners, fill.to_rgba())?;
        }
        let around: Vec<Place> = corners.into_iter().chain(corners).take(6).collect();
        self.line(&around, outline)
    }

    /// A line of text whose baseline is at `place`, which is its left end, its
    /// middle or its right end.
    pub(super) fn text(&self, place: Place, side: Side, line: &Line, color: RGBColor) -> Drawn {
        self.write(place, side, line, FontTransform::None, color)
    }

    /// Text that runs upwards, centred on `place`, its baseline on the right.
    pub(super) fn upright(&self, place: Place, line: &Line, color: RGBColor) -> Drawn {
        self.write(place, Side::Middle, line, FontTransform::Rotate270, color)
    }

    fn write(
        &self,
        (x, y): Place,
        side: Side,
        line: &Line,
        turn: FontTransform,
        color: RGBColor,
    ) -> Drawn {
        let hang = TOP_ANCHOR * line.size();
        let at = match turn {
            FontTransform::Rotate270 => (x - hang, y),
            _ => (x, y - hang),
        };
        let anchor = match side {
            Side::Left => HPos::Left,
            Side::Middle => HPos::Center,
            Side::Right => HPos::Right,
        };
        let style = FontDesc::new(
            FontFamily::Name(font::FAMILY),
            line.size() * font::PLOTTERS_SIZE * UNITS,
            FontStyle::Normal,
        )
        .transform(turn)
        .color(&color)
        .pos(Pos::new(anchor, VPos::Top));
        self.area.draw(&Text::new(line.marked(), pixel(at), style))
    }
}
