//! The selection in a sentence.

use std::collections::BTreeMap;

use crate::holdout::Holdout;
use crate::method::Method;

/// What is followed, with the figures that made it so.
pub(super) fn sentence(weights: &BTreeMap<Method, f64>, holdout: Option<&Holdout>) -> String {
    let share = |(method, weight): (&Method, &f64)| format!("{method} ({:.0} %)", 100.0 * weight);
    let mut by_weight: Vec<(&Method, &f64)> = weights.iter().collect();
    by_weight.sort_by(|a, b| b.1.total_cmp(a.1));
    let what = match by_weight.as_slice() {
        [(method, _)] => format!("{method} alone"),
        several => {
            let shares: Vec<String> = several.iter().map(|&one| share(one)).collect();
            format!("the average of {}", shares.join(", "))
        }
    };
    let Some(holdout) = holdout else {
        return format!(
            "{what}: too few budgets for a hold-out, so by the errors in simulated sweeps like \
             this one"
        );
    };
    let mut scores: Vec<(&Method, f64, f64)> = holdout
        .scores
        .iter()
        .map(|(method, score)| (method, score.regret, score.ln_n_error))
        .collect();
    scores.sort_by(|a, b| a.1.total_cmp(&b.1));
    let scores: Vec<String> = scores
        .into_iter()
        .map(|(method, regret, error)| format!("{method} {regret:.4} (×/÷ {:.2})", error.exp()))
        .collect();
    let tests = holdout.tests().count();
    format!(
        "{what}: by the errors in simulated sweeps like this one and {tests} hold-out test{}, \
         where mean regret (error of N*) was {}",
        if tests == 1 { "" } else { "s" },
        scores.join(", ")
    )
}
