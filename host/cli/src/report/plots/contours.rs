//! The loss surface over N and D: contours, runs, budgets and the frontier.

use flops_fit_scaling::Surface;
use plotters::style::RGBColor;

use super::canvas::{self, Canvas, Drawn, Place, Stroke};
use super::isoflop::{log_spaced, per_unit};
use super::key::{Entry, Mark, Rows};
use super::palette::{self, INK, MUTED};
use super::panel::{Axis, Panel, SMALL};
use super::scale::{Numbers, Scale};
use super::scene::Scene;
use super::text::{Line, Side, power_of_ten};
use super::{Figure, PlotError, capital, captioned, look, thinned};
use crate::report::analysis::Analysis;
use crate::report::name;

const NAME: &str = "surface";
const PAGE: Place = (400.0, 318.0);
const CURVE_POINTS: usize = 160;
/// Contours, if none is lost to rounding.
const LEVELS: usize = 11;
/// Least distance between two contours' labels, in points.
const APART: f64 = 9.0;

pub(super) fn draw(analysis: &Analysis, scene: &Scene<'_>) -> Option<Result<Figure, PlotError>> {
    let (method, surface) = scene.surface()?;
    let entries = entries(analysis, scene);
    let rows = Rows::new(&entries, PAGE.0 - 60.0);
    let panel = panel(analysis, rows.height());
    let shades = Shades::of(analysis, &surface);
    let (every, said) = thinned(analysis.points.len());
    let title = format!("{}: the loss surface", analysis.subject.sweep);
    let svg = canvas::page(PAGE, &title, |canvas| {
        rows.draw(canvas, (50.0, 2.0))?;
        panel.draw(canvas)?;
        isoflops(canvas, &panel, scene)?;
        contours(canvas, &panel, &surface, &shades)?;
        frontier(canvas, &panel, scene)?;
        for (row, run) in analysis.points.iter().enumerate().step_by(every) {
            let at = panel.at(run.n, run.d);
            let color = shades.color(run.loss);
            if analysis.is_left_out(row) {
                canvas.ring(at, 2.2, Stroke::solid(color, 0.8))?;
            } else {
                canvas.disc(at, 2.4, plotters::style::Color::to_rgba(&color))?;
                canvas.circle(at, 2.4, Stroke::solid(INK, 0.35))?;
            }
        }
        Ok(())
    });
    let caption = format!(
        "The fitted loss surface ({}) over size and data: contours of equal loss ({}), the runs in the colour \
         of their own loss, dotted lines of equal compute, and the compute-optimal frontier.{said}",
        name::method(method),
        per_unit(analysis),
    );
    Some(captioned(NAME, caption, svg))
}

fn panel(analysis: &Analysis, key: f64) -> Panel {
    let runs = || analysis.points.iter().filter(|run| run.check(0).is_ok());
    Panel {
        left: 50.0,
        right: PAGE.0 - 34.0,
        top: key + 20.0,
        bottom: PAGE.1 - 36.0,
        x: Axis {
            title: "Parameters N".to_owned(),
            scale: Scale::log_around(runs().map(|run| run.n), 0.06),
            numbers: Numbers::Counts,
            most: 7,
        },
        y: Axis {
            title: format!("{} D", capital(&analysis.subject.unit)),
            scale: Scale::log_around(runs().map(|run| run.d), 0.06),
            numbers: Numbers::Counts,
            most: 7,
        },
    }
}

/// Colours and contours of losses, even in the logarithm of what lies above E.
struct Shades {
    floor: f64,
    scale: Scale,
}

impl Shades {
    fn of(analysis: &Analysis, surface: &Surface) -> Self {
        let runs = analysis.points.iter().enumerate();
        let fitted = runs.filter(|(row, _)| !analysis.is_left_out(*row));
        let losses = fitted.map(|(_, run)| run.loss);
        // A run below the fitted floor has the colour of the lowest loss above it.
        let above = losses.map(|loss| loss - surface.floor);
        Self {
            floor: surface.floor,
            scale: Scale::log_around(above, 0.0),
        }
    }

    /// Dark is low.
    fn color(&self, loss: f64) -> RGBColor {
        let above = (loss - self.floor).max(f64::MIN_POSITIVE);
        palette::along(self.scale.share(above))
    }

