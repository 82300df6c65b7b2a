//! The plan as text.

mod grid;

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use flops_fit_scaling::{
    grid::SkipReason,
    learning_rate::{EXTENSIONS, Transfer},
    quantity,
};

use super::{Basis, Estimate, Outlook, Plan, tuning};
use crate::{
    output::Output,
    time::{about, duration},
};

/// The grid, what was left out, what to beware of, what it is worth where that was
/// asked, and the cost.
pub fn render(
    plan: &Plan,
    estimate: &Estimate,
    outlook: Option<&Outlook>,
    output: &Output,
) -> String {
    let mut text = String::new();
    write(&mut text, plan, estimate, outlook, output).expect("a string takes all text");
    text
}

fn write(
    text: &mut String,
    plan: &Plan,
    estimate: &Estimate,
    outlook: Option<&Outlook>,
    output: &Output,
) -> fmt::Result {
    grid::write(text, plan)?;
    tuning(text, plan)?;
    upcoming(text, plan)?;
    trunks(text, plan)?;
    retries(text, plan)?;
    skipped(text, plan)?;
    if !plan.warnings.is_empty() {
        text.push('\n');
        for warning in &plan.warnings {
            writeln!(text, "warning: {warning}")?;
        }
    }
    if let Some(outlook) = outlook {
        write!(text, "\n{}", outlook.text())?;
    }
    writeln!(text, "\n{}", cost(estimate))?;
    writeln!(text, "output: {}", output.path().display())
}

/// The trials that tune the learning rate, and what they have found.
fn tuning(text: &mut String, plan: &Plan) -> fmt::Result {
    let Some(tuning) = &plan.tuning else {
        return Ok(());
    };
    writeln!(
        text,
        "\nlearning rate: tuned by {} trials, {} FLOPs, {:.1} % of the sweep's",
        tuning.trials(),
        quantity::flops(tuning.flops),
        100.0 * tuning.share
    )?;
    for budget in &tuning.budgets {
        for (size, rates) in tuning::rates_by_point(budget) {
            let rates: Vec<String> = rates.iter().map(f64::to_string).collect();
            let at = quantity::flops(budget.budget);
            writeln!(text, "  {size} at {at}: lr {}", rates.join(", "))?;
        }
    }
    let transfer = match tuning.tuned.transfer {
        Transfer::OneRate => "one rate for all trials",
        Transfer::Law => "a law of the rate in N and D",
    };
    let because = &tuning.tuned.because;
    match tuning.tuned.settled() {
        Some(settled) => writeln!(text, "  {transfer}, {because}: lr {settled}"),
        None => writeln!(
            text,
            "  then {transfer}, {because}; where the lowest loss is at an end of the rates, up to {EXTENSIONS} more"
        ),
    }
}

/// What an adaptive sweep lays out later.
fn upcoming(text: &mut String, plan: &Plan) -> fmt::Result {
    let Some(upcoming) = plan
        .upcoming
        .as_ref()
        .filter(|more| !more.budgets.is_empty() && more.trials.is_empty())
    else {
        return Ok(());
    };
    let budgets: Vec<String> = upcoming
        .budgets
        .iter()
        .copied()
        .map(quantity::flops)
        .collect();
    writeln!(
        text,
        "\nafter these, by what they say: {}, about {} FLOPs more; a budget without a minimum gets more sizes{}",
        budgets.join(", "),
        quantity::flops(upcoming.flops),
        if upcoming.may_end_early {
            ", and the sweep ends once analysis.wish is fulfilled"
        } else {
            ""
        }
    )
}

/// What trials share, and what that saves.
fn trunks(text: &mut String, plan: &Plan) -> fmt::Result {
    let Some(longest) = plan.trunks.iter().map(|trunk| trunk.warmup_steps).max() else {
        return Ok(());
    };
    let alone = plan.flops_alone();
    writeln!(
        text,
        "\ntrunks: {}, which {} trials leave to cool down; {} FLOPs in place of {}, {:.1} % less; warm-up of {longest} steps",
        plan.trunks.len(),
        plan.runs().filter(|(_, run)| run.branch.is_some()).count(),
        quantity::flops(plan.flops),
        quantity::flops(alone),
        100.0 * (1.0 - plan.flops / alone),
    )
}

/// Trials that diverged and are tried again.
fn retries(text: &mut String, plan: &Plan) -> fmt::Result {
    let retries: Vec<String> = plan
        .runs()
        .filter(|(_, run)| run.retry_of.is_some())
        .map(|(budget, run)| {
            format!(
                "  {} at {}, seed {}: lr {}",
                run.size,
                quantity::flops(budget.budget),
                run.seed,
                run.lr
            )
        })
        .collect();
    if retries.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "\ndiverged, tried again once with half the learning rate, and left out of the fit:\n{}",
        retries.join("\n")
    )
}

/// Skipped sizes; what the model refuses is said once, not at every budget.
fn skipped(text: &mut String, plan: &Plan) -> fmt::Result {
    let mut refused = BTreeMap::new();
    let mut lines = Vec::new();
    for budget in &plan.budgets {
        for skipped in &budget.skipped {
            match &skipped.reason {
                reason @ SkipReason::Refused { .. } => {
                    refused.insert(skipped.size, reason.to_string());
                }
                reason => lines.push(format!(
                    "  {} at {}: {reason}",
                    skipped.size,
                    quantity::flops(budget.budget)
                )),
            }
        }
    }
    if let Some((first, reason)) = refused.first_key_value() {
        let line = match refused.len() {
            1 => format!("  {first}: {reason}"),
            count => format!("  {first} and {} more: {reason}", count - 1),
        };
        lines.insert(0, line);
    }
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(text, "\nskipped sizes:")?;
    lines.iter().try_for_each(|line| writeln!(text, "{line}"))
}

fn cost(estimate: &Estimate) -> String {
    if estimate.trials == 0 {
        return "nothing left to train".to_owned();
    }
    let basis = match estimate.basis {
        Basis::Measured { trials } => format!("by the rates of {trials} finished trials"),
        Basis::Guessed => "a rule of thumb for CPU cores, nothing measured yet".to_owned(),
        Basis::Simulated => {
            return format!(
                "to simulate: {} trials, which would cost {} FLOPs",
                estimate.trials,
                quantity::flops(estimate.flops)
            );
        }
    };
    format!(
        "to train: {} trials, {} FLOPs, {} (between {} and {}; {basis})",
        estimate.trials,
        quantity::flops(estimate.flops),
        about(estimate.seconds),
        duration(estimate.low),
        duration(estimate.high)
    )
}
