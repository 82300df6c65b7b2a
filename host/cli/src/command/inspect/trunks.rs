//! How far the trunks of a sweep are.

use std::collections::HashSet;

use flops_fit_scaling::quantity;
use flops_fit_trial::Outcome;
use serde::Serialize;

use super::step;
use crate::{
    output::Output,
    plan::{Plan, PlannedTrunk},
    report::sheet::{Lean, Sheet},
};

/// One trunk.
#[derive(Serialize)]
pub(super) struct TrunkState {
    #[serde(flatten)]
    trunk: PlannedTrunk,
    /// Its last step that branches of the plan can leave from, or 0.
    grown: u64,
    /// Optimizer steps done, if it is being trained.
    step: Option<u64>,
    /// FLOPs up to `grown`.
    pub(super) flops: f64,
    /// Why it is no further, if it failed or diverged.
    reason: Option<String>,
}

/// `ended` are the ids of trials that have ended: what they left was there.
pub(super) fn look(
    output: &Output,
    plan: &Plan,
    ended: &HashSet<&str>,
    active: bool,
) -> Vec<TrunkState> {
    let state = |trunk: &PlannedTrunk| {
        let dir = output.trunk(&trunk.id);
        let there = dir.branches();
        let runs = plan.runs().filter_map(|(_, run)| {
            let branch = run.branch.as_ref()?;
            let done = ended.contains(run.id.as_str()) || there.has(branch.step);
            (done && branch.trunk == trunk.id).then_some(branch.step)
        });
        let grown = runs.max().unwrap_or(0);
        let last = trunk.branches.last().copied().unwrap_or(1);
        let result = dir.result().ok().flatten();
        TrunkState {
            step: step(&dir).filter(|_| active && grown < last && result.is_none()),
            reason: result.and_then(|result| match result.outcome {
                Outcome::Failed { failure } => Some(failure.to_string()),
                Outcome::Diverged { step, reason, .. } => Some(format!("step {step}: {reason}")),
                Outcome::Grown { .. } | Outcome::Completed { .. } => None,
            }),
            flops: trunk.c * grown as f64 / last as f64,
            grown,
            trunk: trunk.clone(),
        }
    };
    plan.trunks.iter().map(state).collect()
}

pub(super) fn sheet(plan: &Plan, trunks: &[TrunkState]) -> Sheet {
    let mut sheet = Sheet::new(
        format!(
            "{} trunks, which trials share up to where they cool down",
            trunks.len()
        ),
        &[
            ("trunk", Lean::Left),
            (&plan.size_param, Lean::Right),
            ("seed", Lean::Right),
            ("N", Lean::Right),
            ("branches leave after steps", Lean::Left),
            ("grown to", Lean::Right),
            ("state", Lean::Left),
        ],
    );
    for state in trunks {
        let trunk = &state.trunk;
        let leave: Vec<String> = trunk.branches.iter().map(u64::to_string).collect();
        let word = match (&state.reason, state.step) {
            (Some(_), _) => "ended early".to_owned(),
            (None, Some(step)) => format!("training, step {step}"),
            (None, None) if trunk.branches.last() == Some(&state.grown) => "done".to_owned(),
            (None, None) => "pending".to_owned(),
        };
        sheet.push([
            trunk.id.to_string(),
            trunk.size.to_string(),
            trunk.seed.to_string(),
            quantity::count(trunk.n),
            leave.join(" "),
            state.grown.to_string(),
            word,
        ]);
        let reason = state.reason.as_deref();
        if let Some(line) = reason.and_then(|reason| reason.lines().next()) {
            sheet.remarks.push(format!("{}: {line}", trunk.id));
        }
    }
    sheet
}
