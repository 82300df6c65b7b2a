//! The tables of docs/statistics.md on how often the 95 % intervals hold the truth,
//! as Markdown, then one JSON object with the same figures.
//!
//!     cargo run --release -p flops-fit-scaling --example coverage -- [sweeps] [draws] [seed]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the tables are the result; progress beside them"
)]

use flops_fit_scaling::Method;
use flops_fit_scaling::coverage::{Cell, Coverage, Effort, measure};
use flops_fit_scaling::simulate::Truth;

const BUDGETS: [f64; 5] = [1e18, 3e18, 1e19, 3e19, 1e20];
/// Ten times the largest budget.
const TARGET: f64 = 1e21;
const NOISES: [f64; 2] = [0.005, 0.02];

/// The law with these exponents, on five budgets of `sizes` sizes.
fn cell(name: &str, truth: Truth, sizes: usize, off_center: f64, noise: f64) -> Cell {
    Cell {
        name: format!("{name}, noise {noise}"),
        truth,
        plan: truth.sweep(&BUDGETS, sizes, 4.0, off_center, 1),
        noise,
        target: TARGET,
    }
}

fn with_exponents(alpha: f64, beta: f64) -> Truth {
    Truth::with_exponents(alpha, beta, 1e19, 0.9)
}

/// The cells that the promise is about: the surface's form is right.
fn right() -> Vec<Cell> {
    let laws = [
        ("α = β = .35", with_exponents(0.35, 0.35)),
        ("α .34, β .28", with_exponents(0.34, 0.28)),
        ("α .25, β .45", with_exponents(0.25, 0.45)),
    ];
    each(&laws, 6, 1.0)
}

/// Other exponents, grids and seeds, that nothing was chosen by.
fn others() -> Vec<Cell> {
    let mut cells = each(&[("α .50, β .30", with_exponents(0.5, 0.3))], 6, 1.0);
    cells.extend(each(
        &[("α .34, β .28, 8 sizes", with_exponents(0.34, 0.28))],
        8,
        1.0,
    ));
    cells.extend(each(
        &[("α .34, β .28, grid ×2 too high", with_exponents(0.34, 0.28))],
        6,
        2.0,
    ));
    cells
}

/// Laws of another form than any method has.
fn wrong() -> Vec<Cell> {
    let coupled = Truth {
        coupling: 1.4,
        ..with_exponents(0.30, 0.24)
    };
    let bent = Truth {
        bend: Some((3e9, 0.1)),
        ..with_exponents(0.34, 0.28)
    };
    each(
        &[("coupled, γ = 1.4", coupled), ("bent, δ = .1", bent)],
        6,
        1.0,
    )
}

/// Sweeps as one affords on a single machine: four budgets, five sizes, one seed or
/// two, and 3.3 times the largest budget.
fn small() -> Vec<Cell> {
    let truth = Truth::with_exponents(0.34, 0.28, 5e10, 0.9);
    [(1, 0.02), (2, 0.02), (1, 0.005)]
        .into_iter()
        .map(|(seeds, noise)| Cell {
            name: format!("4 × 5 sizes, seeds {seeds}, noise {noise}"),
            truth,
            plan: truth.sweep(&[1e10, 3e10, 1e11, 3e11], 5, 4.0, 1.0, seeds),
            noise,
            target: 1e12,
        })
        .collect()
}

fn each(laws: &[(&str, Truth)], sizes: usize, off_center: f64) -> Vec<Cell> {
    laws.iter()
        .flat_map(|&(name, truth)| NOISES.map(|noise| cell(name, truth, sizes, off_center, noise)))
        .collect()
}

/// What every method did in one cell.
struct Measured {
    cell: String,
    methods: Vec<Coverage>,
}

impl Measured {
    fn of(&self, method: Method) -> Option<&Coverage> {
        self.methods.iter().find(|one| one.method == method)
    }
}

