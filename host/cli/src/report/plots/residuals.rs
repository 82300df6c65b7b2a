//! What a law leaves over: against size, data and the law's own loss, and against
//! a normal distribution.

use flops_fit_scaling::ResidualScale;
use plotters::style::RGBColor;
use statrs::distribution::{ContinuousCDF, Normal};

use super::canvas::{self, Canvas, Drawn, Place};
use super::isoflop::per_unit;
use super::key::{self, Entry, Mark, Rows};
use super::palette::{self, MUTED};
use super::panel::{Axis, Panel};
use super::scale::{Numbers, Scale};
use super::scene::{Scene, Track};
use super::text::power_of_ten;
use super::{Figure, PlotError, capital, captioned, thinned};
use crate::report::analysis::Analysis;
use crate::report::name;

const NAME: &str = "residuals";
const PAGE: Place = (470.0, 350.0);
/// Budgets that the key names one by one.
const KEY_BUDGETS: usize = 7;
/// Residuals of ln L are shown in per cent.
const PER_CENT: f64 = 100.0;
/// Fewest residuals that are worth a figure.
const FEWEST: usize = 3;

/// One run's residual with what it is drawn against.
struct Mote {
    n: f64,
    d: f64,
    fitted: f64,
    residual: f64,
    color: RGBColor,
}

/// What a residual is drawn against.
type Value = fn(&Mote) -> f64;

impl Mote {
    fn draw(&self, canvas: &Canvas<'_>, panel: &Panel, x: f64) -> Drawn {
        let color = plotters::style::Color::mix(&self.color, 0.8);
        canvas.disc(panel.at(x, self.residual), 2.0, color)
    }
}

pub(super) fn draw(analysis: &Analysis, scene: &Scene<'_>) -> Option<Result<Figure, PlotError>> {
    // The envelope has no residuals.
    let of = |track: &Track<'_>| {
        let motes = motes(analysis, track);
        (motes.len() >= FEWEST).then_some((track.method, motes))
    };
    let (leading, motes) = scene
        .leading(analysis)
        .and_then(of)
        .or_else(|| scene.methods.iter().find_map(of))?;
    let entries = entries(analysis);
    let rows = Rows::new(&entries, PAGE.0 - 60.0);
    let panels = panels(
        analysis,
        leading.residual_scale(),
        &motes,
        rows.height() + 8.0,
    );
    let (every, said) = thinned(motes.len());
    let method = name::method(leading);
    let title = format!("{}: residuals of {method}", analysis.subject.sweep);
    let svg = canvas::page(PAGE, &title, |canvas| {
        rows.draw(canvas, (50.0, 2.0))?;
        let [by_n, by_d, by_fitted, by_normal] = &panels;
        let plain: [(&Panel, Value); 3] = [
            (by_n, |mote| mote.n),
            (by_d, |mote| mote.d),
            (by_fitted, |mote| mote.fitted),
        ];
        for (panel, x) in plain {
            panel.draw(canvas)?;
            let (low, high) = panel.x.scale.ends();
            panel.curve(canvas, &[(low, 0.0), (high, 0.0)], key::quiet_line())?;
            for mote in motes.iter().step_by(every) {
                mote.draw(canvas, panel, x(mote))?;
            }
        }
        normal(canvas, by_normal, &motes, every)
    });
    let caption = format!(
        "What {method} leaves over, observed less fitted: against size, data and the fitted loss, and \
         sorted against the quantiles of a normal distribution of the same middle half (dashed).{said}"
    );
    Some(captioned(NAME, caption, svg))
}

fn motes(analysis: &Analysis, track: &Track<'_>) -> Vec<Mote> {
    let budgets = &analysis.fits.budgets;
    let color = |run: usize| {
        let mut of = budgets.iter();
        of.position(|budget| budget.runs.contains(&run))
            .map_or(MUTED, |index| palette::ordered(index, budgets.len()))
    };
    let residual = |loss: f64, fitted: f64| match track.method.residual_scale() {
        ResidualScale::Loss => loss - fitted,
        ResidualScale::LogLoss => PER_CENT * (loss / fitted).ln(),
    };
    let fitted = analysis.points.iter().zip(&track.fitted.fitted);
    fitted
        .enumerate()
        .filter_map(|(row, (run, fitted))| {
            let fitted = (*fitted)?;
            Some(Mote {
                n: run.n,
                d: run.d,
                fitted,
                residual: residual(run.loss, fitted),
                color: color(row),
            })
        })
        .collect()
}

