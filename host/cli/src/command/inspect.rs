//! `status`: how far a sweep is, from what is on disk alone.

mod trunks;

use std::collections::HashMap;
use std::path::PathBuf;

use flops_fit_scaling::adaptive::Decision;
use flops_fit_scaling::design::{Advice, Proposal, next_run_after};
use flops_fit_scaling::{Run, quantity};
use flops_fit_trial::{ProgressReader, TrialDir, read_bounded};
use serde::Serialize;

use super::{CommandError, print_as, subject};
use crate::{
    args::{Format, Source},
    exit::Exit,
    manifest::Manifest,
    output::Output,
    plan::{Plan, PlannedRun, parse_decisions},
    report::{
        advice::{self, Known},
        runs::{self, Row, Status},
        sheet::{self, Lean, Sheet},
    },
};
use trunks::TrunkState;

#[derive(Serialize)]
struct State {
    output: PathBuf,
    /// Whether a flops-fit is working on it now.
    active: bool,
    completed: usize,
    diverged: usize,
    failed: usize,
    pending: usize,
    /// Share of the FLOPs that have results, in [0, 1].
    done: f64,
    /// What to train next, and whether to.
    advice: Option<Advice>,
    /// Why there is no advice, where there is none.
    no_advice: Option<String>,
    /// What was decided in an adaptive sweep, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    decisions: Vec<Decision>,
    trials: Vec<TrialState>,
    /// What trials share, if they share anything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trunks: Vec<TrunkState>,
}

#[derive(Serialize)]
struct TrialState {
    #[serde(flatten)]
    row: Row,
    /// Optimizer steps done, of a trial that is being trained.
    step: Option<u64>,
}

/// `flops-fit status`.
pub(super) fn status(source: &Source, format: Format) -> Result<Exit, CommandError> {
    let manifest = subject::manifest(source)?;
    let output = Output::at(&manifest.output_dir);
    if !Output::is_one(output.path()) {
        return Err(CommandError::NotPlanned {
            output: output.path().to_owned(),
            manifest: source.path.clone(),
        });
    }
    let plan = Plan::read(&output)?;
    let rows = runs::collect(&output, &plan);
    let advice = advise(&manifest, &plan, &rows);
    let state = look(&output, &plan, rows, advice);
    print_as(format, &state, || render(&plan, &state))?;
    Ok(Exit::Success)
}

/// Which of the plan's sizes to train next, by the runs that are finished; or why that
/// is not known.
fn advise(manifest: &Manifest, plan: &Plan, rows: &[Row]) -> Result<Advice, String> {
    let runs: Vec<Run> = rows.iter().filter_map(Row::to_run).collect();
    let mut fits = next_run_after(&runs, &manifest.analysis, &plan.sizes())
        .map_err(|error| error.to_string())?;
    fits.advice.take().ok_or_else(|| advice::absent(&fits))
}

fn look(output: &Output, plan: &Plan, rows: Vec<Row>, advice: Result<Advice, String>) -> State {
    let (advice, no_advice) = match advice {
        Ok(advice) => (Some(advice), None),
        Err(reason) => (None, Some(reason)),
    };
    let active = output.is_locked();
    let count = |status| rows.iter().filter(|row| row.status == status).count();
    let planned = |row: &Row| {
        let id = row.trial.as_deref()?;
        plan.every_run()
            .find(|(_, run)| run.id.as_str() == id)
            .map(|(_, run)| run)
    };
    let ended = || {
        rows.iter()
            .filter(|row| matches!(row.status, Status::Completed | Status::Diverged))
    };
    let ids = ended().filter_map(|row| row.trial.as_deref()).collect();
    let trunks = trunks::look(output, plan, &ids, active);
    let trained: f64 = ended()
        .filter_map(|row| planned(row).map(PlannedRun::own_flops))
        .sum();
    let done = trained + trunks.iter().map(|trunk| trunk.flops).sum::<f64>();
    State {
        output: output.path().to_owned(),
        active,
        completed: count(Status::Completed),
        diverged: count(Status::Diverged),
        failed: count(Status::Failed),
        pending: count(Status::Pending),
        done: if plan.flops > 0.0 {
            (done / plan.flops).min(1.0)
        } else {
            1.0
        },
        advice,
        no_advice,
        decisions: decisions(output, plan),
        trunks,
        trials: rows
            .into_iter()
            .filter(|row| row.status != Status::Skipped)
            .map(|row| TrialState {
                step: match (active && row.status == Status::Pending, planned(&row)) {
                    (true, Some(run)) => step(&output.trial(&run.id)),
                    _ => None,
                },
                row,
            })
            .collect(),
    }
}

