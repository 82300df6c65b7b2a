//! Units of data per parameter at the optimum, against compute.

use flops_fit_scaling::isoflop::Minimum;
use flops_fit_scaling::{Interval, Quantity as Predicted};

use super::canvas;
use super::key::{self, Rows};
use super::laws::{self, Quantity, Reading};
use super::palette::MUTED;
use super::panel::SMALL;
use super::scale::Numbers;
use super::scene::Scene;
use super::text::{Line, Side};
use super::{Figure, PlotError, capital, captioned};
use crate::report::analysis::Analysis;

const WIDTH: f64 = 360.0;
const PANEL_HEIGHT: f64 = 210.0;

/// Tokens per parameter by the rule of thumb of Hoffmann et al. 2022.
const CHINCHILLA: f64 = 20.0;

pub(super) fn draw(analysis: &Analysis, scene: &Scene<'_>) -> Option<Result<Figure, PlotError>> {
    if scene.frontier.len() < 2 {
        return None;
    }
    let title = capital(&analysis.ratio_name());
    let quantity = Quantity::of(
        analysis,
        scene,
        (&format!("{title} D*/N*"), "D*/N*"),
        Numbers::Decimals,
        &Reading {
            quantity: Predicted::UnitsPerParameter,
            minimum: ratio,
        },
    );
    let counts_tokens = analysis.subject.unit == "tokens";
    let name = if counts_tokens {
        "tokens_per_parameter"
    } else {
        "units_per_parameter"
    };
    let entries = laws::entries(analysis, scene);
    let rows = Rows::new(&entries, WIDTH - 60.0);
    let top = rows.height() + 8.0;
    let page = (WIDTH, top + PANEL_HEIGHT);
    let heading = format!("{}: {title}", analysis.subject.sweep);
    let svg = canvas::page(page, &heading, |canvas| {
        rows.draw(canvas, (50.0, 2.0))?;
        let panel = quantity.panel((50.0, WIDTH - 10.0), (top, page.1 - 36.0));
        quantity.draw(canvas, &panel)?;
        if counts_tokens && panel.y.scale.contains(CHINCHILLA) {
            let (low, high) = panel.x.scale.ends();
            panel.curve(
                canvas,
                &[(low, CHINCHILLA), (high, CHINCHILLA)],
                key::quiet_line(),
            )?;
            let (x, y) = panel.at(high, CHINCHILLA);
            let line = Line::new("20, the rule of thumb", SMALL);
            canvas.text((x - 4.0, y - 3.0), Side::Right, &line, MUTED)?;
        }
        Ok(())
    });
    let caption = format!(
        "{title} at the optimum, against compute, by every method; what to follow is bold, with its 95% \
         interval."
    );
    Some(captioned(name, caption, svg))
}

/// D*/N* with the interval that N*'s carries over along the budget.
fn ratio(minimum: &Minimum) -> Interval {
    let estimate = minimum.d.estimate / minimum.n.estimate;
    let slope = minimum.ln_d_slope - 1.0;
    let at = |n: f64| estimate * (n / minimum.n.estimate).powf(slope);
    let (a, b) = (at(minimum.n.low), at(minimum.n.high));
    Interval {
        estimate,
        low: a.min(b),
        high: a.max(b),
    }
}