fn panels(analysis: &Analysis, scale: ResidualScale, motes: &[Mote], top: f64) -> [Panel; 4] {
    let unit = match scale {
        ResidualScale::Loss => per_unit(analysis),
        ResidualScale::LogLoss => "% of L".to_owned(),
    };
    let y = Scale::linear_around(motes.iter().map(|mote| mote.residual).chain([0.0]), 0.06);
    let reach = quantile_of(motes.len(), motes.len() - 1);
    let axes = [
        (
            "Parameters N".to_owned(),
            Scale::log_around(motes.iter().map(|mote| mote.n), 0.04),
            Numbers::Counts,
        ),
        (
            format!("{} D", capital(&analysis.subject.unit)),
            Scale::log_around(motes.iter().map(|mote| mote.d), 0.04),
            Numbers::Counts,
        ),
        (
            format!("Fitted loss ({})", per_unit(analysis)),
            Scale::linear_around(motes.iter().map(|mote| mote.fitted), 0.04),
            Numbers::Decimals,
        ),
        (
            "Normal quantile".to_owned(),
            Scale::linear_around([-reach, reach], 0.06),
            Numbers::Decimals,
        ),
    ];
    let mut index = 0;
    axes.map(|(title, scale, numbers)| {
        let (column, row) = (f64::from(index % 2), f64::from(index / 2));
        index += 1;
        let (width, height) = (PAGE.0 / 2.0, (PAGE.1 - top) / 2.0);
        Panel {
            left: column * width + 50.0,
            right: (column + 1.0) * width - 12.0,
            top: top + row * height,
            bottom: top + (row + 1.0) * height - 40.0,
            x: Axis {
                title,
                scale,
                numbers,
                most: 6,
            },
            y: Axis {
                title: format!("Residual ({unit})"),
                scale: y,
                numbers: Numbers::Decimals,
                most: 6,
            },
        }
    })
}

/// Sorted residuals against normal quantiles, with the line through the quartiles.
fn normal(canvas: &Canvas<'_>, panel: &Panel, motes: &[Mote], every: usize) -> Drawn {
    panel.draw(canvas)?;
    let mut sorted: Vec<&Mote> = motes.iter().collect();
    sorted.sort_by(|a, b| a.residual.total_cmp(&b.residual));
    let count = sorted.len();
    let at = |share: f64| sorted[((count - 1) as f64 * share).round() as usize].residual;
    let (middle, sd) = (at(0.5), (at(0.75) - at(0.25)) / (2.0 * QUARTILE));
    let (low, high) = panel.x.scale.ends();
    let line: Vec<Place> = (0..=64)
        .map(|i| low + (high - low) * f64::from(i) / 64.0)
        .map(|z| (z, middle + sd * z))
        .collect();
    panel.curve(canvas, &line, key::quiet_line())?;
    for (index, mote) in sorted.iter().enumerate().step_by(every) {
        mote.draw(canvas, panel, quantile_of(count, index))?;
    }
    Ok(())
}

/// The upper quartile of a standard normal.
const QUARTILE: f64 = 0.674_489_75;

/// The standard normal's quantile at (i + ½)/count.
fn quantile_of(count: usize, index: usize) -> f64 {
    Normal::standard().inverse_cdf((index as f64 + 0.5) / count as f64)
}

fn entries(analysis: &Analysis) -> Vec<Entry> {
    let budgets = &analysis.fits.budgets;
    let every = budgets.len().div_ceil(KEY_BUDGETS).max(1);
    let count = budgets.len();
    let mut entries: Vec<Entry> = budgets
        .iter()
        .enumerate()
        .step_by(every)
        .map(|(index, budget)| {
            let text = format!("C = {}", power_of_ten(budget.budget));
            Entry::new(Mark::Point(palette::ordered(index, count)), text)
        })
        .collect();
    let runs: usize = budgets.iter().map(|budget| budget.runs.len()).sum();
    if runs + analysis.fits.left_out.len() < analysis.points.len() {
        entries.push(Entry::new(Mark::Point(MUTED), "in no budget"));
    }
    entries
}
