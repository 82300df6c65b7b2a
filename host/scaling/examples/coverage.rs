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
use flops_fit_scaling::coverage::{Cell, Coverage, Effort, RECOMMENDED, UNWIDENED, cells, measure};

/// The method that is promised to hold what it says: its form is right, and so are
/// its assumptions about the noise.
const SINGLE: Method = Method::ParametricMse;

/// What every method did in one cell.
struct Measured {
    cell: String,
    found: Vec<Coverage>,
}

impl Measured {
    fn of(&self, name: &str) -> Option<&Coverage> {
        self.found.iter().find(|one| one.name == name)
    }
}

/// The columns that have figures: methods, then the recommendation.
fn columns(measured: &[Measured]) -> Vec<&'static str> {
    let names = Method::ALL.map(Method::name).into_iter();
    names
        .chain([UNWIDENED, RECOMMENDED])
        .filter(|name| measured.iter().any(|cell| cell.of(name).is_some()))
        .collect()
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
                found: measure(cell, effort),
            }
        })
        .collect();
    let width = |one: &Coverage| format!("×/÷ {:.2}", (one.n_width / 2.0).exp());
    let half_width = |one: &Coverage| format!("± {:.3}", one.loss_half_width);
    print_table(&format!("{title}, N*"), &measured, |one| one.n, width);
    print_table(
        &format!("{title}, L*"),
        &measured,
        |one| one.loss,
        half_width,
    );
    measured
}

fn print_table(
    title: &str,
    measured: &[Measured],
    share: impl Fn(&Coverage) -> f64,
    width: impl Fn(&Coverage) -> String,
) {
    let names = columns(measured);
    println!("\n| {title} | {} |", names.join(" | "));
    println!("|---|{}", "---|".repeat(names.len()));
    for cell in measured {
        let field = |name: &&str| {
            let one = cell.of(name);
            one.map_or_else(String::new, |one| {
                format!("{:.1} %, {}", 100.0 * share(one), width(one))
            })
        };
        let fields: Vec<String> = names.iter().map(field).collect();
        println!("| {} | {} |", cell.cell, fields.join(" | "));
    }
    let all = |name: &&str| {
        let pooled = pooled(measured, name, &share).unwrap_or(f64::NAN);
        format!("{:.1} %", 100.0 * pooled)
    };
    let fields: Vec<String> = names.iter().map(all).collect();
    println!("| all | {} |", fields.join(" | "));
}

/// The share over the sweeps of all cells.
fn pooled(measured: &[Measured], name: &str, share: impl Fn(&Coverage) -> f64) -> Option<f64> {
    let of = || measured.iter().filter_map(|cell| cell.of(name));
    let sweeps: usize = of().map(|one| one.sweeps).sum();
    let held: f64 = of().map(|one| share(one) * one.sweeps as f64).sum();
    (sweeps > 0).then(|| held / sweeps as f64)
}

/// The lowest and highest of a figure over the cells.
fn range(measured: &[Measured], figure: impl Fn(&Measured) -> Option<f64>) -> (f64, f64) {
    let figures = measured.iter().filter_map(figure);
    figures.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), one| {
        (low.min(one), high.max(one))
    })
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let mut next = |default| arguments.next().and_then(Result::ok).unwrap_or(default);
    let mut effort = Effort {
        sweeps: next(500),
        draws: next(99),
        seed: next(1) as u64,
        threads: None,
    };
    println!(
        "{} sweeps a cell, {} draws, C = {:e} but for the small designs",
        effort.sweeps,
        effort.draws,
        cells::TARGET
    );
    let right = table("right form", &cells::right(), &mut effort);
    let others = table("other laws", &cells::others(), &mut effort);
    let biased = table("off-centre grids", &cells::biased(), &mut effort);
    let small = table("small designs", &cells::small(), &mut effort);
    let wrong = table("wrong form", &cells::wrong(), &mut effort);
    let single = range(&right, |cell| Some(cell.of(SINGLE.name())?.n));
    let widened = range(&right, |cell| Some(cell.of(RECOMMENDED)?.n));
    let widths = range(&right, |cell| {
        Some(cell.of(RECOMMENDED)?.n_width / cell.of(SINGLE.name())?.n_width)
    });
    let json = |measured: &[Measured]| -> serde_json::Value {
        measured
            .iter()
            .map(|cell| serde_json::json!({ "cell": cell.cell, "found": cell.found }))
            .collect()
    };
    println!(
        "\n{}",
        serde_json::json!({
            "single": SINGLE,
            "single_pooled": pooled(&right, SINGLE.name(), |one| one.n),
            "single_lowest": single.0,
            "single_highest": single.1,
            "widened_pooled": pooled(&right, RECOMMENDED, |one| one.n),
            "widened_lowest": widened.0,
            "widened_width_highest": widths.1,
            "wrong_pooled": pooled(&wrong, RECOMMENDED, |one| one.n),
            "right": json(&right),
            "others": json(&others),
            "biased": json(&biased),
            "small": json(&small),
            "wrong": json(&wrong),
        })
    );
}
