//! N*, D* and L* against compute: every method's law, what to follow with its
//! intervals, and the budgets' minima.

use flops_fit_scaling::frontier::Optimum;
use flops_fit_scaling::isoflop::Minimum;
use flops_fit_scaling::{Interval, Quantity as Predicted};

use super::canvas::{self, Canvas, Drawn, Place, Stroke};
use super::key::{self, Entry, Mark, Rows};
use super::palette::{self, BEYOND, INK, MUTED};
use super::panel::{Axis, Panel, SMALL};
use super::scale::{Numbers, Scale};
use super::scene::Scene;
use super::text::{Line, Side};
use super::{Figure, PlotError, capital, captioned, look};
use crate::report::analysis::Analysis;
use crate::report::{name, table};

const NAME: &str = "laws";
const WIDTH: f64 = 540.0;
const PANEL_HEIGHT: f64 = 185.0;
/// Opacity of a 95 % band.
pub(super) const BAND: f64 = 0.18;
/// How far another method's line may stretch an axis, as a share of what the
/// one to follow and the minima take.
const STRETCH: f64 = 0.5;

/// One quantity that follows a law.
pub(super) struct Quantity {
    /// Title of its axis.
    pub(super) title: String,
    /// What stands in the corner, with `^{}`.
    pub(super) formula: String,
    /// How its values are written.
    pub(super) numbers: Numbers,
    /// Each minimum: C, value, index of the budget.
    pub(super) minima: Vec<(f64, Interval, usize)>,
    /// What to follow, over the range of the figure.
    pub(super) law: Vec<(f64, Interval)>,
    /// Every method's law.
    pub(super) methods: Vec<(Stroke, Vec<Place>)>,
    /// Its line.
    pub(super) line: Stroke,
    /// Smallest and largest C that was measured.
    pub(super) measured: (f64, f64),
    /// Budgets in all, for their colours.
    pub(super) budgets: usize,
}

/// How a quantity is read off a law and off a minimum.
pub(super) struct Reading {
    pub(super) quantity: Predicted,
    pub(super) minimum: fn(&Minimum) -> Interval,
}

pub(super) fn draw(analysis: &Analysis, scene: &Scene<'_>) -> Option<Result<Figure, PlotError>> {
    if scene.frontier.len() < 2 {
        return None;
    }
    let quantities = quantities(analysis, scene);
    let entries = entries(analysis, scene);
    let rows = Rows::new(&entries, WIDTH - 60.0);
    let top = rows.height() + 8.0;
    let page = (WIDTH, top + PANEL_HEIGHT);
    let width = WIDTH / quantities.len() as f64;
    let title = format!("{}: optima against compute", analysis.subject.sweep);
    let svg = canvas::page(page, &title, |canvas| {
        rows.draw(canvas, (44.0, 2.0))?;
        for (index, quantity) in quantities.iter().enumerate() {
            let left = width * index as f64;
            let panel = quantity.panel((left + 46.0, left + width - 8.0), (top, page.1 - 36.0));
            quantity.draw(canvas, &panel)?;
        }
        Ok(())
    });
    let caption = "Optimal size, data and loss against compute by every method; what to follow is bold, with \
                   its 95% interval, and the budgets' minima carry theirs. Grey: beyond the budgets that \
                   were trained."
        .to_owned();
    Some(captioned(NAME, caption, svg))
}

/// What the lines are: what to follow, then every method.
pub(super) fn entries(analysis: &Analysis, scene: &Scene<'_>) -> Vec<Entry> {
    let line = look::followed_line(scene.followed);
    let leading = match scene.followed {
        Some(method) => format!("{}, followed", name::method(method)),
        None => "weighted average, followed".to_owned(),
    };
    let mut entries = vec![
        Entry::new(Mark::Line(line), leading),
        Entry::new(Mark::Band(line.color, BAND), "95%"),
    ];
    let others = scene.methods.iter().map(|track| track.method);
    entries.extend(
        others
            .filter(|method| Some(*method) != scene.followed)
            .map(|method| Entry::new(Mark::Line(look::line(method)), name::method(method))),
    );
    if minima(analysis).next().is_some() {
        entries.push(Entry::new(Mark::Minimum(MUTED), "budget's minimum, 95%"));
    }
    entries.push(Entry::new(Mark::Band(BEYOND, 1.0), "not measured"));
    entries
}

/// C, minimum and position of each budget that has one.
fn minima(analysis: &Analysis) -> impl Iterator<Item = (f64, &Minimum, usize)> {
    let fits = analysis.fits.budgets.iter().enumerate();
    fits.filter_map(|(index, fit)| Some((fit.c, fit.outcome.minimum()?, index)))
}

fn quantities(analysis: &Analysis, scene: &Scene<'_>) -> [Quantity; 3] {
    [
        Quantity::of(
            analysis,
            scene,
            ("Parameters N*", "N*"),
            Numbers::Counts,
            &Reading {
                quantity: Predicted::N,
                minimum: |minimum| minimum.n,
            },
        ),
        Quantity::of(
            analysis,
            scene,
            (&format!("{} D*", capital(&analysis.subject.unit)), "D*"),
            Numbers::Counts,
            &Reading {
                quantity: Predicted::D,
                minimum: |minimum| minimum.d,
            },
        ),
        Quantity {
            formula: String::new(),
            ..Quantity::of(
                analysis,
                scene,
                ("Held-out loss L*", "L*"),
                Numbers::Decimals,
                &Reading {
                    quantity: Predicted::Loss,
                    minimum: |minimum| minimum.loss,
                },
            )
        },
    ]
}

