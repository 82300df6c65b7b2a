//! How often each method's 95 % interval holds the true N*, over many seeds of a
//! simulated sweep.
//!
//!     cargo run --release -p flops-fit --example simulated_coverage -- \
//!         examples/simulated/manifest.toml [target FLOPs] [seeds] [draws]
//!
//! Every sweep is planned from the manifest and its losses are those that the simulated
//! trainer gives; only the trial folders are left out.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the table is the result; progress beside it"
)]

use std::{collections::BTreeMap, error::Error, num::NonZero, path::Path};

use flops_fit::{
    Manifest,
    interrupt::Interrupt,
    plan,
    sweep::{Rebuilt, simulate},
    trainer::Trainer,
};
use flops_fit_scaling::{
    Bootstrap, Frontier as _, Options, Prediction, Run, analyze, median::median, simulate::Truth,
};

/// The recommendation, beside the methods.
const RECOMMENDED: &str = "recommended";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("name a manifest")?;
    let mut number = |default: f64| arguments.next().map_or(Ok(default), |text| text.parse());
    let (target, seeds, draws) = (
        number(1e24)?,
        number(200.0)? as u64,
        number(199.0)? as usize,
    );
    let mut found: BTreeMap<String, Vec<Prediction>> = BTreeMap::new();
    let mut truth = None;
    for seed in 0..seeds {
        let (law, runs) = sweep(&path, seed)?;
        truth = Some(law);
        let options = Options {
            targets: vec![target],
            bootstrap: Bootstrap {
                draws,
                seed,
                threads: NonZero::new(1),
                ..Bootstrap::default()
            },
            ..Options::default()
        };
        let analysis = analyze(&runs, &options)?;
        for (method, law) in analysis.laws() {
            let prediction = law.predictions[0].clone();
            found
                .entry(method.to_string())
                .or_default()
                .push(prediction);
        }
        if let Some(prediction) = analysis.predictions.first() {
            let recommended = found.entry(RECOMMENDED.to_owned()).or_default();
            recommended.push(prediction.clone());
        }
        if seed % 20 == 19 {
            eprintln!("{} of {seeds}", seed + 1);
        }
    }
    let truth = truth.ok_or("no seeds")?.optimum(target).n;
    println!("true N* at {target:e} FLOPs: {truth:.4e}; {seeds} seeds, {draws} draws\n");
    println!("| method | sweeps | holds N* | median width |\n|---|---:|---:|---:|");
    for (name, predictions) in found {
        let intervals = || predictions.iter().filter_map(|one| Some(one.ci95?.n));
        let count = intervals().count();
        let held = intervals().filter(|[low, high]| (*low..=*high).contains(&truth));
        println!(
            "| {name} | {count} | {:.1} % | ×/÷ {:.2} |",
            100.0 * held.count() as f64 / count as f64,
            median(intervals().map(|[low, high]| (high / low).sqrt())).unwrap_or(f64::NAN)
        );
    }
    Ok(())
}

/// The law and the runs of the manifest's sweep under a seed.
fn sweep(path: &str, seed: u64) -> Result<(Truth, Vec<Run>), Box<dyn Error>> {
    let set = format!("trainer.seed={seed}");
    let manifest = Manifest::load(Path::new(path), &[set])?;
    let prepared = plan::prepare(
        &manifest,
        &Trainer::of(&manifest)?,
        Rebuilt::default(),
        &Interrupt::default(),
    )?;
    let mut runs = Vec::new();
    let mut law = None;
    for spec in &prepared.specs {
        let simulation = spec
            .recipe
            .simulation
            .ok_or("the manifest's trainer is not simulated")?;
        let measured = simulate(spec, None, &simulation);
        law = Some(simulation.law);
        runs.push(Run {
            budget: Some(spec.recipe.budget),
            seed: Some(spec.recipe.seed),
            ..Run::new(measured.n, measured.d, measured.c, measured.loss)
        });
    }
    let law = law.ok_or("the sweep has no trials")?;
    Ok((Truth::new(law.e, law.a, law.alpha, law.b, law.beta), runs))
}
