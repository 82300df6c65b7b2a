//! A trial whose loss is a law's: the same files as any other, at once.

use flops_fit_scaling::simulate::Truth;
use flops_fit_trial::{
    DocumentError, Environment, FORMAT, Measured, Outcome, Progress, ProgressWriter, Simulation,
    Stage, Timing, TrialResult, TrialSpec,
};

use super::Trial;

/// Draws the loss of `trial` from `simulation` and writes its files.
pub(super) fn train(trial: &Trial, simulation: &Simulation) -> Result<Outcome, DocumentError> {
    let (dir, spec) = (&trial.dir, &trial.spec);
    dir.clear()?;
    dir.write_spec(spec)?;
    let outcome = Outcome::Completed {
        measured: simulate(spec, trial.unique_units, simulation),
    };
    report(trial).map_err(|source| DocumentError::Io {
        action: "writing",
        path: dir.progress_path(),
        source,
    })?;
    dir.write_result(&TrialResult {
        format: FORMAT,
        id: spec.id.clone(),
        outcome: outcome.clone(),
        environment: Environment {
            worker: format!("simulated by flops-fit {}", env!("CARGO_PKG_VERSION")),
            attempt: spec.run.attempt,
            ..Environment::default()
        },
        timing: Timing::default(),
    })?;
    Ok(outcome)
}

/// What a simulated trial is said to have measured. Its noise depends on the
/// simulation's seed and the trial's id alone.
pub fn simulate(spec: &TrialSpec, unique: Option<u64>, simulation: &Simulation) -> Measured {
    let (n, d) = (spec.run.declared_n as f64, spec.recipe.units as f64);
    let c = spec.run.flops_per_unit * d;
    let law = &simulation.law;
    let truth = Truth::new(law.e, law.a, law.alpha, law.b, law.beta);
    let loss = truth.noisy_loss(n, d, simulation.noise, simulation.seed, spec.id.number());
    Measured {
        n,
        counts: spec.run.counts.clone(),
        d,
        c,
        // Nothing was paid for it.
        spent: 0.0,
        unique: unique.map(|unique| unique as f64),
        loss,
        loss_se: 0.0,
        metrics: std::collections::BTreeMap::new(),
        train_loss: loss,
        lr: spec.recipe.train.lr,
        steps: spec.recipe.steps,
        eval_units: spec.recipe.train.eval_units,
    }
}

fn report(trial: &Trial) -> std::io::Result<()> {
    let recipe = &trial.spec.recipe;
    let mut writer = ProgressWriter::create(&trial.dir.progress_path())?;
    writer.write(&Progress {
        at: 0.0,
        time: None,
        stage: Stage::Evaluate,
        step: recipe.steps,
        steps: recipe.steps,
        units: recipe.units,
        loss: None,
        lr: 0.0,
        grad_norm: None,
        units_per_second: None,
        flops_per_second: None,
        gemm_share: None,
    })
}
