//! A trial whose loss is a law's: the same files as any other, at once.

use flops_fit_scaling::{learning_rate::RateLaw, simulate::Truth};
use flops_fit_trial::{
    DocumentError, Environment, FORMAT, Measured, Outcome, Progress, ProgressWriter, RateEffect,
    Simulation, Stage, Timing, TrialResult, TrialSpec,
};

use super::Trial;

/// Draws the loss of `trial` from `simulation` and writes its files.
pub(super) fn train(trial: &Trial, simulation: &Simulation) -> Result<Outcome, DocumentError> {
    let (dir, spec) = (&trial.dir, &trial.spec);
    dir.clear()?;
    dir.write_spec(spec)?;
    let outcome = match diverged(spec, simulation) {
        Some(reason) => Outcome::Diverged {
            step: spec.recipe.steps,
            loss: None,
            reason,
        },
        None => Outcome::Completed {
            measured: simulate(spec, trial.unique_units, simulation),
        },
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
    let noisy = truth.noisy_loss(n, d, simulation.noise, simulation.seed, spec.id.number());
    let loss = noisy
        + simulation.lr.map_or(0.0, |effect| {
            effect.curvature * off(spec, &effect).ln().powi(2)
        });
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

/// The trial's rate as a multiple of the best one.
fn off(spec: &TrialSpec, effect: &RateEffect) -> f64 {
    let best = RateLaw {
        lr: effect.best,
        n: effect.n,
        d: effect.d,
        n_exponent: effect.n_exponent,
        d_exponent: effect.d_exponent,
    };
    let (n, d) = (spec.run.declared_n as f64, spec.recipe.units as f64);
    spec.recipe.train.lr / best.at(n, d)
}

/// Why a simulated trial diverges, if it does.
fn diverged(spec: &TrialSpec, simulation: &Simulation) -> Option<String> {
    let effect = simulation.lr?;
    let off = off(spec, &effect);
    (off >= effect.diverges).then(|| {
        format!(
            "its learning rate is {off:.1} times the best one, and trainer.lr.diverges = {}",
            effect.diverges
        )
    })
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