/// Measures the cells and prints one row for each, and one for all of them.
fn table(title: &str, cells: &[Cell], effort: &mut Effort) -> Vec<Measured> {
    let measured: Vec<Measured> = cells
        .iter()
        .map(|cell| {
            eprintln!("{title}: {}", cell.name);
            // Cells with noise in common would err together.
            effort.seed += 1 << 32;
            Measured {
                cell: cell.name.clone(),
                methods: measure(cell, &Method::ALL, effort),
            }
        })
        .collect();
    let methods: Vec<Method> = Method::ALL
        .into_iter()
        .filter(|&method| measured.iter().any(|cell| cell.of(method).is_some()))
        .collect();
    let width = |one: &Coverage| format!("×/÷ {:.2}", (one.n_width / 2.0).exp());
    let half_width = |one: &Coverage| format!("± {:.3}", one.loss_half_width);
    print_table(
        &format!("{title}, N*"),
        &measured,
        &methods,
        |one| one.n,
        width,
    );
    print_table(
        &format!("{title}, L*"),
        &measured,
        &methods,
        |one| one.loss,
        half_width,
    );
    measured
}

fn print_table(
    title: &str,
    measured: &[Measured],
    methods: &[Method],
    share: impl Fn(&Coverage) -> f64,
    width: impl Fn(&Coverage) -> String,
) {
    let names: Vec<&str> = methods.iter().map(|method| method.name()).collect();
    println!("\n| {title} | {} |", names.join(" | "));
    println!("|---|{}", "---|".repeat(names.len()));
    for cell in measured {
        let fields: Vec<String> = methods
            .iter()
            .map(|&method| {
                cell.of(method).map_or_else(String::new, |one| {
                    format!("{:.1} %, {}", 100.0 * share(one), width(one))
                })
            })
            .collect();
        println!("| {} | {} |", cell.cell, fields.join(" | "));
    }
    let fields: Vec<String> = methods
        .iter()
        .map(|&method| {
            let pooled = pooled(measured, method, &share).unwrap_or(f64::NAN);
            format!("{:.1} %", 100.0 * pooled)
        })
        .collect();
    println!("| all | {} |", fields.join(" | "));
}

/// The share over the sweeps of all cells.
fn pooled(measured: &[Measured], method: Method, share: impl Fn(&Coverage) -> f64) -> Option<f64> {
    let of = || measured.iter().filter_map(|cell| cell.of(method));
    let sweeps: usize = of().map(|one| one.sweeps).sum();
    let held: f64 = of().map(|one| share(one) * one.sweeps as f64).sum();
    (sweeps > 0).then(|| held / sweeps as f64)
}

/// The method that is promised to hold what it says: its form is right, and so are
/// its assumptions about the noise.
const SINGLE: Method = Method::ParametricMse;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let mut next = |default| arguments.next().and_then(Result::ok).unwrap_or(default);
    let mut effort = Effort {
        sweeps: next(500),
        draws: next(199),
        seed: next(1) as u64,
        threads: None,
    };
    println!(
        "{} sweeps a cell, {} draws, C = {TARGET:e} but for the small designs",
        effort.sweeps, effort.draws
    );
    let right = table("right form", &right(), &mut effort);
    let others = table("other grids", &others(), &mut effort);
    let small = table("small designs", &small(), &mut effort);
    let wrong = table("wrong form", &wrong(), &mut effort);
    let shares = || {
        right
            .iter()
            .filter_map(|cell| cell.of(SINGLE))
            .map(|one| one.n)
    };
    let json = |measured: &[Measured]| -> serde_json::Value {
        measured
            .iter()
            .map(|cell| serde_json::json!({ "cell": cell.cell, "methods": cell.methods }))
            .collect()
    };
    println!(
        "\n{}",
        serde_json::json!({
            "single": SINGLE,
            "single_pooled": pooled(&right, SINGLE, |one| one.n),
            "single_lowest": shares().fold(f64::INFINITY, f64::min),
            "single_highest": shares().fold(f64::NEG_INFINITY, f64::max),
            "right": json(&right),
            "others": json(&others),
            "small": json(&small),
            "wrong": json(&wrong),
        })
    );
}
