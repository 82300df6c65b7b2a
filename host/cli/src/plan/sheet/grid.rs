//! The grid, a line for each size at each budget.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use flops_fit_scaling::{batch::EXPONENT, quantity};

use super::super::{Plan, PlannedRun, UpcomingTrial};

/// A size at a budget.
struct Line {
    size: i64,
    n: f64,
    d: f64,
    steps: u64,
    c: f64,
    /// Where it is not the same for all.
    units_per_step: Option<u64>,
    /// Absent as long as it is not known.
    lr: Option<f64>,
    seeds: Vec<u64>,
}

impl Line {
    fn of(run: &PlannedRun) -> Self {
        Self {
            size: run.size,
            n: run.n,
            d: run.d,
            steps: run.steps,
            c: run.c,
            units_per_step: run.units_per_step,
            lr: Some(run.lr),
            seeds: Vec::new(),
        }
    }

    fn upcoming(trial: &UpcomingTrial) -> Self {
        Self {
            size: trial.size,
            n: trial.n,
            d: trial.d,
            steps: trial.steps,
            c: trial.c,
            units_per_step: trial.units_per_step,
            lr: None,
            seeds: trial.seeds.clone(),
        }
    }
}

pub(super) fn write(text: &mut String, plan: &Plan) -> fmt::Result {
    let name = &plan.name;
    let open = plan.upcoming.as_ref().filter(|_| plan.rate_is_open());
    let budgets = if let Some(upcoming) = open {
        let flops = quantity::flops(upcoming.flops);
        let count = upcoming.budgets.len();
        // Of an adaptive sweep not even the trials are known.
        let trials: usize = upcoming.trials.iter().map(|trial| trial.seeds.len()).sum();
        let what = match trials {
            0 => format!("{count} budgets, about {flops} FLOPs"),
            _ => format!("{trials} trials over {count} budgets, {flops} FLOPs"),
        };
        writeln!(text, "{name}: {what}, once their learning rate is known")?;
        upcoming_lines(&upcoming.trials)
    } else {
        let (trials, budgets) = (plan.every_run().count(), lines(plan));
        let flops = quantity::flops(plan.flops);
        let count = budgets.len();
        writeln!(
            text,
            "{name}: {trials} trials over {count} budgets, {flops} FLOPs"
        )?;
        budgets
    };
    write!(text, "D counts {}", plan.unit)?;
    if let Some(units) = plan.units_per_step {
        write!(text, "; {units} of them a step")?;
    }
    if let Some(unique) = plan.unique_units {
        write!(text, "; {} unique", quantity::count(unique as f64))?;
    }
    text.push('\n');
    if let Some((batch, d)) = plan
        .batch
        .and_then(|batch| Some((batch, batch.grows_from?)))
    {
        writeln!(
            text,
            "a step sees {} of them where a trial sees {}; in others it goes as D^{EXPONENT}, and lr with the root of that",
            batch.units(),
            quantity::count(d)
        )?;
    }
    if budgets.is_empty() {
        return Ok(());
    }
    rows(text, &plan.size_param, &budgets)
}

fn rows(text: &mut String, size: &str, budgets: &[(f64, Vec<Line>)]) -> fmt::Result {
    let width = size.len().max(6);
    let mut rates = budgets
        .iter()
        .flat_map(|(_, lines)| lines)
        .filter_map(|line| line.lr);
    let first = rates.next();
    // One rate for all is no column.
    let varies = rates.any(|lr| Some(lr) != first);
    let grows = budgets
        .iter()
        .flat_map(|(_, lines)| lines)
        .any(|line| line.units_per_step.is_some());
    let mut heading = String::new();
    if grows {
        write!(heading, "{:>8}  ", "a step")?;
    }
    if varies {
        write!(heading, "{:>9}  ", "lr")?;
    }
    writeln!(
        text,
        "\n{:>9}  {size:>width$}  {:>8}  {:>8}  {:>8}  {:>8}  {:>9}  {heading}seeds",
        "budget", "N", "D", "D/N", "steps", "FLOPs"
    )?;
    for (budget, lines) in budgets {
        let mut label = quantity::flops(*budget);
        for line in lines {
            let seeds: Vec<String> = line.seeds.iter().map(u64::to_string).collect();
            let mut more = String::new();
            if let Some(units) = line.units_per_step {
                write!(more, "{units:>8}  ")?;
            }
            if let Some(lr) = line.lr.filter(|_| varies) {
                write!(more, "{lr:>9}  ")?;
            }
            writeln!(
                text,
                "{label:>9}  {:>width$}  {:>8}  {:>8}  {:>8}  {:>8}  {:>9}  {more}{}",
                line.size,
                quantity::count(line.n),
                quantity::count(line.d),
                quantity::ratio(line.d / line.n),
                line.steps,
                quantity::flops(line.c),
                seeds.join(" ")
            )?;
            label.clear();
        }
        if lines.is_empty() {
            writeln!(text, "{label:>9}  no trainable size")?;
        }
    }
    Ok(())
}

/// The planned sizes of each budget; what is tried again is listed elsewhere.
fn lines(plan: &Plan) -> Vec<(f64, Vec<Line>)> {
    let of = |trials: &[PlannedRun]| {
        let mut lines: BTreeMap<i64, Line> = BTreeMap::new();
        for run in trials.iter().filter(|run| run.retry_of.is_none()) {
            let line = lines.entry(run.size).or_insert_with(|| Line::of(run));
            line.seeds.push(run.seed);
        }
        lines.into_values().collect()
    };
    let budgets = plan.budgets.iter();
    budgets
        .map(|budget| (budget.budget, of(&budget.trials)))
        .collect()
}

fn upcoming_lines(trials: &[UpcomingTrial]) -> Vec<(f64, Vec<Line>)> {
    let mut budgets: Vec<(f64, Vec<Line>)> = Vec::new();
    for trial in trials {
        let same = |(budget, _): &&mut (f64, _)| budget.total_cmp(&trial.budget).is_eq();
        match budgets.iter_mut().find(same) {
            Some((_, lines)) => lines.push(Line::upcoming(trial)),
            None => budgets.push((trial.budget, vec![Line::upcoming(trial)])),
        }
    }
    budgets
}
