//! What to make of the two studies, in words that say what to do.

use flops_fit_scaling::quantity;
use flops_fit_trial::CheckStatus;
use serde::Serialize;

use super::{Coordinates, Curve};
use crate::manifest::Manifest;

/// Factor by which the best rate may move, or `train.lr` miss it: neighbouring rates of
/// the search are as far apart, and a loss is flat around its minimum.
const FACTOR: f64 = 2.0;

/// Steepest slope of outputs' change that counts as none.
const LEVEL: f64 = 0.15;

/// How the best rate moves between the smallest and the largest size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Shift {
    /// The two sizes.
    pub sizes: [i64; 2],
    /// The best rate of the larger one over that of the smaller one.
    pub factor: f64,
    /// The least and the greatest that single seeds give.
    pub between: [f64; 2],
    /// As a power of the size: ln factor over ln of the sizes' ratio.
    pub exponent: f64,
    /// The smallest and the largest size of the sweep.
    pub sweep: [i64; 2],
    /// That power over all of the sweep: a guess, beyond the sizes compared.
    pub over_sweep: f64,
}

/// What was found about one thing, and what to do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// `learning_rate` or `coordinates`.
    pub about: &'static str,
    /// How it came out.
    pub status: CheckStatus,
    /// What was found.
    pub found: String,
    /// What to do, unless it is as it should be.
    pub fix: Option<String>,
}

impl Shift {
    /// Between the ends of `curves`, which ascend in size; `None` where one of them has
    /// no best rate.
    pub(super) fn of(curves: &[Curve], sweep: &[i64]) -> Option<Self> {
        let [first, .., last] = curves else {
            return None;
        };
        let (small, large) = (first.best?, last.best?);
        let factor = large.lr / small.lr;
        let ratio = last.size as f64 / first.size as f64;
        let exponent = factor.ln() / ratio.ln();
        let sweep = [
            *sweep.first().unwrap_or(&first.size),
            *sweep.last().unwrap_or(&last.size),
        ];
        Some(Self {
            sizes: [first.size, last.size],
            factor,
            between: [
                large.between[0] / small.between[1],
                large.between[1] / small.between[0],
            ],
            exponent,
            sweep,
            over_sweep: (sweep[1] as f64 / sweep[0] as f64).powf(exponent),
        })
    }
}

/// The worst of them.
pub(super) fn worst(verdicts: &[Verdict]) -> CheckStatus {
    let statuses = verdicts.iter().map(|verdict| verdict.status);
    statuses.max().unwrap_or(CheckStatus::Skip)
}

pub(super) fn all(
    manifest: &Manifest,
    steps: u64,
    curves: &[Curve],
    shift: Option<&Shift>,
    coordinates: Option<&Coordinates>,
) -> Vec<Verdict> {
    let what = &manifest.model.size_param;
    let rate = match (curves.iter().find(|curve| curve.best.is_none()), shift) {
        (None, Some(shift)) => of_rates(manifest.train.lr.typical(), what, curves, shift),
        (open, _) => of_open(what, steps, open),
    };
    vec![rate, of_coordinates(what, coordinates)]
}

const RATE: &str = "learning_rate";

/// No minimum was found at a size.
fn of_open(what: &str, steps: u64, open: Option<&Curve>) -> Verdict {
    let (size, ends) = open.map_or((0, None), |curve| {
        let ends = curve.rates.first().zip(curve.rates.last());
        (curve.size, ends.map(|(low, high)| (low.lr, high.lr)))
    });
    let (low, high) = ends.unwrap_or_default();
    Verdict {
        about: RATE,
        status: CheckStatus::Warn,
        found: format!(
            "{what} {size}: the loss has no minimum between rates {} and {} in {steps} steps",
            short(low),
            short(high)
        ),
        fix: Some(
            "set train.lr nearer to the best rate; or train for longer with --steps, where the model has hardly learnt anything yet"
                .to_owned(),
        ),
    }
}

