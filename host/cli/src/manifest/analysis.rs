//! `[analysis]`: what to predict, and from which runs.

use flops_fit_scaling::design::Wish;
use flops_fit_scaling::{Bootstrap, Method, Options, Price, PriceError, Scheme};

use super::{
    mistake::Mistake,
    section::{Field, Section},
    value::Value,
};
use crate::args::check_draws;

pub(super) const KEYS: &[&str] = &[
    "targets",
    "method",
    "draws",
    "scheme",
    "seed",
    "drop_worst",
    "quality_checks",
    "max_repeats",
    "price",
    "wish",
    "prior",
];

/// The words for a bootstrap's schemes.
pub(super) const SCHEMES: [(&str, Scheme); 2] =
    [("wild", Scheme::WildCluster), ("pair", Scheme::Pair)];

pub(super) fn read(section: &Section<'_>) -> Result<Options, Box<Mistake>> {
    let default = Options::default();
    let bootstrap = Bootstrap {
        draws: section.or("draws", default.bootstrap.draws, draws)?,
        scheme: section.or("scheme", default.bootstrap.scheme, |field| {
            field.word(&SCHEMES)
        })?,
        seed: section.or("seed", default.bootstrap.seed, |field| {
            Ok(field.whole(0)?.unsigned_abs())
        })?,
        ..default.bootstrap
    };
    Ok(Options {
        targets: section.or("targets", default.targets, targets)?,
        max_repeats: section.or("max_repeats", default.max_repeats, max_repeats)?,
        quality_checks: section.or("quality_checks", default.quality_checks, Field::truth)?,
        drop_worst: section.or("drop_worst", default.drop_worst, |field| {
            Ok(field.whole(0)?.unsigned_abs() as usize)
        })?,
        method: section.maybe("method", |field| {
            field.word(&Method::ALL.map(|method| (method.name(), method)))
        })?,
        bootstrap,
        price: section.maybe("price", price)?,
        wish: section.or("wish", default.wish, wish)?,
    })
}

fn draws(field: &Field<'_>) -> Result<usize, Box<Mistake>> {
    let draws = field.whole(0)?.unsigned_abs();
    check_draws(draws).map_err(|expected| field.unacceptable(expected))
}

fn targets(field: &Field<'_>) -> Result<Vec<f64>, Box<Mistake>> {
    field
        .list("budgets to predict, in FLOPs, such as [1e12, 1e13]")?
        .iter()
        .map(|item| item.flops("a number of FLOPs above 0", |_| true))
        .collect()
}

fn price(field: &Field<'_>) -> Result<Price, Box<Mistake>> {
    let text = field.text(PriceError::EXPECTED)?;
    text.parse()
        .map_err(|_| field.unacceptable(PriceError::EXPECTED))
}

fn wish(field: &Field<'_>) -> Result<Wish, Box<Mistake>> {
    let expected = "a table such as { n = 1.2, loss = 0.01 }";
    let table = field.table(expected, &["n", "loss"])?;
    let factor = "the factor within which N* is to be known, above 1, such as 1.2";
    let loss = "how near L* is to be known, a number above 0, in units of the loss";
    Ok(Wish {
        n: table.maybe("n", |field| field.number(factor, |x| x > 1.0))?,
        loss: table.maybe("loss", |field| field.number(loss, |x| x > 0.0))?,
    })
}

fn max_repeats(field: &Field<'_>) -> Result<Option<f64>, Box<Mistake>> {
    match field.node.value {
        Value::Float(float) if float == f64::INFINITY => Ok(None),
        _ => field
            .number("a number above 0, or inf to keep every run", |x| x > 0.0)
            .map(Some),
    }
}