impl Quantity {
    pub(super) fn of(
        analysis: &Analysis,
        scene: &Scene<'_>,
        (title, symbol): (&str, &str),
        numbers: Numbers,
        read: &Reading,
    ) -> Self {
        let frontier = scene.frontier.iter();
        let law: Vec<(f64, Interval)> = frontier
            .map(|p| (p.c, table::interval(p, read.quantity)))
            .collect();
        let others = scene.methods.iter();
        let others = others.filter(|track| Some(track.method) != scene.followed);
        Self {
            title: title.to_owned(),
            formula: exponent(symbol, &law, scene.measured),
            numbers,
            minima: minima(analysis)
                .map(|(c, minimum, index)| (c, (read.minimum)(minimum), index))
                .collect(),
            law,
            methods: others
                .map(|track| {
                    let optima = track.optima().iter();
                    let points = optima.map(|o| (o.c, value(o, read.quantity))).collect();
                    (look::line(track.method), points)
                })
                .collect(),
            line: look::followed_line(scene.followed),
            measured: scene.measured,
            budgets: analysis.fits.budgets.len(),
        }
    }

    /// Axes between `x` (left, right) and `y` (top, bottom), all in points.
    pub(super) fn panel(&self, x: (f64, f64), y: (f64, f64)) -> Panel {
        let law = self.law.iter().map(|(_, y)| *y);
        let minima = self.minima.iter().map(|(_, y, _)| y.estimate);
        let own = law.flat_map(|y| [y.low, y.high]).chain(minima);
        let (low, high) = Scale::log_around(own, 0.04).ends();
        let stretch = (high / low).powf(STRETCH);
        let bounds = low / stretch..=high * stretch;
        let lines = self.methods.iter().flat_map(|(_, points)| points);
        let others = lines.map(|(_, y)| *y).filter(|y| bounds.contains(y));
        Panel {
            left: x.0,
            right: x.1,
            top: y.0,
            bottom: y.1,
            x: Axis {
                title: "Compute C (FLOPs)".to_owned(),
                scale: Scale::log_around(self.law.iter().map(|(c, _)| *c), 0.0),
                numbers: Numbers::Powers,
                most: 5,
            },
            y: Axis {
                title: self.title.clone(),
                scale: Scale::log_around(others.chain([low, high]), 0.0),
                numbers: self.numbers,
                most: 6,
            },
        }
    }

    /// Draws axes, band, laws and minima.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, panel: &Panel) -> Drawn {
        self.shade(canvas, panel)?;
        panel.draw(canvas)?;
        panel.band(canvas, &self.law, self.line.color, BAND)?;
        for (stroke, points) in &self.methods {
            panel.curve(canvas, points, *stroke)?;
        }
        let law: Vec<Place> = self.law.iter().map(|(c, y)| (*c, y.estimate)).collect();
        panel.curve(canvas, &law, self.line)?;
        let bar = Stroke::solid(INK, key::BAR);
        for (c, y, index) in &self.minima {
            panel.error_bar(canvas, *c, y, bar)?;
            if panel.y.scale.contains(y.estimate) {
                let color = palette::ordered(*index, self.budgets);
                key::minimum(canvas, panel.at(*c, y.estimate), color)?;
            }
        }
        let falls = law.first().map(|at| at.1) > law.last().map(|at| at.1);
        let line = Line::new(&self.formula, SMALL);
        let baseline = panel.top + SMALL + 2.0;
        if falls {
            canvas.text((panel.right - 4.0, baseline), Side::Right, &line, INK)
        } else {
            canvas.text((panel.left + 6.0, baseline), Side::Left, &line, INK)
        }
    }

    /// Grey behind what was not measured.
    fn shade(&self, canvas: &Canvas<'_>, panel: &Panel) -> Drawn {
        let (low, high) = panel.x.scale.ends();
        let (first, last) = self.measured;
        for (from, to) in [(low, first.min(high)), (last.max(low), high)] {
            if from < to {
                let (left, right) = (panel.across(from), panel.across(to));
                let corners = [
                    (left, panel.top),
                    (right, panel.top),
                    (right, panel.bottom),
                    (left, panel.bottom),
                ];
                canvas.area(&corners, plotters::style::Color::to_rgba(&BEYOND))?;
            }
        }
        Ok(())
    }
}

fn value(optimum: &Optimum, quantity: Predicted) -> f64 {
    match quantity {
        Predicted::N => optimum.n,
        Predicted::D => optimum.d,
        Predicted::UnitsPerParameter => optimum.units_per_parameter(),
        Predicted::Loss => optimum.loss,
    }
}

/// `N* ~ C^{0.51}` over the budgets that were measured.
fn exponent(symbol: &str, law: &[(f64, Interval)], (first, last): (f64, f64)) -> String {
    let inside = || law.iter().filter(|(c, _)| (first..=last).contains(c));
    let (Some(low), Some(high)) = (inside().next(), inside().next_back()) else {
        return String::new();
    };
    if low.0 >= high.0 {
        return String::new();
    }
    let slope = (high.1.estimate / low.1.estimate).ln() / (high.0 / low.0).ln();
    let slope = format!("{slope:.3}").replace('-', "−");
    format!("{symbol} ~ C^{{{slope}}}")
}