fn of_rates(lr: f64, what: &str, curves: &[Curve], shift: &Shift) -> Verdict {
    let within = |factor: f64| (1.0 / FACTOR..=FACTOR).contains(&factor);
    let best: Vec<(i64, f64)> = curves
        .iter()
        .filter_map(|curve| Some((curve.size, curve.best?.lr)))
        .collect();
    let listed: Vec<String> = best
        .iter()
        .map(|(size, lr)| format!("{} at {size}", short(*lr)))
        .collect();
    let lost = curves
        .iter()
        .filter_map(|curve| curve.lost)
        .fold(None, |most: Option<f64>, lost| {
            Some(most.map_or(lost, |m| m.max(lost)))
        });
    let lost = lost.map_or_else(
        || "diverges at a size".to_owned(),
        |lost| format!("costs up to {} of loss", quantity::loss(lost.max(0.0))),
    );
    let found = format!(
        "the best rate is {} ({what}^{:+.2}); train.lr = {} {lost}",
        listed.join(", "),
        shift.exponent,
        short(lr)
    );
    if !within(shift.factor) {
        let doubt = if shift.between.iter().any(|factor| within(*factor)) {
            "; single seeds disagree on that, more of them (sweep.seeds) or --steps would tell"
        } else {
            ""
        };
        let found = format!(
            "{found}. It moves by a factor of {} from {what} {} to {}, and by {} over the sweep's {} to {} if it goes on like that: sizes far from where train.lr fits look worse than they are, and the optimal size comes out wrong{doubt}",
            short(shift.factor),
            shift.sizes[0],
            shift.sizes[1],
            short(shift.over_sweep),
            shift.sweep[0],
            shift.sweep[1]
        );
        return warning(
            found,
            "let each parameter's lr_scale and initial scale follow its fan-in, as u-μP does (docs/plugins.md), or sweep a narrower range of sizes",
        );
    }
    let middle = best.iter().map(|(_, lr)| lr.ln()).sum::<f64>() / best.len() as f64;
    let middle = middle.exp();
    if !within(lr / middle) {
        let found = format!("{found}. One rate serves all sizes, but this one is not it");
        return warning(found, &format!("set train.lr = {}", short(middle)));
    }
    Verdict {
        about: RATE,
        status: CheckStatus::Pass,
        found: format!("{found}: one rate serves all sizes"),
        fix: None,
    }
}

fn warning(found: String, fix: &str) -> Verdict {
    Verdict {
        about: RATE,
        status: CheckStatus::Warn,
        found,
        fix: Some(fix.to_owned()),
    }
}

fn of_coordinates(what: &str, coordinates: Option<&Coordinates>) -> Verdict {
    let verdict = |status, found: String, fix: Option<&str>| Verdict {
        about: "coordinates",
        status,
        found,
        fix: fix.map(str::to_owned),
    };
    let Some(coordinates) = coordinates else {
        let why = "not made: only the outputs of plugins can be looked at";
        return verdict(CheckStatus::Skip, why.to_owned(), None);
    };
    let steps = coordinates.steps;
    let Some(slope) = coordinates.slope else {
        let still = |moves: &&super::SizeMoves| {
            (moves.changes.len() as u64) < steps || moves.changes.last() == Some(&0.0)
        };
        let at = coordinates.sizes.iter().find(still);
        let found = at.map_or_else(String::new, |moves| {
            format!(
                "{what} {}: outputs are no finite numbers, or have not moved, after step {}",
                moves.size,
                moves.changes.len() + 1
            )
        });
        let fix = "lower train.lr; `flops-fit check` without --transfer says whether every parameter learns";
        return verdict(CheckStatus::Warn, found, Some(fix));
    };
    let found =
        format!("in {steps} steps outputs change by an RMS that goes as {what}^{slope:+.2}");
    if slope.abs() < LEVEL {
        return verdict(CheckStatus::Pass, found, None);
    }
    let (more, fix) = if slope > 0.0 {
        (
            "the larger the model, the further a step goes",
            "let the steps of wide matrices be smaller: in u-μP a hidden matrix' Adam step goes as 1/fan_in, the readout's too",
        )
    } else {
        (
            "the larger the model, the less a step does",
            "some parameter's step or initial scale falls too fast with the size; the readout's step as 1/fan_in and no faster",
        )
    };
    verdict(CheckStatus::Warn, format!("{found}: {more}"), Some(fix))
}

/// Two significant digits, without an exponent where it is short.
pub(super) fn short(value: f64) -> String {
    if !(1e-4..1e4).contains(&value.abs()) {
        return format!("{value:.1e}");
    }
    let decimals = (1.0 - value.abs().log10().floor()).max(0.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}
