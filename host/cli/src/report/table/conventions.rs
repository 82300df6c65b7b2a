//! The answer as other conventions of N and C have it.

use flops_fit_scaling::ConventionFit;
use flops_fit_scaling::conventions::ComputeCount;
use flops_fit_scaling::quantity::{count, flops, loss};

use super::numbers::{exponent, plain};
use crate::report::analysis::Analysis;
use crate::report::sheet::{Cell, Lean, Sheet};

/// A row for each method under each convention; `None` where the runs carry one.
pub(super) fn conventions(analysis: &Analysis) -> Option<Sheet> {
    let fits = &analysis.fits.conventions;
    if fits.is_empty() {
        return None;
    }
    let counted = fits
        .iter()
        .find(|fit| fit.convention.c == ComputeCount::Counted);
    let mut sheet = Sheet::new(
        "Other conventions of N and C",
        &[
            ("N", Lean::Left),
            ("C", Lean::Left),
            ("method", Lean::Left),
            ("a", Lean::Right),
            ("b", Lean::Right),
            ("C there", Lean::Right),
            ("N* there", Lean::Right),
            ("D*", Lean::Right),
            ("L*", Lean::Right),
            ("N* here", Lean::Right),
        ],
    );
    sheet.rows = fits.iter().map(row).collect();
    if let Some(counted) = counted {
        sheet.remarks.push(format!(
            "the optimum that costs {} FLOPs as the runs count them; there: in that convention's counts; \
             here: the same size in the N of the other tables",
            flops(counted.at.c)
        ));
    }
    Some(sheet)
}

fn row(fit: &ConventionFit) -> Vec<Cell> {
    let convention = &fit.convention;
    vec![
        convention.n.as_deref().unwrap_or("as here").into(),
        match convention.c {
            ComputeCount::Counted => "as here",
            ComputeCount::SixNd => "6·N·D",
        }
        .into(),
        fit.method.name().into(),
        plain(fit.a, exponent),
        plain(fit.b, exponent),
        plain(fit.at.c, flops),
        plain(fit.at.n, count),
        plain(fit.at.d, count),
        plain(fit.at.loss, loss),
        plain(fit.n, count),
    ]
}
