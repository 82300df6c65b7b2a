//! A public data set without noise, whose law is known.

use flops_fit_scaling::isoflop::IsoflopParameters;
use flops_fit_scaling::surface::SurfaceParameters;
use flops_fit_scaling::{
    Analysis, Method, Objective, Options, Parameters, Run, Sample, analyze, fit, fit_surface,
};

use crate::chinchilla::shared;

fn runs() -> Option<Vec<Run>> {
    let text = std::fs::read_to_string(shared("cs336_isoflop.json")?).unwrap();
    let rows: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let runs: Vec<Run> = rows
        .iter()
        .map(|row| {
            let number = |key: &str| row[key].as_f64().unwrap();
            let (n, c) = (number("parameters"), number("compute_budget"));
            Run::new(n, c / (6.0 * n), c, number("final_loss"))
        })
        .collect();
    assert_eq!(runs.len(), 72);
    Some(runs)
}

#[test]
fn assignment_isoflops_give_the_published_exponents() {
    let Some(runs) = runs() else { return };
    let analysis = analyze(&runs, &Options::default()).unwrap();
    assert_eq!(analysis.budgets.len(), 9);
    let parabola = isoflop(&analysis, Method::IsoflopParabola);
    assert!((parabola.a - 0.5146).abs() < 5e-5 && (parabola.b - 0.4854).abs() < 5e-5);
    // The losses come from exponents .34 and .36, for which a = .36 / .70.
    let cubic = isoflop(&analysis, Method::IsoflopCubic);
    assert!((cubic.a - 0.36 / 0.70).abs() < 5e-4);
    let [low, high] = analysis
        .fitted(Method::IsoflopCubic)
        .unwrap()
        .ci95
        .as_ref()
        .unwrap()
        .floor
        .unwrap();
    assert!((low..=high).contains(&2.69), "{low} {high}");
}

fn isoflop(analysis: &Analysis, method: Method) -> &IsoflopParameters {
    match &analysis.fitted(method).unwrap().parameters {
        Parameters::Isoflop(parameters) => parameters,
        other => panic!("power laws through minima: {other:?}"),
    }
}

#[test]
fn every_objective_gives_the_law_of_noiseless_runs() {
    let Some(runs) = runs() else { return };
    let sample = Sample::new(&runs).unwrap();
    for objective in [
        Objective::Huber { delta: 1e-3 },
        Objective::Lad,
        Objective::Mse,
        Objective::MseLog,
    ] {
        let found: SurfaceParameters = fit_surface(&sample, objective).unwrap().parameters;
        println!("{found:?}");
        for (value, truth) in [
            (found.floor, 2.69),
            (found.a_factor, 1606.4),
            (found.b_factor, 3210.7),
            (found.alpha, 0.34),
            (found.beta, 0.36),
        ] {
            assert!(
                (value / truth - 1.0).abs() < 1e-4,
                "{objective:?}: {value} for {truth}"
            );
        }
    }
}

#[test]
fn a_fit_behind_the_seam_has_the_exponents_of_its_laws() {
    let Some(runs) = runs() else { return };
    let sample = Sample::new(&runs).unwrap();
    let fit = fit(Method::IsoflopParabola, &sample).unwrap();
    let Parameters::Isoflop(parameters) = fit.parameters() else {
        panic!("power laws through minima");
    };
    assert!(
        (parameters.a - 0.5146).abs() < 5e-5 && (parameters.b - 0.4854).abs() < 5e-5,
        "{parameters:?}"
    );
}
