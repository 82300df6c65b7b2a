//! The result that a program of the user's leaves: read, completed, sealed.
//!
//! A program writes what it measured and no checksum. Its word counts once it is
//! whole and is this trial's; from then on `result.json` is as any other trial's.

use std::time::Duration;

use flops_fit_trial::{
    DocumentError, Environment, FORMAT, Failure, Outcome, ProgramResult, Timing, TrialResult,
};

use super::{Trial, select::libraries};

/// Seals what the program has left; `None` if that is nothing, or was sealed before.
/// Of a program that `took` so long, what can't be used is a failed trial; what was
/// there before is left as it is.
///
/// # Errors
/// If the file can't be read or written.
pub(super) fn seal(
    trial: &Trial,
    took: Option<Duration>,
) -> Result<Option<Outcome>, DocumentError> {
    let text = match trial.dir.unsealed_result() {
        Ok(Some(text)) => text,
        Ok(None) => return Ok(None),
        Err(error) if error.is_foreign() => return Ok(None),
        Err(error) => return Err(error),
    };
    let spec = &trial.spec;
    let name = trial.program();
    let read = ProgramResult::parse(&text);
    let timing = match &read {
        Ok(ProgramResult {
            timing: Some(timing),
            ..
        }) => *timing,
        _ => Timing {
            train: took.unwrap_or_default().as_secs_f64(),
            ..Timing::default()
        },
    };
    let concluded = read.and_then(|result| result.conclude(spec, trial.unique_units, &name));
    let outcome = match (concluded, took) {
        (Ok(outcome), _) => outcome,
        (Err(_), None) => return Ok(None),
        (Err(problem), Some(_)) => Outcome::Failed {
            failure: Failure::ProgramFile {
                program: name,
                file: "result.json".to_owned(),
                problem,
            },
        },
    };
    let model = &spec.recipe.model;
    trial.dir.write_result(&TrialResult {
        format: FORMAT,
        id: spec.id.clone(),
        outcome: outcome.clone(),
        environment: Environment {
            worker: format!("{} {}", model.plugin, model.version),
            libraries: libraries(spec),
            ..Environment::planned(&spec.run)
        },
        timing,
    })?;
    Ok(Some(outcome))
}
