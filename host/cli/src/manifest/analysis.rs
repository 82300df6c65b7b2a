//! `[analysis]`: what to predict, and from which runs.

use flops_fit_scaling::Options;

use super::{
    mistake::Mistake,
    section::{Field, Section},
    value::Value,
};

pub(super) const KEYS: &[&str] = &["targets", "max_repeats"];

pub(super) fn read(section: &Section<'_>) -> Result<Options, Box<Mistake>> {
    let default = Options::default();
    Ok(Options {
        targets: section.or("targets", default.targets, targets)?,
        max_repeats: section.or("max_repeats", default.max_repeats, max_repeats)?,
        ..default
    })
}

fn targets(field: &Field<'_>) -> Result<Vec<f64>, Box<Mistake>> {
    field
        .list("budgets to predict, in FLOPs, such as [1e12, 1e13]")?
        .iter()
        .map(|item| item.number("a number of FLOPs above 0", |x| x > 0.0))
        .collect()
}

fn max_repeats(field: &Field<'_>) -> Result<Option<f64>, Box<Mistake>> {
    match field.node.value {
        Value::Float(float) if float == f64::INFINITY => Ok(None),
        _ => field
            .number("a number above 0, or inf to keep every run", |x| x > 0.0)
            .map(Some),
    }
}
