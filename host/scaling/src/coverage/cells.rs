//! The cells of the published tables.

use super::Cell;
use crate::simulate::Truth;

/// Budgets of all but the small designs.
const BUDGETS: [f64; 5] = [1e18, 3e18, 1e19, 3e19, 1e20];
/// Ten times the largest budget.
pub const TARGET: f64 = 1e21;
/// Standard deviations of a loss.
const NOISES: [f64; 2] = [0.005, 0.02];
/// The usual grid reaches from a fourth to four times the optimum.
const REACH: f64 = 4.0;

/// A law, a grid's number of sizes, and how far its middle is above the optimum.
type Design<'a> = (&'a str, Truth, usize, f64);

fn with_exponents(alpha: f64, beta: f64) -> Truth {
    Truth::with_exponents(alpha, beta, 1e19, 0.9)
}

fn each(designs: &[Design<'_>]) -> Vec<Cell> {
    let both = |&(name, truth, sizes, off_center): &Design<'_>| {
        NOISES.map(|noise| Cell {
            name: format!("{name}, noise {noise}"),
            truth,
            plan: truth.sweep(&BUDGETS, sizes, REACH, off_center, 1),
            noise,
            target: TARGET,
        })
    };
    designs.iter().flat_map(both).collect()
}

/// The cells that coverage is promised for: the surface's form is right, five budgets
/// of six sizes.
pub fn right() -> Vec<Cell> {
    each(&[
        ("α = β = .35", with_exponents(0.35, 0.35), 6, 1.0),
        ("α .34, β .28", with_exponents(0.34, 0.28), 6, 1.0),
        ("α .25, β .45", with_exponents(0.25, 0.45), 6, 1.0),
    ])
}

/// Other exponents and more sizes, that nothing was chosen by.
pub fn others() -> Vec<Cell> {
    each(&[
        ("α .50, β .30", with_exponents(0.5, 0.3), 6, 1.0),
        ("α .34, β .28, 8 sizes", with_exponents(0.34, 0.28), 8, 1.0),
    ])
}

/// Grids whose middle is off the optimum by a factor of two.
pub fn biased() -> Vec<Cell> {
    each(&[
        (
            "α .34, β .28, grid ×2 too high",
            with_exponents(0.34, 0.28),
            6,
            2.0,
        ),
        (
            "α .34, β .28, grid ×2 too low",
            with_exponents(0.34, 0.28),
            6,
            0.5,
        ),
        (
            "α .25, β .45, grid ×2 too high",
            with_exponents(0.25, 0.45),
            6,
            2.0,
        ),
    ])
}

/// Laws of another form than any method has.
pub fn wrong() -> Vec<Cell> {
    let coupled = Truth {
        coupling: 1.4,
        ..with_exponents(0.30, 0.24)
    };
    let bent = |slope| Truth {
        bend: Some((3e9, slope)),
        ..with_exponents(0.34, 0.28)
    };
    each(&[
        ("coupled, γ = 1.4", coupled, 6, 1.0),
        ("bent, δ = .1", bent(0.1), 6, 1.0),
        ("bent, δ = −.07", bent(-0.07), 6, 1.0),
    ])
}

/// Sweeps as one affords on a single machine: four budgets, five sizes, one seed or
/// two, and 3.3 times the largest budget.
pub fn small() -> Vec<Cell> {
    let truth = Truth::with_exponents(0.34, 0.28, 5e10, 0.9);
    [(1, 0.02), (2, 0.02), (1, 0.005)]
        .into_iter()
        .map(|(seeds, noise)| Cell {
            name: format!("4 × 5 sizes, seeds {seeds}, noise {noise}"),
            truth,
            plan: truth.sweep(&[1e10, 3e10, 1e11, 3e11], 5, REACH, 1.0, seeds),
            noise,
            target: 1e12,
        })
        .collect()
}
