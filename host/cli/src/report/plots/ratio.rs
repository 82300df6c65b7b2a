//! Units of data per parameter at the optimum, against compute.

use flops_fit_scaling::isoflop::Minimum;
use flops_fit_scaling::{Interval, Quantity as Predicted};

use super::canvas::{self, Place};
use super::key;
use super::laws::{self, Quantity};
use super::palette::MUTED;
use super::panel::SMALL;
use super::scale::Numbers;
use super::text::{Line, Side};
use super::{Figure, PlotError};
use crate::report::analysis::Analysis;

const PAGE: Place = (330.0, 225.0);

/// Tokens per parameter by the rule of thumb of Hoffmann et al. 2022.
const CHINCHILLA: f64 = 20.0;

pub(super) fn draw(analysis: &Analysis) -> Option<Result<Figure, PlotError>> {
    let law = analysis.fits.recommended.as_ref()?.law?;
    let unit = &analysis.subject.unit;
    let mut title = analysis.ratio_name();
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let quantity = Quantity {
        title: format!("{title} D*/N*"),
        formula: laws::power_law("D*/N*", law.k_d / law.k_n, law.b.estimate - law.a.estimate),
        numbers: Numbers::Decimals,
        minima: laws::minima(analysis)
            .map(|(c, m, index)| (c, ratio(m), index))
            .collect(),
        law: laws::samples(analysis, Predicted::UnitsPerParameter),
        measured: analysis.fits.measured()?,
        budgets: analysis.fits.budgets.len(),
    };
    let name = if unit == "tokens" {
        "tokens_per_parameter"
    } else {
        "units_per_parameter"
    };
    let svg = canvas::page(
        PAGE,
        &format!("{}: {title}", analysis.subject.sweep),
        |canvas| {
            key::row(canvas, (50.0, 2.0), &laws::entries())?;
            let panel = quantity.panel((50.0, PAGE.0 - 10.0), (22.0, PAGE.1 - 36.0));
            quantity.draw(canvas, &panel)?;
            if unit == "tokens" && panel.y.scale.contains(CHINCHILLA) {
                let (low, high) = panel.x.scale.ends();
                panel.curve(
                    canvas,
                    &[(low, CHINCHILLA), (high, CHINCHILLA)],
                    key::quiet_line(),
                )?;
                let (x, y) = panel.at(low, CHINCHILLA);
                let line = Line::new("20, the rule of thumb", SMALL);
                canvas.text((x + 6.0, y - 3.0), Side::Left, &line, MUTED)?;
            }
            Ok(())
        },
    );
    Some(
        svg.map(|svg| Figure {
            name,
            caption: format!("{title} at the optimum, against compute."),
            svg,
        })
        .map_err(|source| PlotError::Draw {
            figure: name,
            source,
        }),
    )
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
