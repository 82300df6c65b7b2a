//! Every curve that was fitted to each budget, a panel a budget.

use flops_fit_scaling::isoflop::{BudgetFit, Method as Shape};
use flops_fit_scaling::{Method, Surface};

use super::canvas::{self, Canvas, Drawn, Place, Stroke};
use super::isoflop::{log_spaced, per_unit};
use super::key::{self, Entry, Mark, Rows};
use super::palette::{INK, MUTED};
use super::panel::{Axis, Panel, SMALL};
use super::scale::{Numbers, Scale};
use super::scene::Scene;
use super::text::{Line, Side, power_of_ten};
use super::{Figure, PlotError, captioned, look};
use crate::report::analysis::Analysis;
use crate::report::name;

const NAME: &str = "isoflop_fits";
const WIDTH: f64 = 540.0;
const PANEL_HEIGHT: f64 = 134.0;
/// What stands above each panel takes this much of it.
const HEADING: f64 = 14.0;
const CURVE_POINTS: usize = 64;

/// One budget's panel.
struct Facet<'a> {
    fit: &'a BudgetFit,
    points: Vec<Place>,
    /// The surface along the budget.
    section: Vec<Place>,
    panel: Panel,
}

pub(super) fn draw(analysis: &Analysis, scene: &Scene<'_>) -> Option<Result<Figure, PlotError>> {
    let fitted = |fit: &&BudgetFit| !fit.fits.is_empty();
    let fits: Vec<&BudgetFit> = analysis.fits.budgets.iter().filter(fitted).collect();
    if fits.is_empty() {
        return None;
    }
    let surface = scene.surface();
    let entries = entries(&fits, surface.map(|(method, _)| method));
    let rows = Rows::new(&entries, WIDTH - 60.0);
    let top = rows.height() + 10.0;
    let count = fits.len();
    let columns = columns(count);
    let lines = count.div_ceil(columns);
    let facets: Vec<Facet<'_>> = fits
        .into_iter()
        .enumerate()
        .map(|(index, fit)| {
            let place = (index % columns, index / columns);
            let section = surface.map_or_else(Vec::new, |(_, s)| section(scene, fit, &s));
            let is_lowest = index + columns >= count;
            Facet::new(analysis, fit, section, place, (columns, is_lowest), top)
        })
        .collect();
    let page = (WIDTH, top + lines as f64 * PANEL_HEIGHT + 6.0);
    let title = format!("{}: every fit of every budget", analysis.subject.sweep);
    let svg = canvas::page(page, &title, |canvas| {
        rows.draw(canvas, (50.0, 2.0))?;
        for facet in &facets {
            facet.draw(canvas, surface.map(|(method, _)| method))?;
        }
        Ok(())
    });
    let caption = format!(
        "Held-out loss ({}) against size at each budget with every curve fitted to it, and the fitted surface \
         along the budget; diamonds are the curves' minima.",
        per_unit(analysis)
    );
    Some(captioned(NAME, caption, svg))
}

/// Panels side by side: three or four, whichever leaves less of the page empty.
fn columns(count: usize) -> usize {
    let gaps = |columns: usize| count.div_ceil(columns) * columns - count;
    if gaps(3) < gaps(4) { 3 } else { 4 }
}

/// The surface's losses at what a budget buys.
fn section(scene: &Scene<'_>, fit: &BudgetFit, surface: &Surface) -> Vec<Place> {
    let mut isoflops = scene.isoflops.iter();
    let line = isoflops.find(|(c, _)| c.to_bits() == fit.c.to_bits());
    let line = line.map_or(&[][..], |(_, line)| line);
    line.iter()
        .map(|(n, d)| (*n, surface.loss(*n, *d)))
        .collect()
}

impl<'a> Facet<'a> {
    fn new(
        analysis: &Analysis,
        fit: &'a BudgetFit,
        section: Vec<Place>,
        (column, row): (usize, usize),
        (columns, is_lowest): (usize, bool),
        top: f64,
    ) -> Self {
        let runs = fit.runs.iter().filter_map(|run| analysis.points.get(*run));
        let points: Vec<Place> = runs.map(|run| (run.n, run.loss)).collect();
        let width = WIDTH / columns as f64;
        let (left, above) = (width * column as f64, top + PANEL_HEIGHT * row as f64);
        let title = |text: &str, is_at_edge: bool| {
            if is_at_edge {
                text.to_owned()
            } else {
                String::new()
            }
        };
        let panel = Panel {
            left: left + 42.0,
            right: left + width - 6.0,
            top: above + HEADING,
            bottom: above + PANEL_HEIGHT - 36.0,
            x: Axis {
                title: title("Parameters N", is_lowest),
                scale: Scale::log_around(points.iter().map(|(n, _)| *n), 0.06),
                numbers: Numbers::Counts,
                most: 3,
            },
            y: Axis {
                title: title("Loss L", column == 0),
                scale: Scale::linear_around(points.iter().map(|(_, loss)| *loss), 0.1),
                numbers: Numbers::Decimals,
                most: 4,
            },
        };
        Self {
            fit,
            points,
            section,
            panel,
        }
    }

    fn draw(&self, canvas: &Canvas<'_>, surface: Option<Method>) -> Drawn {
        let panel = &self.panel;
        panel.draw(canvas)?;
        for (n, loss) in &self.points {
            canvas.ring(panel.at(*n, *loss), 1.9, Stroke::solid(INK, 0.6))?;
        }
        if let Some(method) = surface {
            panel.curve(canvas, &self.section, look::line(method))?;
        }
        for curve in &self.fit.fits {
            let (low, high) = curve.curve.range();
            let points: Vec<Place> = log_spaced(low, high, CURVE_POINTS)
                .map(|n| (n, curve.curve.loss_at(n)))
                .collect();
            panel.curve(canvas, &points, look::line(of_shape(curve.method)))?;
        }
        for curve in self.fit.fits.iter().rev() {
            if let Some(minimum) = curve.outcome.minimum() {
                let (n, loss) = (minimum.n.estimate, minimum.loss.estimate);
                let color = look::color(of_shape(curve.method));
                key::minimum(canvas, panel.at(n, loss), color)?;
            }
        }
        let text = match self.fit.outcome.minimum() {
            Some(_) => format!("C = {}", power_of_ten(self.fit.budget)),
            None => format!("C = {}, no minimum", power_of_ten(self.fit.budget)),
        };
        let at = (f64::midpoint(panel.left, panel.right), panel.top - 5.0);
        canvas.text(at, Side::Middle, &Line::new(&text, SMALL), INK)
    }
}

fn of_shape(shape: Shape) -> Method {
    match shape {
        Shape::Cubic => Method::IsoflopCubic,
        Shape::Parabola => Method::IsoflopParabola,
        Shape::WindowedParabola => Method::IsoflopWindowed,
    }
}

fn entries(fits: &[&BudgetFit], surface: Option<Method>) -> Vec<Entry> {
    let mut entries = vec![Entry::new(Mark::Ring(INK), "run")];
    let shapes = [Shape::Cubic, Shape::Parabola, Shape::WindowedParabola];
    let fitted = |shape: &Shape| fits.iter().any(|fit| fit.fit(*shape).is_some());
    let methods = shapes.into_iter().filter(fitted).map(of_shape);
    entries.extend(
        methods
            .chain(surface)
            .map(|method| Entry::new(Mark::Line(look::line(method)), name::method(method))),
    );
    entries.push(Entry::new(Mark::Diamond(MUTED), "minimum"));
    entries
}