    /// Losses of the contours, ascending, with as few decimals as tell them apart.
    fn levels(&self) -> Vec<(f64, String)> {
        let (low, high) = self.scale.ends();
        // Two digits of the lowest one's distance from E.
        let decimals = (1 - low.log10().floor() as i32).clamp(0, 6) as usize;
        let texts =
            log_spaced(low, high, LEVELS).map(|above| format!("{:.decimals$}", self.floor + above));
        let mut levels: Vec<(f64, String)> = texts
            .filter_map(|text| Some((text.parse().ok()?, text)))
            .collect();
        levels.dedup_by(|later, earlier| later.1 == earlier.1);
        levels
    }
}

fn contours(canvas: &Canvas<'_>, panel: &Panel, surface: &Surface, shades: &Shades) -> Drawn {
    let (first, last) = panel.x.scale.ends();
    let mut labels: Vec<Place> = Vec::new();
    for (level, text) in shades.levels() {
        let color = shades.color(level);
        let points: Vec<Place> = log_spaced(first, last, CURVE_POINTS)
            .filter_map(|n| Some((n, data_for(surface, level, n)?)))
            .collect();
        panel.curve(canvas, &points, Stroke::solid(color, 1.0))?;
        let line = Line::new(&text, SMALL);
        // Where it leaves the axes: on the right, else as low as the label stands.
        let low = panel.bottom - SMALL;
        let mut places = points.iter().map(|(n, d)| panel.at(*n, *d));
        let Some((x, y)) = places.rfind(|at| at.1 > panel.top && at.1 < low) else {
            continue;
        };
        let beside = x > panel.right - 1.0;
        let at = if beside {
            (panel.right + 3.0, y + 2.8)
        } else {
            (x - 2.0 - line.width(), panel.bottom - 3.0)
        };
        let apart = |other: &&Place| {
            (other.1 - at.1).abs() > APART || (other.0 - at.0).abs() > line.width() + 4.0
        };
        if at.0 > panel.left && labels.iter().all(|other| apart(&other)) {
            labels.push(at);
            canvas.text(at, Side::Left, &line, color)?;
        }
    }
    Ok(())
}

/// The D that gives `loss` at N, where there is one.
fn data_for(surface: &Surface, loss: f64, n: f64) -> Option<f64> {
    let left = loss - surface.floor - (surface.ln_a - surface.alpha * n.ln()).exp();
    (left > 0.0).then(|| ((surface.ln_b - left.ln()) / surface.beta).exp())
}

/// The models that each budget buys. Its FLOPs stand over the upper end of its
/// line, where there is room.
fn isoflops(canvas: &Canvas<'_>, panel: &Panel, scene: &Scene<'_>) -> Drawn {
    let mut free = panel.left;
    for (c, line) in &scene.isoflops {
        panel.curve(canvas, line, equal_compute())?;
        let above = line.windows(2).find_map(|pair| {
            let [(left, high), (right, low)] = [pair[0], pair[1]].map(|(n, d)| panel.at(n, d));
            let crosses = (high..=low).contains(&panel.top);
            crosses.then(|| left + (right - left) * (panel.top - high) / (low - high))
        });
        let text = Line::new(&power_of_ten(*c), SMALL);
        let half = text.width() / 2.0;
        if let Some(x) = above.filter(|x| x - half >= free && x + half <= panel.right) {
            free = x + half + 6.0;
            canvas.text((x, panel.top - 4.0), Side::Middle, &text, MUTED)?;
        }
    }
    Ok(())
}

fn equal_compute() -> Stroke {
    Stroke::solid(MUTED, 0.6).dashed(1.0, 1.6)
}

fn frontier(canvas: &Canvas<'_>, panel: &Panel, scene: &Scene<'_>) -> Drawn {
    let points: Vec<Place> = scene.frontier.iter().map(|p| (p.n, p.d)).collect();
    panel.curve(canvas, &points, look::followed_line(scene.followed))
}

fn entries(analysis: &Analysis, scene: &Scene<'_>) -> Vec<Entry> {
    let line = look::followed_line(scene.followed);
    let mut entries = vec![
        Entry::new(
            Mark::Line(Stroke::solid(palette::along(0.4), 1.0)),
            "equal loss",
        ),
        Entry::new(Mark::Point(palette::along(0.4)), "run"),
        Entry::new(Mark::Line(line), "optimum N*, D*"),
    ];
    if !analysis.fits.left_out.is_empty() {
        entries.push(Entry::new(Mark::Ring(palette::along(0.4)), "left out"));
    }
    if !scene.isoflops.is_empty() {
        let line = Mark::Line(equal_compute());
        entries.push(Entry::new(line, "equal C (FLOPs above)"));
    }
    entries
}
