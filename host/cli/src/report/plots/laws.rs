//! N*, D* and L* against compute, with their laws.

use flops_fit_scaling::isoflop::Minimum;
use flops_fit_scaling::{Interval, Quantity as Predicted};

use super::canvas::{self, Canvas, Drawn, Place, Stroke};
use super::key::{self, Entry, Mark};
use super::palette::{self, INK, LAW};
use super::panel::{Axis, Panel, SMALL};
use super::scale::{Numbers, Scale};
use super::text::{Line, Side, power_of_ten};
use super::{Figure, PlotError};
use crate::report::analysis::Analysis;
use crate::report::table;

const NAME: &str = "laws";
const PAGE: Place = (540.0, 205.0);
/// Opacity of a 95 % band.
pub(super) const BAND: f64 = 0.16;

/// One quantity that follows a law.
pub(super) struct Quantity {
    /// Title of its axis.
    pub(super) title: String,
    /// The law as text with `^{}`.
    pub(super) formula: String,
    /// How its values are written.
    pub(super) numbers: Numbers,
    /// Each minimum: C, value, index of the budget.
    pub(super) minima: Vec<(f64, Interval, usize)>,
    /// The law over the range of the figure.
    pub(super) law: Vec<(f64, Interval)>,
    /// Largest and smallest C that was measured.
    pub(super) measured: (f64, f64),
    /// Budgets in all, for their colours.
    pub(super) budgets: usize,
}

pub(super) fn draw(analysis: &Analysis) -> Option<Result<Figure, PlotError>> {
    let quantities = quantities(analysis)?;
    let width = PAGE.0 / quantities.len() as f64;
    let title = format!("{}: optima against compute", analysis.subject.sweep);
    let svg = canvas::page(PAGE, &title, |canvas| {
        key::row(canvas, (44.0, 2.0), &entries())?;
        for (index, quantity) in quantities.iter().enumerate() {
            let left = width * index as f64;
            let panel = quantity.panel((left + 46.0, left + width - 8.0), (22.0, PAGE.1 - 36.0));
            quantity.draw(canvas, &panel)?;
        }
        Ok(())
    });
    Some(
        svg.map(|svg| Figure {
            name: NAME,
            caption: "Optimal size, data and loss against compute: the budgets' minima, the \
                      laws through them, and 95% bands."
                .to_owned(),
            svg,
        })
        .map_err(|source| PlotError::Draw {
            figure: NAME,
            source,
        }),
    )
}

/// `name = k·C^{exponent}`.
pub(super) fn power_law(name: &str, k: f64, exponent: f64) -> String {
    let exponent = format!("{exponent:.3}").replace('-', "−");
    format!("{name} = {}·C^{{{exponent}}}", coefficient(k))
}

fn coefficient(k: f64) -> String {
    let text = table::coefficient(k);
    if text.contains('e') {
        power_of_ten(k)
    } else {
        text
    }
}

pub(super) fn entries() -> [Entry; 4] {
    let line = key::law_line(LAW);
    [
        Entry::new(Mark::Minimum(palette::MUTED), "minimum, 95%"),
        Entry::new(Mark::Line(line), "law"),
        Entry::new(Mark::Line(line.dashed(4.0, 2.5)), "extrapolated"),
        Entry::new(Mark::Band(LAW, BAND), "95% band"),
    ]
}

/// The recommendation over the range of the figure, as far as it is a forecast.
pub(super) fn samples(analysis: &Analysis, quantity: Predicted) -> Vec<(f64, Interval)> {
    let near = analysis.fits.frontier.iter().filter(|p| !p.is_far);
    near.map(|p| (p.c, table::interval(p, quantity))).collect()
}

/// C, minimum and position of each budget that has one.
pub(super) fn minima(analysis: &Analysis) -> impl Iterator<Item = (f64, &Minimum, usize)> {
    let fits = analysis.fits.budgets.iter().enumerate();
    fits.filter_map(|(index, fit)| Some((fit.c, fit.outcome.minimum()?, index)))
}

fn quantities(analysis: &Analysis) -> Option<[Quantity; 3]> {
    let law = analysis.fits.recommended.as_ref()?.law?;
    let measured = analysis.fits.measured()?;
    let unit = &analysis.subject.unit;
    let mut capital = unit.clone();
    if let Some(first) = capital.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let quantity = |title: String,
                    formula: String,
                    numbers: Numbers,
                    minimum: fn(&Minimum) -> Interval,
                    predicted: Predicted| Quantity {
        title,
        formula,
        numbers,
        minima: minima(analysis)
            .map(|(c, m, index)| (c, minimum(m), index))
            .collect(),
        law: samples(analysis, predicted),
        measured,
        budgets: analysis.fits.budgets.len(),
    };
    Some([
        quantity(
            "Parameters N*".to_owned(),
            power_law("N*", law.k_n, law.a.estimate),
            Numbers::Counts,
            |m| m.n,
            Predicted::N,
        ),
        quantity(
            format!("{capital} D*"),
            power_law("D*", law.k_d, law.b.estimate),
            Numbers::Counts,
            |m| m.d,
            Predicted::D,
        ),
        quantity(
            "Held-out loss L*".to_owned(),
            String::new(),
            Numbers::Decimals,
            |m| m.loss,
            Predicted::Loss,
        ),
    ])
}

impl Quantity {
    /// Axes between `x` (left, right) and `y` (top, bottom), all in points.
    pub(super) fn panel(&self, x: (f64, f64), y: (f64, f64)) -> Panel {
        let law = self.law.iter().map(|(_, y)| *y);
        let minima = self.minima.iter().map(|(_, y, _)| *y);
        let values = law.chain(minima).flat_map(|y| [y.low, y.high]);
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
                scale: Scale::log_around(values, 0.04),
                numbers: self.numbers,
                most: 6,
            },
        }
    }

    /// Draws axes, band, law and minima.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, panel: &Panel) -> Drawn {
        panel.draw(canvas)?;
        panel.band(canvas, &self.law, LAW, BAND)?;
        let line = key::law_line(LAW);
        let (first, last) = self.measured;
        let part = |inside: &dyn Fn(f64) -> bool| -> Vec<Place> {
            let points = self.law.iter().filter(|(c, _)| inside(*c));
            points.map(|(c, y)| (*c, y.estimate)).collect()
        };
        // The parts share their last sample, so that no gap opens between them.
        let step = self.law[1].0 / self.law[0].0 * 1.001;
        panel.curve(canvas, &part(&|c| c <= first * step), line.dashed(4.0, 2.5))?;
        panel.curve(
            canvas,
            &part(&|c| (first / step..=last * step).contains(&c)),
            line,
        )?;
        panel.curve(canvas, &part(&|c| c >= last / step), line.dashed(4.0, 2.5))?;
        let bar = Stroke::solid(INK, key::BAR);
        for (c, y, index) in &self.minima {
            panel.error_bar(canvas, *c, y, bar)?;
            let color = palette::ordered(*index, self.budgets);
            key::minimum(canvas, panel.at(*c, y.estimate), color)?;
        }
        let falls = self.law[0].1.estimate > self.law[self.law.len() - 1].1.estimate;
        let line = Line::new(&self.formula, SMALL);
        let baseline = panel.top + SMALL + 2.0;
        if falls {
            canvas.text((panel.right - 4.0, baseline), Side::Right, &line, INK)
        } else {
            canvas.text((panel.left + 6.0, baseline), Side::Left, &line, INK)
        }
    }
}
