//! Loss against size, a curve for each budget, with the minima.

use flops_fit_scaling::isoflop::{BudgetFit, Method};

use super::canvas::{self, Canvas, Drawn, Place, Stroke};
use super::key::{self, Entry, Mark};
use super::palette;
use super::panel::{Axis, Panel};
use super::scale::{Numbers, Scale};
use super::text::power_of_ten;
use super::{Figure, PlotError};
use crate::report::analysis::Analysis;

const NAME: &str = "isoflop";
const PAGE: Place = (442.0, 285.0);
const KEY_WIDTH: f64 = 124.0;
const CURVE_POINTS: usize = 96;

pub(super) fn draw(analysis: &Analysis) -> Result<Figure, PlotError> {
    let budgets: Vec<Budget> = Budget::all(analysis);
    let panel = panel(analysis, &budgets);
    let title = format!("{}: loss against size", analysis.subject.sweep);
    let svg = canvas::page(PAGE, &title, |canvas| {
        panel.draw(canvas)?;
        frontier(canvas, &panel, analysis)?;
        for budget in &budgets {
            budget.curves(canvas, &panel)?;
        }
        for budget in &budgets {
            budget.points(canvas, &panel)?;
        }
        for budget in &budgets {
            budget.minimum(canvas, &panel)?;
        }
        key::column(
            canvas,
            (panel.right + 12.0, panel.top),
            &entries(analysis, &budgets),
        )
    })
    .map_err(|source| PlotError::Draw {
        figure: NAME,
        source,
    })?;
    Ok(Figure {
        name: NAME,
        caption: "Held-out loss against model size, one curve a compute budget, with the \
                  minima and their 95% intervals."
            .to_owned(),
        svg,
    })
}

/// One budget with what is drawn of it.
struct Budget<'a> {
    fit: &'a BudgetFit,
    color: plotters::style::RGBColor,
    /// Each size's N with its losses.
    sizes: Vec<(f64, Vec<f64>)>,
}

impl<'a> Budget<'a> {
    fn all(analysis: &'a Analysis) -> Vec<Self> {
        let fits = &analysis.fits.budgets;
        fits.iter()
            .enumerate()
            .map(|(index, fit)| {
                let mut sizes: Vec<(f64, Vec<f64>)> = Vec::new();
                for run in fit.runs.iter().map(|run| &analysis.points[*run]) {
                    match sizes
                        .iter_mut()
                        .find(|(n, _)| n.to_bits() == run.n.to_bits())
                    {
                        Some((_, losses)) => losses.push(run.loss),
                        None => sizes.push((run.n, vec![run.loss])),
                    }
                }
                Self {
                    fit,
                    color: palette::ordered(index, fits.len()),
                    sizes,
                }
            })
            .collect()
    }

    fn points(&self, canvas: &Canvas<'_>, panel: &Panel) -> Drawn {
        for (n, losses) in &self.sizes {
            if losses.len() > 1 {
                for loss in losses {
                    key::ring(canvas, panel.at(*n, *loss), self.color)?;
                }
            }
            let mean = losses.iter().sum::<f64>() / losses.len() as f64;
            key::point(canvas, panel.at(*n, mean), self.color)?;
        }
        Ok(())
    }

    /// The curve that the laws follow is solid, a parabola beside a cubic dashed.
    fn curves(&self, canvas: &Canvas<'_>, panel: &Panel) -> Drawn {
        for fit in &self.fit.fits {
            let stroke = match fit.method {
                Method::Parabola if self.fit.fit(Method::Cubic).is_some() => {
                    Stroke::solid(self.color, key::CURVE).dashed(4.0, 2.5)
                }
                Method::Cubic | Method::Parabola => Stroke::solid(self.color, key::CURVE),
                Method::WindowedParabola => continue,
            };
            let (low, high) = fit.curve.range();
            let points: Vec<Place> = log_spaced(low, high, CURVE_POINTS)
                .map(|n| (n, fit.curve.loss_at(n)))
                .collect();
            panel.curve(canvas, &points, stroke)?;
        }
        Ok(())
    }

    fn minimum(&self, canvas: &Canvas<'_>, panel: &Panel) -> Drawn {
        let Some(minimum) = self.fit.outcome.minimum() else {
            return Ok(());
        };
        let bar = Stroke::solid(palette::INK, key::BAR);
        let (n, loss) = (minimum.n.estimate, minimum.loss.estimate);
        panel.error_bar(canvas, n, &minimum.loss, bar)?;
        panel.error_bar_across(canvas, &minimum.n, loss, bar)?;
        key::open_minimum(canvas, panel.at(n, loss))
    }
}

