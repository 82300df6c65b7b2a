//! What the bootstrap's draws say: the optimum at the target, and the exponents of
//! the surfaces.

use flops_fit_scaling::{Interval, Method, Quantity, quantity};

use super::canvas::{self, Canvas, Drawn, Place, Stroke};
use super::isoflop::per_unit;
use super::key::{self, Entry, Mark, Rows};
use super::palette::{INK, MUTED};
use super::panel::{Axis, Panel};
use super::scale::{Numbers, Scale};
use super::scene::{Scene, Track};
use super::text::power_of_ten;
use super::{Figure, PlotError, captioned, look};
use crate::report::analysis::Analysis;
use crate::report::{name, table};

const NAME: &str = "bootstrap";
const PAGE: Place = (470.0, 250.0);
/// Share of the draws at each end that may lie outside the axes.
const OUTSIDE: f64 = 0.005;
const OPACITY: f64 = 0.35;
const DOT: f64 = 0.9;

/// Draws of one method in one panel.
struct Cloud {
    method: Method,
    estimate: Option<Place>,
    draws: Vec<Place>,
}

pub(super) fn draw(analysis: &Analysis, scene: &Scene<'_>) -> Option<Result<Figure, PlotError>> {
    let c = analysis.fits.bootstrap.cloud.as_ref()?.c;
    let target = analysis.fits.predictions.iter().find(|p| same(p.c, c));
    let place = target.and_then(|p| analysis.fits.predictions.iter().position(|q| q == p));
    let clouds = |of: &dyn Fn(&Track<'_>) -> Cloud| -> Vec<Cloud> {
        let all = scene.methods.iter().map(of);
        all.filter(|cloud| !cloud.draws.is_empty()).collect()
    };
    let optima = clouds(&|track| optimum_cloud(track, place));
    let exponents = clouds(&exponent_cloud);
    if optima.is_empty() {
        return None;
    }
    let entries = entries(&optima);
    let rows = Rows::new(&entries, PAGE.0 - 60.0);
    let top = rows.height() + 8.0;
    let right = if exponents.is_empty() {
        PAGE.0
    } else {
        PAGE.0 / 2.0
    };
    let interval = |quantity| target.map(|p| table::interval(p, quantity));
    let cross = interval(Quantity::N).zip(interval(Quantity::Loss));
    let at_target = optimum_panel(analysis, c, (&optima, cross), right - 10.0, top);
    let title = format!("{}: bootstrap draws", analysis.subject.sweep);
    let svg = canvas::page(PAGE, &title, |canvas| {
        rows.draw(canvas, (50.0, 2.0))?;
        at_target.draw(canvas)?;
        draw_clouds(canvas, &at_target, &optima)?;
        if let Some((n, loss)) = cross {
            let bar = Stroke::solid(INK, 1.0);
            at_target.error_bar(canvas, n.estimate, &loss, bar)?;
            at_target.error_bar_across(canvas, &n, loss.estimate, bar)?;
        }
        if exponents.is_empty() {
            return Ok(());
        }
        let by_exponent = exponent_panel(&exponents, (right + 44.0, PAGE.0 - 10.0), top);
        by_exponent.draw(canvas)?;
        draw_clouds(canvas, &by_exponent, &exponents)
    });
    let caption = format!(
        "Draws of the bootstrap: the optimum at {} FLOPs by each method, with the interval that is reported \
         (cross), and the exponents of the surfaces.",
        quantity::flops(c)
    );
    Some(captioned(NAME, caption, svg))
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits()
}

fn optimum_cloud(track: &Track<'_>, place: Option<usize>) -> Cloud {
    let at = place.and_then(|place| track.fitted.predictions.get(place));
    Cloud {
        method: track.method,
        estimate: at.map(|p| (p.n, p.loss)),
        draws: track.draws.iter().map(|draw| (draw.n, draw.loss)).collect(),
    }
}

