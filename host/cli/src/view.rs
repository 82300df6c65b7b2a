//! What a sweep looks like while it runs: bars on a terminal, lines elsewhere.
//! All of it goes to standard error; standard output is for results.

mod bars;
mod lines;
mod pace;

use std::io::IsTerminal;

use flops_fit_trial::Outcome;

use crate::sweep::{Observer, Selection};

/// The view that suits standard error.
pub fn of(selection: &Selection) -> Box<dyn Observer> {
    let pace = pace::Pace::new(selection);
    if std::io::stderr().is_terminal() {
        Box::new(bars::Bars::new(pace))
    } else {
        Box::new(lines::Lines::new(pace))
    }
}

/// How a trial ended, in a line.
pub(crate) fn ending(outcome: &Outcome, again: bool) -> String {
    match outcome {
        Outcome::Completed { measured } => {
            let loss = format!("loss {:.4} ± {:.4}", measured.loss, measured.loss_se);
            let metrics = measured.metrics.iter();
            let metrics = metrics.map(|(name, value)| format!(", {name} {value:.4}"));
            std::iter::once(loss).chain(metrics).collect()
        }
        Outcome::Grown { steps, .. } => format!("grown to step {steps}"),
        Outcome::Diverged { step, reason, .. } => format!("diverged at step {step}: {reason}"),
        Outcome::Failed { failure } if again => format!("failed, trying again: {failure}"),
        Outcome::Failed { failure } => format!("failed: {failure}"),
    }
}
