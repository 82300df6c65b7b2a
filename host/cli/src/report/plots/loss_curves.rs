//! Training loss against FLOPs spent, one line a trial.

use flops_fit_scaling::quantity;
use flops_fit_trial::{ProgressReader, TrialId, continuous};

use super::canvas::{self, Canvas, Drawn, Place, Stroke};
use super::isoflop::per_unit;
use super::key::{self, Entry, Mark};
use super::palette;
use super::panel::{Axis, Panel};
use super::scale::{Numbers, Scale};
use super::{Figure, PlotError, captioned};
use crate::output::Output;
use crate::report::analysis::Analysis;
use crate::report::runs::{Row, Status};

const NAME: &str = "loss_curves";
const PAGE: Place = (430.0, 285.0);
const KEY_WIDTH: f64 = 92.0;
/// Sizes in the key.
const KEY_SIZES: usize = 8;

/// How one trial's training loss fell.
#[derive(Debug, Clone, PartialEq)]
pub struct LossCurve {
    /// Parameters N.
    pub n: f64,
    /// FLOPs spent and the mean training loss since the point before.
    pub points: Vec<(f64, f64)>,
}

impl LossCurve {
    /// The curves of all completed rows whose progress is still there.
    pub fn read_all(output: &Output, rows: &[Row]) -> Vec<Self> {
        rows.iter()
            .filter_map(|row| Self::read(output, row))
            .collect()
    }

    fn read(output: &Output, row: &Row) -> Option<Self> {
        if row.status != Status::Completed {
            return None;
        }
        let id: TrialId = serde_json::from_value(row.trial.clone()?.into()).ok()?;
        let flops_per_unit = row.c? / row.d?;
        let lines = ProgressReader::new(output.trial(&id).progress_path()).poll();
        let points: Vec<(f64, f64)> = continuous(lines)
            .into_iter()
            .filter_map(|line| Some((line.units as f64 * flops_per_unit, line.loss?)))
            .filter(|(c, loss)| *c > 0.0 && loss.is_finite())
            .collect();
        (points.len() > 1).then_some(Self { n: row.n?, points })
    }
}

pub(super) fn draw(analysis: &Analysis, curves: &[LossCurve]) -> Option<Result<Figure, PlotError>> {
    if curves.is_empty() {
        return None;
    }
    let points = || curves.iter().flat_map(|curve| curve.points.iter().copied());
    let panel = Panel {
        left: 48.0,
        right: PAGE.0 - KEY_WIDTH,
        top: 10.0,
        bottom: PAGE.1 - 36.0,
        x: Axis {
            title: "Training compute (FLOPs)".to_owned(),
            scale: Scale::log_around(points().map(|(c, _)| c), 0.02),
            numbers: Numbers::Powers,
            most: 7,
        },
        y: Axis {
            title: format!("Training loss ({})", per_unit(analysis)),
            scale: Scale::log_around(points().map(|(_, loss)| loss), 0.04),
            numbers: Numbers::Decimals,
            most: 7,
        },
    };
    let title = format!("{}: training loss against compute", analysis.subject.sweep);
    let svg = canvas::page(PAGE, &title, |canvas| {
        panel.draw(canvas)?;
        let sizes = Scale::log_around(curves.iter().map(|curve| curve.n), 0.0);
        lines(canvas, &panel, curves, sizes)?;
        key::column(
            canvas,
            (panel.right + 12.0, panel.top),
            &entries(curves, sizes),
        )
    });
    let caption = "Training loss against compute, one line a trial, coloured by size.".to_owned();
    Some(captioned(NAME, caption, svg))
}

fn lines(canvas: &Canvas<'_>, panel: &Panel, curves: &[LossCurve], sizes: Scale) -> Drawn {
    for curve in curves {
        let stroke = Stroke {
            opacity: 0.75,
            ..Stroke::solid(palette::along(sizes.share(curve.n)), 0.8)
        };
        panel.curve(canvas, &curve.points, stroke)?;
    }
    Ok(())
}

/// Each size, or as many as there is room for, largest last.
fn entries(curves: &[LossCurve], sizes: Scale) -> Vec<Entry> {
    let mut distinct: Vec<f64> = curves.iter().map(|curve| curve.n).collect();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    let every = distinct.len().div_ceil(KEY_SIZES);
    let mut entries = vec![Entry::new(Mark::Title, "Parameters N")];
    entries.extend(distinct.iter().step_by(every).map(|n| {
        let stroke = Stroke::solid(palette::along(sizes.share(*n)), key::CURVE);
        Entry::new(Mark::Line(stroke), quantity::count(*n))
    }));
    entries
}