fn exponent_cloud(track: &Track<'_>) -> Cloud {
    let draws = track.draws.iter();
    Cloud {
        method: track.method,
        estimate: track.surface().map(|surface| (surface.alpha, surface.beta)),
        draws: draws.filter_map(|draw| draw.alpha.zip(draw.beta)).collect(),
    }
}

/// Axes around the clouds and the interval.
fn optimum_panel(
    analysis: &Analysis,
    c: f64,
    (clouds, cross): (&[Cloud], Option<(Interval, Interval)>),
    right: f64,
    top: f64,
) -> Panel {
    let ends = |interval: Interval| [interval.low, interval.high];
    let n = cross.into_iter().flat_map(|(n, _)| ends(n));
    let loss = cross.into_iter().flat_map(|(_, loss)| ends(loss));
    Panel {
        left: 50.0,
        right,
        top,
        bottom: PAGE.1 - 36.0,
        x: Axis {
            title: format!("Parameters N* at {} FLOPs", power_of_ten(c)),
            scale: Scale::log_around(central(clouds, |at| at.0).into_iter().chain(n), 0.05),
            numbers: Numbers::Counts,
            most: 5,
        },
        y: Axis {
            title: format!("Held-out loss L* ({})", per_unit(analysis)),
            scale: Scale::linear_around(central(clouds, |at| at.1).into_iter().chain(loss), 0.05),
            numbers: Numbers::Decimals,
            most: 6,
        },
    }
}

/// One coordinate of all clouds, each without its few farthest draws.
fn central(clouds: &[Cloud], value: fn(Place) -> f64) -> Vec<f64> {
    let mut all = Vec::new();
    for cloud in clouds {
        let mut values: Vec<f64> = cloud.draws.iter().copied().map(value).collect();
        values.retain(|value| value.is_finite());
        values.sort_by(f64::total_cmp);
        let cut = (values.len() as f64 * OUTSIDE).ceil() as usize;
        let end = values.len().saturating_sub(cut).max(cut);
        all.extend(values.get(cut..end).unwrap_or_default());
        all.extend(cloud.estimate.map(value));
    }
    all
}

fn exponent_panel(clouds: &[Cloud], (left, right): (f64, f64), top: f64) -> Panel {
    let axis = |title: &str, value| Axis {
        title: title.to_owned(),
        scale: Scale::linear_around(central(clouds, value), 0.05),
        numbers: Numbers::Decimals,
        most: 6,
    };
    Panel {
        left,
        right,
        top,
        bottom: PAGE.1 - 36.0,
        x: axis("Exponent α of N", |at| at.0),
        y: axis("Exponent β of D", |at| at.1),
    }
}

fn draw_clouds(canvas: &Canvas<'_>, panel: &Panel, clouds: &[Cloud]) -> Drawn {
    let inside = |(x, y): &&Place| panel.x.scale.contains(*x) && panel.y.scale.contains(*y);
    // In turn, so that no cloud hides another.
    let most = clouds.iter().map(|cloud| cloud.draws.len()).max();
    for index in 0..most.unwrap_or(0) {
        for cloud in clouds {
            if let Some((x, y)) = cloud.draws.get(index).filter(inside) {
                let color = plotters::style::Color::mix(&look::color(cloud.method), OPACITY);
                canvas.disc(panel.at(*x, *y), DOT, color)?;
            }
        }
    }
    for cloud in clouds {
        if let Some((x, y)) = cloud.estimate.as_ref().filter(inside) {
            key::minimum(canvas, panel.at(*x, *y), look::color(cloud.method))?;
        }
    }
    Ok(())
}

fn entries(clouds: &[Cloud]) -> Vec<Entry> {
    let methods = clouds.iter().map(|cloud| {
        let mark = Mark::Point(look::color(cloud.method));
        Entry::new(mark, name::method(cloud.method))
    });
    let mut entries: Vec<Entry> = methods.collect();
    entries.push(Entry::new(Mark::Diamond(MUTED), "estimate"));
    entries.push(Entry::new(
        Mark::Line(Stroke::solid(INK, 1.0)),
        "interval, 95%",
    ));
    entries
}
