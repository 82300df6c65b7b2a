//! How well each method foretold the budgets that were held out.

use flops_fit_scaling::Method;
use flops_fit_scaling::holdout::{Answer, Holdout};

use super::canvas::{self, Canvas, Drawn, Place, Stroke};
use super::isoflop::per_unit;
use super::key::{self, Entry, Mark, Rows};
use super::palette::MUTED;
use super::panel::{Axis, Panel};
use super::scale::{Numbers, Scale};
use super::scene::Scene;
use super::{Figure, PlotError, captioned, look};
use crate::report::analysis::Analysis;
use crate::report::name;

const NAME: &str = "holdout";
const WIDTH: f64 = 470.0;
/// Room for the methods' names.
const NAMES: f64 = 148.0;
/// From one method to the next, in points.
const ROW: f64 = 17.0;

/// One method's answers, one a held-out budget and round.
struct Answers<'a> {
    method: Method,
    answers: Vec<&'a Answer>,
}

impl Answers<'_> {
    fn mean(&self, value: fn(&Answer) -> f64) -> f64 {
        self.answers.iter().map(|answer| value(answer)).sum::<f64>() / self.answers.len() as f64
    }
}

/// Every method that answered, the one with the smallest regret last.
fn answers(holdout: &Holdout) -> Vec<Answers<'_>> {
    let of = |method: Method| {
        holdout
            .tests()
            .filter_map(move |test| test.methods.get(&method))
    };
    let methods = holdout.scores.keys().map(|&method| Answers {
        method,
        answers: of(method).collect(),
    });
    let mut all: Vec<Answers<'_>> = methods.filter(|one| !one.answers.is_empty()).collect();
    let regret = |one: &Answers<'_>| one.mean(|answer| answer.regret);
    all.sort_by(|a, b| regret(b).total_cmp(&regret(a)));
    all
}

pub(super) fn draw(analysis: &Analysis, _: &Scene<'_>) -> Option<Result<Figure, PlotError>> {
    let all = answers(analysis.fits.holdout.as_ref()?);
    if all.is_empty() {
        return None;
    }
    let entries = [
        Entry::new(Mark::Ring(MUTED), "one held-out budget"),
        Entry::new(Mark::Diamond(MUTED), "mean"),
    ];
    let rows = Rows::new(&entries, WIDTH);
    let top = rows.height() + 8.0;
    let bottom = top + ROW * all.len() as f64;
    let names: Vec<&str> = all.iter().map(|one| name::method(one.method)).collect();
    let panels = panels(analysis, &all, (top, bottom));
    let title = format!("{}: hold-out scores", analysis.subject.sweep);
    let svg = canvas::page((WIDTH, bottom + 36.0), &title, |canvas| {
        rows.draw(canvas, (NAMES, 2.0))?;
        let [regret, error] = &panels;
        regret.draw_named(canvas, &names)?;
        error.draw_named(canvas, &vec![""; names.len()])?;
        for (row, one) in all.iter().enumerate() {
            draw_row(canvas, regret, row, one, |answer| answer.regret)?;
            draw_row(canvas, error, row, one, |answer| answer.ln_n_error)?;
        }
        Ok(())
    });
    let caption = "How well each method foretold budgets larger than any it was fitted to, best first: the loss \
                   given away at the size it recommended, and its error in that size (0.1 is about 10%)."
        .to_owned();
    Some(captioned(NAME, caption, svg))
}

fn panels(analysis: &Analysis, all: &[Answers<'_>], (top, bottom): (f64, f64)) -> [Panel; 2] {
    let values = |value: fn(&Answer) -> f64| {
        let answers = all.iter().flat_map(|one| one.answers.iter().copied());
        answers.map(value).chain([0.0])
    };
    let width = (WIDTH - NAMES) / 2.0;
    let panel = |column: f64, title: String, scale: Scale| Panel {
        left: NAMES + column * width,
        right: NAMES + (column + 1.0) * width - 14.0,
        top,
        bottom,
        x: Axis {
            title,
            scale,
            numbers: Numbers::Decimals,
            most: 4,
        },
        y: Axis {
            title: String::new(),
            scale: Scale::Linear {
                low: -0.5,
                high: all.len() as f64 - 0.5,
            },
            numbers: Numbers::Decimals,
            most: 0,
        },
    };
    [
        panel(
            0.0,
            format!("Regret ({})", per_unit(analysis)),
            Scale::linear_around(values(|answer| answer.regret), 0.06),
        ),
        panel(
            1.0,
            "Error in ln N*".to_owned(),
            Scale::linear_around(values(|answer| answer.ln_n_error), 0.06),
        ),
    ]
}

/// One method's answers, and their mean.
fn draw_row(
    canvas: &Canvas<'_>,
    panel: &Panel,
    row: usize,
    one: &Answers<'_>,
    value: fn(&Answer) -> f64,
) -> Drawn {
    let at = |x: f64| -> Place { panel.at(x, row as f64) };
    if row == 0 {
        let line = [(at(0.0).0, panel.top), (at(0.0).0, panel.bottom)];
        canvas.line(&line, Stroke::solid(MUTED, 0.7))?;
    }
    let color = look::color(one.method);
    for answer in &one.answers {
        canvas.circle(at(value(answer)), 2.4, Stroke::solid(color, 1.0))?;
    }
    key::minimum(canvas, at(one.mean(value)), color)
}