/// The decisions that led to the plan: none as long as the learning rate is open, whatever
/// an earlier plan has left.
fn decisions(output: &Output, plan: &Plan) -> Vec<Decision> {
    if plan.upcoming.is_none() || plan.rate_is_open() {
        return Vec::new();
    }
    parse_decisions(&read_bounded(&output.decisions()).unwrap_or_default())
}

/// The last step that a running trial or trunk has reported.
fn step(dir: &TrialDir) -> Option<u64> {
    let mut reader = ProgressReader::near_end(dir.progress_path());
    reader.poll().last().map(|progress| progress.step)
}

fn render(plan: &Plan, state: &State) -> String {
    let mut sheet = Sheet::new(
        format!(
            "{}: {} completed, {} diverged, {} failed, {} to be trained; {:.0} % of the FLOPs{}",
            plan.name,
            state.completed,
            state.diverged,
            state.failed,
            state.pending,
            100.0 * state.done,
            if state.active { "; running now" } else { "" }
        ),
        &[
            ("trial", Lean::Left),
            ("budget", Lean::Right),
            (&plan.size_param, Lean::Right),
            ("seed", Lean::Right),
            ("N", Lean::Right),
            ("steps", Lean::Right),
            ("state", Lean::Left),
        ],
    );
    for TrialState { row, step } in &state.trials {
        let text = |value: Option<String>| value.unwrap_or_default();
        let rate = match row.lr.filter(|_| row.tuning) {
            Some(lr) => format!(", tuning at lr {lr}"),
            None => String::new(),
        };
        sheet.push([
            text(row.trial.clone()),
            text(row.budget.map(quantity::flops)),
            text(row.size.map(|size| size.to_string())),
            text(row.seed.map(|seed| seed.to_string())),
            text(row.n.map(quantity::count)),
            text(row.steps.map(|steps| steps.to_string())),
            match (row.status, row.loss, step) {
                (Status::Completed, Some(loss), _) => {
                    format!("loss {}{rate}", quantity::loss(loss))
                }
                (Status::Pending, _, Some(step)) => format!("training, step {step}"),
                (status, _, _) => format!("{}{rate}", status.word()),
            },
        ]);
        if let (Some(of), Some(lr)) = (&row.retry_of, row.lr) {
            let trial = text(row.trial.clone());
            sheet
                .remarks
                .push(format!("{trial}: tries {of} again, at lr {lr}; not fitted"));
        }
        // A reason may be pages long; its first line says what happened.
        if let Some(line) = row
            .reason
            .as_deref()
            .and_then(|reason| reason.lines().next())
        {
            sheet
                .remarks
                .push(format!("{}: {line}", text(row.trial.clone())));
        }
    }
    let mut text = sheet.text();
    if !state.trunks.is_empty() {
        text.push('\n');
        text.push_str(&trunks::sheet(plan, &state.trunks).text());
    }
    if let Some(tuning) = &plan.tuning {
        text.push('\n');
        for told in tuning.told() {
            text.push_str(&sheet::paragraph(&told, ""));
        }
    }
    for (round, decision) in (1..).zip(&state.decisions) {
        if round == 1 {
            text.push('\n');
        }
        text.push_str(&sheet::paragraph(&format!("{round}. {decision}"), ""));
    }
    let sentences = match &state.advice {
        Some(advice) => advice::sentences(advice, &plan.unit, &known(plan, state)),
        // A sweep that has hardly begun needs no excuse.
        None if state.completed + state.diverged + state.failed == 0 => Vec::new(),
        None => {
            let reasons = state.no_advice.iter();
            let told = reasons.map(|reason| format!("no advice on the next run: {reason}"));
            told.collect()
        }
    };
    if !sentences.is_empty() {
        text.push('\n');
    }
    text.extend(
        sentences
            .iter()
            .map(|sentence| sheet::paragraph(sentence, "")),
    );
    text
}

/// The runs of the plan that are still to be trained, and those that have been.
fn known(plan: &Plan, state: &State) -> Vec<(Proposal, Known)> {
    let rows = state.trials.iter().map(|trial| &trial.row);
    let known: HashMap<&str, Known> = rows
        .filter_map(|row| {
            let known = match row.status {
                Status::Completed => Known::Trained,
                Status::Pending | Status::Failed => Known::Planned,
                Status::Diverged | Status::Skipped => return None,
            };
            Some((row.trial.as_deref()?, known))
        })
        .collect();
    let fitted = |(_, run): &(_, &PlannedRun)| run.retry_of.is_none();
    let runs = plan.runs().filter(fitted).filter_map(
        |(
            _,
            &PlannedRun {
                ref id, n, d, c, ..
            },
        )| {
            let known = *known.get(id.as_str())?;
            Some((Proposal { n, d, c }, known))
        },
    );
    runs.collect()
}