/// What solid and dashed lines are.
fn curve_entries(budgets: &[Budget<'_>]) -> Vec<Entry> {
    let with = |method| {
        budgets
            .iter()
            .filter(move |b| b.fit.fit(method).is_some())
            .count()
    };
    let (cubics, parabolas) = (with(Method::Cubic), with(Method::Parabola));
    let line = Stroke::solid(palette::MUTED, key::CURVE);
    let solid = |meaning| Entry::new(Mark::Line(line), meaning);
    let dashed = |meaning| Entry::new(Mark::Line(line.dashed(4.0, 2.5)), meaning);
    match (cubics, parabolas) {
        (0, 0) => Vec::new(),
        (0, _) => vec![solid("parabola")],
        _ if cubics == parabolas => vec![solid("cubic"), dashed("parabola")],
        _ => vec![solid("fit"), dashed("parabola, compared")],
    }
}

/// Values evenly spaced in the logarithm, ends included.
pub(super) fn log_spaced(low: f64, high: f64, count: usize) -> impl Iterator<Item = f64> {
    let ratio = (high / low).ln();
    (0..count).map(move |i| match i {
        0 => low,
        i if i + 1 == count => high,
        i => low * (ratio * i as f64 / (count - 1) as f64).exp(),
    })
}

fn panel(analysis: &Analysis, budgets: &[Budget<'_>]) -> Panel {
    let sizes = || budgets.iter().flat_map(|budget| &budget.sizes);
    let minima = || budgets.iter().filter_map(|b| b.fit.outcome.minimum());
    let losses = sizes().flat_map(|(_, losses)| losses.iter().copied());
    let x = Axis {
        title: "Parameters N".to_owned(),
        scale: Scale::log_around(sizes().map(|(n, _)| *n), 0.05),
        numbers: Numbers::Counts,
        most: 7,
    };
    let y = Axis {
        title: format!("Held-out loss L ({})", per_unit(analysis)),
        scale: Scale::linear_around(losses.chain(minima().map(|m| m.loss.low)), 0.05),
        numbers: Numbers::Decimals,
        most: 6,
    };
    Panel {
        left: 48.0,
        right: PAGE.0 - KEY_WIDTH,
        top: 10.0,
        bottom: PAGE.1 - 36.0,
        x,
        y,
    }
}

/// `per token`: the unit of a loss that is a mean.
pub(super) fn per_unit(analysis: &Analysis) -> String {
    let unit = &analysis.subject.unit;
    format!("per {}", unit.strip_suffix('s').unwrap_or(unit))
}

/// The line of optima that the recommendation draws between the budgets.
fn frontier(canvas: &Canvas<'_>, panel: &Panel, analysis: &Analysis) -> Drawn {
    let within = analysis.fits.frontier.iter().filter(|p| !p.is_beyond());
    let points: Vec<Place> = within.map(|p| (p.n, p.loss)).collect();
    panel.curve(canvas, &points, key::quiet_line())
}

fn entries(analysis: &Analysis, budgets: &[Budget<'_>]) -> Vec<Entry> {
    let mut entries = vec![Entry::new(Mark::Title, "C (FLOPs)")];
    entries.extend(budgets.iter().map(|budget| {
        let label = power_of_ten(budget.fit.budget);
        let meaning = match budget.fit.outcome.minimum() {
            Some(_) => label,
            None => format!("{label}, no minimum"),
        };
        Entry::new(Mark::Series(budget.color), meaning)
    }));
    entries.push(Entry::space());
    let ink = palette::MUTED;
    if budgets
        .iter()
        .flat_map(|b| &b.sizes)
        .any(|(_, losses)| losses.len() > 1)
    {
        entries.push(Entry::new(Mark::Point(ink), "mean of seeds"));
        entries.push(Entry::new(Mark::Ring(ink), "one seed"));
    }
    entries.extend(curve_entries(budgets));
    if budgets.iter().any(|b| b.fit.outcome.minimum().is_some()) {
        entries.push(Entry::new(Mark::OpenMinimum, "minimum, 95%"));
    }
    if analysis.fits.recommended.is_some() {
        entries.push(Entry::new(Mark::Line(key::quiet_line()), "N*(C), L*(C)"));
    }
    entries
}
