//! The runs read off the Chinchilla paper's figure (Besiroglu et al. 2024), and
//! fits of them whose optima are known.

use std::path::{Path, PathBuf};

use flops_fit_scaling::surface::SurfaceParameters;
use flops_fit_scaling::{Objective, Run, Sample, fit_surface};

/// A file of the data that lies beside the checkout, or beside its worktree.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let found = ["../shared/data", "../../shared/data"]
        .map(|folder| root.join(folder).join(name))
        .into_iter()
        .find(|path| path.is_file());
    if found.is_none() {
        println!("skipped: ../shared/data/{name} is not beside this checkout");
    }
    found
}

/// The runs with D = C/(6·N), the highest `dropped` losses left out.
pub(crate) fn runs(dropped: usize) -> Option<Vec<Run>> {
    let text = std::fs::read_to_string(shared("epoch_chinchilla.csv")?).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|title| *title == name).unwrap();
    let columns = [
        column("Model Size"),
        column("Training FLOP"),
        column("loss"),
    ];
    let mut runs: Vec<Run> = lines
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            let [n, c, loss] = columns.map(|index| fields[index].parse::<f64>().unwrap());
            Run::new(n, c / (6.0 * n), c, loss)
        })
        .collect();
    assert_eq!(runs.len(), 245);
    runs.sort_by(|a, b| b.loss.total_cmp(&a.loss));
    runs.drain(..dropped);
    Some(runs)
}

const HUBER: Objective = Objective::Huber { delta: 1e-3 };

fn parameters(objective: Objective, dropped: usize) -> Option<SurfaceParameters> {
    let sample = Sample::new(&runs(dropped)?).unwrap();
    Some(fit_surface(&sample, objective).unwrap().parameters)
}

/// Checks A, B, E, α, β, each to half a unit of the last digit given.
fn check(
    objective: Objective,
    dropped: usize,
    expected: [(f64, i32); 5],
) -> Option<SurfaceParameters> {
    let found = parameters(objective, dropped)?;
    println!("{objective:?}: {found:?}");
    let values = [
        found.a_factor,
        found.b_factor,
        found.floor,
        found.alpha,
        found.beta,
    ];
    for (value, (expected, digits)) in values.into_iter().zip(expected) {
        let tolerance = 0.5001 * 10_f64.powi(-digits);
        assert!(
            expected.is_nan() || (value - expected).abs() <= tolerance,
            "{objective:?}: {value} for {expected}"
        );
    }
    assert!(found.converged && found.seeds_at_optimum > 0);
    Some(found)
}

#[test]
fn log_huber() {
    let expected = [
        (477.826, 3),
        (2143.417, 3),
        (1.817_218, 6),
        (0.347_310, 6),
        (0.367_172, 6),
    ];
    if let Some(found) = check(HUBER, 5, expected) {
        assert!(found.objective <= 1.018_275e-3 && found.objective >= 1.018_274e-3);
    }
}

#[test]
fn least_absolute_deviations() {
    let expected = [
        (482.006, 3),
        (2085.436, 3),
        (1.816_864, 6),
        (0.347_813, 6),
        (0.365_854, 6),
    ];
    if let Some(found) = check(Objective::Lad, 5, expected) {
        assert!(
            (found.objective - 1.129_494_7).abs() <= 5.001e-8,
            "{}",
            found.objective
        );
    }
}

#[test]
fn least_squares() {
    let linear = [
        (567.805, 3),
        (7581.85, 2),
        (1.882_814, 6),
        (0.357_615, 6),
        (0.427_621, 6),
    ];
    check(Objective::Mse, 5, linear);
    let log = [
        (593.32, 2),
        (4875.6, 1),
        (1.864_550, 6),
        (0.360_253, 6),
        (0.405_883, 6),
    ];
    check(Objective::MseLog, 5, log);
}

#[test]
fn log_huber_of_all_runs() {
    let unknown = (f64::NAN, 0);
    check(
        HUBER,
        0,
        [unknown, unknown, (1.8913, 4), (0.3493, 4), (0.4530, 4)],
    );
}
