//! Loss against the learning rate, a curve a size, with the best rates.

use super::canvas::{self, Canvas, Drawn, Place, Stroke};
use super::key::{self, Entry, Mark};
use super::palette;
use super::panel::{Axis, Panel};
use super::scale::{Numbers, Scale};
use super::{Figure, PlotError, captioned};
use crate::transfer::{Curve, Transfer};

const NAME: &str = "learning_rate_transfer";
const PAGE: Place = (430.0, 285.0);
const KEY_WIDTH: f64 = 112.0;

/// Losses further above the lowest than this many times the median are not shown:
/// rates that are far too high would flatten everything else.
const HIGHEST: f64 = 3.0;

pub(super) fn draw(transfer: &Transfer) -> Result<Figure, PlotError> {
    let panel = panel(transfer);
    let title = format!("{}: loss against the learning rate", transfer.subject);
    let svg = canvas::page(PAGE, &title, |canvas| {
        panel.draw(canvas)?;
        let (low, high) = panel.y.scale.ends();
        let line = [(transfer.lr, low), (transfer.lr, high)];
        panel.curve(canvas, &line, key::quiet_line())?;
        for (index, curve) in transfer.curves.iter().enumerate() {
            let color = palette::ordered(index, transfer.curves.len());
            draw_curve(canvas, &panel, curve, color)?;
        }
        let at = (panel.right + 12.0, panel.top);
        key::column(canvas, at, &entries(transfer))
    });
    let caption = format!(
        "Held-out loss after {} steps against the peak learning rate, one curve a size, with \
         each size's best rate; the vertical line is train.lr.",
        transfer.steps
    );
    captioned(NAME, caption, svg)
}

fn panel(transfer: &Transfer) -> Panel {
    let means = || transfer.curves.iter().flat_map(means);
    let mut losses: Vec<f64> = means().map(|(_, loss)| loss).collect();
    losses.sort_by(f64::total_cmp);
    let highest = losses.first().zip(losses.get(losses.len() / 2));
    let highest = highest.map_or(0.0, |(lowest, median)| lowest + HIGHEST * (median - lowest));
    let shown = losses.into_iter().filter(|loss| *loss <= highest);
    let unit = transfer.unit.strip_suffix('s').unwrap_or(&transfer.unit);
    Panel {
        left: 48.0,
        right: PAGE.0 - KEY_WIDTH,
        top: 10.0,
        bottom: PAGE.1 - 36.0,
        x: Axis {
            title: "Learning rate".to_owned(),
            scale: Scale::log_around(means().map(|(lr, _)| lr), 0.04),
            numbers: Numbers::Decimals,
            most: 7,
        },
        y: Axis {
            title: format!("Held-out loss (per {unit})"),
            scale: Scale::linear_around(shown, 0.06),
            numbers: Numbers::Decimals,
            most: 6,
        },
    }
}

/// Rates at which no seed diverged, with the mean loss.
fn means(curve: &Curve) -> impl Iterator<Item = Place> {
    let rates = curve.rates.iter();
    rates.filter_map(|rate| Some((rate.lr, rate.loss()?)))
}

fn draw_curve(
    canvas: &Canvas<'_>,
    panel: &Panel,
    curve: &Curve,
    color: plotters::style::RGBColor,
) -> Drawn {
    let points: Vec<Place> = means(curve).collect();
    panel.curve(canvas, &points, Stroke::solid(color, key::CURVE))?;
    let seeds = curve.rates.iter().flat_map(|rate| {
        let losses = rate.losses.iter().flatten();
        losses.map(|loss| (rate.lr, *loss))
    });
    let inside = |place: &Place| panel.y.scale.contains(place.1);
    for (lr, loss) in seeds.filter(inside) {
        key::ring(canvas, panel.at(lr, loss), color)?;
    }
    for (lr, loss) in points.into_iter().filter(inside) {
        key::point(canvas, panel.at(lr, loss), color)?;
    }
    match curve.best {
        Some(best) => key::open_minimum(canvas, panel.at(best.lr, best.loss)),
        None => Ok(()),
    }
}

fn entries(transfer: &Transfer) -> Vec<Entry> {
    let count = transfer.curves.len();
    let mut entries = vec![Entry::new(Mark::Title, transfer.size_param.clone())];
    entries.extend(transfer.curves.iter().enumerate().map(|(index, curve)| {
        let mark = Mark::Series(palette::ordered(index, count));
        Entry::new(mark, curve.size.to_string())
    }));
    entries.push(Entry::space());
    entries.push(Entry::new(Mark::Ring(palette::MUTED), "one seed"));
    entries.push(Entry::new(Mark::OpenMinimum, "best rate"));
    entries.push(Entry::new(Mark::Line(key::quiet_line()), "train.lr"));
    entries
}
