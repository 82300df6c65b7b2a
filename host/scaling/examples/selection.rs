//! What following the recommendation costs against following one method: the table of
//! docs/statistics.md as Markdown, then one JSON object with the same figures.
//!
//!     cargo run --release -p flops-fit-scaling --example selection -- [sweeps] [draws] [seed]
//!
//! A regret is the true loss at the N* that was named less the true lowest loss, at ten
//! times the largest budget. The best single method is the one with the lowest mean
//! over all cells, found with hindsight.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the table is the result; progress beside it"
)]

use flops_fit_scaling::Method;
use flops_fit_scaling::coverage::{Cell, Coverage, Effort, RECOMMENDED, cells, measure};

/// Share of the sweeps that a method has to answer to be compared.
const ANSWERS: f64 = 0.95;

/// Regrets in one cell.
struct Measured {
    cell: String,
    found: Vec<Coverage>,
}

/// The mean regret of a method over some cells, each weighed alike; `None` where it
/// left too many sweeps unanswered.
fn mean(measured: &[Measured], name: &str, sweeps: usize) -> Option<f64> {
    let regret = |cell: &Measured| {
        let one = cell.found.iter().find(|one| one.name == name)?;
        (one.answers as f64 >= ANSWERS * sweeps as f64).then_some(one.regret)
    };
    let regrets: Option<Vec<f64>> = measured.iter().map(regret).collect();
    regrets.map(|regrets| regrets.iter().sum::<f64>() / regrets.len() as f64)
}

/// The method with the lowest mean, that mean, and the recommendation's.
fn figures(measured: &[Measured], sweeps: usize) -> serde_json::Value {
    let best = Method::ALL
        .into_iter()
        .filter_map(|method| Some((method, mean(measured, method.name(), sweeps)?)))
        .min_by(|a, b| a.1.total_cmp(&b.1));
    serde_json::json!({
        "best": best.map(|(method, _)| method),
        "best_regret": best.map(|(_, regret)| regret),
        "recommended_regret": mean(measured, RECOMMENDED, sweeps),
    })
}

fn row(title: &str, regret: impl Fn(&str) -> Option<f64>) {
    let names = Method::ALL.map(Method::name).into_iter();
    let field = |name: &str| {
        // Regrets in thousandths of a nat.
        regret(name).map_or_else(|| "–".to_owned(), |regret| format!("{:.3}", 1e3 * regret))
    };
    let fields: Vec<String> = names.chain([RECOMMENDED]).map(field).collect();
    println!("| {title} | {} |", fields.join(" | "));
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let mut next = |default| arguments.next().and_then(Result::ok).unwrap_or(default);
    let mut effort = Effort {
        sweeps: next(300),
        draws: next(99),
        seed: next(2) as u64,
        threads: None,
    };
    let sweeps = effort.sweeps;
    let mut measure_all = |cells: Vec<Cell>| -> Vec<Measured> {
        let one = |cell: Cell| {
            eprintln!("{}", cell.name);
            effort.seed += 1 << 32;
            Measured {
                found: measure(&cell, &effort),
                cell: cell.name,
            }
        };
        cells.into_iter().map(one).collect()
    };
    let mut right = measure_all(cells::right());
    right.extend(measure_all(cells::others()));
    let kinds = [
        ("right form", right),
        ("off-centre grids", measure_all(cells::biased())),
        ("wrong form", measure_all(cells::wrong())),
    ];
    let names: Vec<&str> = Method::ALL
        .map(Method::name)
        .into_iter()
        .chain([RECOMMENDED])
        .collect();
    println!("{sweeps} sweeps a cell; mean regret in 1e-3 of the loss's unit\n");
    println!("| | {} |", names.join(" | "));
    println!("|---|{}", "---|".repeat(names.len()));
    for (kind, measured) in &kinds {
        for cell in measured {
            let one = |name: &str| cell.found.iter().find(|one| one.name == name);
            row(&cell.cell, |name| Some(one(name)?.regret));
        }
        row(&format!("**{kind}**"), |name| mean(measured, name, sweeps));
    }
    let by_kind = kinds.each_ref().map(|(kind, measured)| {
        let figures = figures(measured, sweeps);
        serde_json::json!({ "kind": kind, "figures": figures })
    });
    let all: Vec<Measured> = kinds
        .into_iter()
        .flat_map(|(_, measured)| measured)
        .collect();
    row("**all**", |name| mean(&all, name, sweeps));
    println!();
    for kind in by_kind {
        println!("{kind}");
    }
    println!("{}", figures(&all, sweeps));
}
