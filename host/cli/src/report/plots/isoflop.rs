//! Loss against size, a curve for each budget, with the minima.

use flops_fit_scaling::isoflop::BudgetFit;

use super::canvas::{self, Canvas, Drawn, Place, Stroke};
use super::key::{self, Entry, Mark};
use super::palette;
use super::panel::{Axis, Panel};
use super::scale::{Numbers, Scale};
use super::scene::Scene;
use super::text::power_of_ten;
use super::{Figure, PlotError, captioned, look};
use crate::report::analysis::Analysis;

const NAME: &str = "isoflop";
const PAGE: Place = (442.0, 285.0);
const KEY_WIDTH: f64 = 124.0;
const CURVE_POINTS: usize = 96;
/// Budgets that the key names one by one.
const KEY_BUDGETS: usize = 14;
/// Sizes at a budget from which their points would hide one another and the curve.
const DENSE: usize = 40;

pub(super) fn draw(analysis: &Analysis, scene: Option<&Scene<'_>>) -> Result<Figure, PlotError> {
    let budgets: Vec<Budget> = Budget::all(analysis);
    let panel = panel(analysis, &budgets);
    let title = format!("{}: loss against size", analysis.subject.sweep);
    let svg = canvas::page(PAGE, &title, |canvas| {
        panel.draw(canvas)?;
        if let Some(scene) = scene {
            frontier(canvas, &panel, scene)?;
        }
        for budget in &budgets {
            budget.curve(canvas, &panel)?;
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
            &entries(&budgets, scene),
        )
    });
    let caption =
        "Held-out loss against model size, one curve a compute budget, with the minima and \
                   their 95% intervals."
            .to_owned();
    captioned(NAME, caption, svg)
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
                for run in fit.runs.iter().filter_map(|run| analysis.points.get(*run)) {
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
            let at = panel.at(*n, mean);
            if self.sizes.len() > DENSE {
                let color = plotters::style::Color::mix(&self.color, 0.3);
                canvas.disc(at, 1.6, color)?;
            } else {
                key::point(canvas, at, self.color)?;
            }
        }
        Ok(())
    }

    /// The curve that the laws follow.
    fn curve(&self, canvas: &Canvas<'_>, panel: &Panel) -> Drawn {
        let own = self.fit.outcome.minimum().map(|minimum| minimum.method);
        let fit = own.map_or_else(|| self.fit.fits.first(), |method| self.fit.fit(method));
        let Some(fit) = fit else {
            return Ok(());
        };
        let (low, high) = fit.curve.range();
        let points: Vec<Place> = log_spaced(low, high, CURVE_POINTS)
            .map(|n| (n, fit.curve.loss_at(n)))
            .collect();
        panel.curve(canvas, &points, Stroke::solid(self.color, key::CURVE))
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

/// The optima of what to follow.
fn frontier(canvas: &Canvas<'_>, panel: &Panel, scene: &Scene<'_>) -> Drawn {
    panel.curve(canvas, &between(scene), frontier_line(scene))
}

/// N* and L* from the smallest budget to the largest.
fn between(scene: &Scene<'_>) -> Vec<Place> {
    let (first, last) = scene.measured;
    let pairs = scene.frontier.windows(2).filter_map(|pair| {
        let [from, to] = [pair[0], pair[1]];
        // The part of the step that lies between the budgets.
        let share = |c: f64| (c.clamp(first, last) / from.c).ln() / (to.c / from.c).ln();
        let (begin, end) = (share(from.c), share(to.c));
        let at = |share: f64| {
            let n = from.n * (to.n / from.n).powf(share);
            (n, from.loss + share * (to.loss - from.loss))
        };
        (begin < end).then(|| [at(begin), at(end)])
    });
    pairs.flatten().collect()
}

fn frontier_line(scene: &Scene<'_>) -> Stroke {
    let color = look::followed_line(scene.followed).color;
    Stroke::solid(color, 1.4).dashed(1.5, 1.5)
}

fn entries(budgets: &[Budget<'_>], scene: Option<&Scene<'_>>) -> Vec<Entry> {
    let mut entries = vec![Entry::new(Mark::Title, "C (FLOPs)")];
    let every = budgets.len().div_ceil(KEY_BUDGETS).max(1);
    entries.extend(budgets.iter().step_by(every).map(|budget| {
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
    if budgets.iter().any(|b| b.fit.outcome.minimum().is_some()) {
        entries.push(Entry::new(Mark::OpenMinimum, "minimum, 95%"));
    }
    if let Some(scene) = scene {
        let line = Mark::Line(frontier_line(scene));
        entries.push(Entry::new(line, "N*(C), L*(C)"));
    }
    entries
}
