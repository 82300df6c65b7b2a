//! The tables of docs/statistics.md on how often the 95 % intervals hold the truth,
//! as Markdown, then one JSON object with the same figures.
//!
//!     cargo run --release -p flops-fit-scaling --example coverage -- [sweeps] [draws] [seed]
#![expect(clippy::print_stdout, reason = "the tables are the result")]

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

fn each(laws: &[(&str, Truth)], sizes: usize, off_center: f64) -> Vec<Cell> {
    laws.iter()
        .flat_map(|&(name, truth)| NOISES.map(|noise| cell(name, truth, sizes, off_center, noise)))
        .collect()
}

fn row(cell: &str, one: &Coverage) {
    println!(
        "| {cell} | {} | {} | {:.1} % | ×/÷ {:.2} | {:+.3} | {:.1} % | ± {:.4} |",
        one.method,
        one.sweeps,
        100.0 * one.n,
        (one.n_width / 2.0).exp(),
        one.n_bias,
        100.0 * one.loss,
        one.loss_half_width
    );
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let mut next = |default| arguments.next().and_then(Result::ok).unwrap_or(default);
    let mut effort = Effort {
        sweeps: next(500),
        draws: next(199),
        seed: next(1) as u64,
        threads: None,
    };
    let mut tables = serde_json::Map::new();
    for (title, key, cells) in [
        ("Right form", "right", right()),
        ("Other grids", "others", others()),
        ("Wrong form", "wrong", wrong()),
    ] {
        println!(
            "\n{title}: N* and L* at {TARGET:e}, {} sweeps a cell\n",
            effort.sweeps
        );
        println!("| law | method | sweeps | N* held | width | bias of ln N* | L* held | width |");
        println!("|---|---|---|---|---|---|---|---|");
        let mut found = Vec::new();
        for cell in &cells {
            // Cells with noise in common would err together.
            effort.seed += 1 << 32;
            for one in measure(cell, &Method::ALL, &effort) {
                row(&cell.name, &one);
                found.push((cell.name.clone(), one));
            }
        }
        let mut pooled = serde_json::Map::new();
        for method in Method::ALL {
            let of: Vec<&Coverage> = found
                .iter()
                .map(|(_, one)| one)
                .filter(|one| one.method == method)
                .collect();
            let sweeps: usize = of.iter().map(|one| one.sweeps).sum();
            if sweeps > 0 {
                let held: f64 = of.iter().map(|one| one.n * one.sweeps as f64).sum();
                println!(
                    "| all | {method} | {sweeps} | {:.1} % | | | | |",
                    100.0 * held / sweeps as f64
                );
                pooled.insert(method.name().to_owned(), (held / sweeps as f64).into());
            }
        }
        let cells: Vec<serde_json::Value> = found
            .iter()
            .map(|(cell, one)| serde_json::json!({ "cell": cell, "coverage": one }))
            .collect();
        tables.insert(
            key.to_owned(),
            serde_json::json!({ "pooled": pooled, "cells": cells }),
        );
    }
    println!("\n{}", serde_json::Value::Object(tables));
}
